//! Unsafe code is the engine's alone.

use narrows_house::{Crate, crates, shown};
use quote::ToTokens;

/// Crates that say `deny` and not `forbid`, as a macro of another crate allows itself what it expands to. They hold no
/// unsafe code of their own.
const DENYING: [&str; 1] = ["narrows"];

#[test]
fn only_the_engine_may_be_unsafe() {
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
    let has_none = || {
        krate.modules.iter().all(|module| {
            let text = std::fs::read_to_string(&module.file).unwrap();
            !["unsafe {", "unsafe fn", "unsafe impl", "unsafe("].iter().any(|code| text.contains(code))
        })
    };
    says("forbid") || DENYING.contains(&krate.name.as_str()) && says("deny") && has_none()
}
