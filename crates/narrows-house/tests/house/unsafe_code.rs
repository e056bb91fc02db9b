//! Unsafe code is the engine's alone.

use narrows_house::{crates, shown};
use quote::ToTokens;

#[test]
fn only_the_engine_may_be_unsafe() {
    let open: Vec<String> = crates()
        .iter()
        .filter(|krate| krate.name != "narrows-engine")
        .map(|krate| &krate.modules[0])
        .filter(|root| {
            let forbids = |attribute: &syn::Attribute| {
                attribute.path().is_ident("forbid") && attribute.to_token_stream().to_string().contains("unsafe_code")
            };
            !root.attributes.iter().any(forbids)
        })
        .map(|root| shown(&root.file))
        .collect();
    assert!(open.is_empty(), "without `#![forbid(unsafe_code)]`:\n{}\n", open.join("\n"));
}
