//! Unsafe code is the engine's alone, but for one file that takes and gives Arrow data by pointers.

use narrows_house::{Crate, crates, shown};
use quote::ToTokens;

/// Crates that say `deny` and not `forbid`, as macros of other crates allow themselves what they expand to, and the one module
/// that may hold unsafe code.
const DENYING: [(&str, Option<&str>); 2] = [("narrows", None), ("narrows-python", Some("capsule"))];

#[test]
fn only_the_engine_and_one_file_may_be_unsafe() {
    let open: Vec<String> = crates()
        .iter()
        .filter(|krate| krate.name != "narrows-engine" && !is_safe(krate))
        .map(|krate| shown(&krate.modules[0].file))
        .collect();
    assert!(open.is_empty(), "without `#![forbid(unsafe_code)]`:\n{}\n", open.join("\n"));
}

fn is_safe(krate: &Crate) -> bool {
    let says = |word: &str| {
        let says = |attribute: &syn::Attribute| {
            attribute.path().is_ident(word) && attribute.to_token_stream().to_string().contains("unsafe_code")
        };
        krate.modules[0].attributes.iter().any(says)
    };
    let has_none = |but: Option<&str>| {
        let rest = krate.modules.iter().filter(|module| but.is_none_or(|but| module.path != [but]));
        rest.into_iter().all(|module| {
            let text = std::fs::read_to_string(&module.file).unwrap();
            !["unsafe {", "unsafe fn", "unsafe impl", "unsafe("].iter().any(|code| text.contains(code))
        })
    };
    let denying = DENYING.iter().find(|(name, _)| *name == krate.name);
    says("forbid") || denying.is_some_and(|(_, but)| says("deny") && has_none(*but))
}
