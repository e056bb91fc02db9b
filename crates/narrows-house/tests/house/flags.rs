//! The libraries know no flags: what a user typed is the door's business, which turns it into a field of a recipe.

use narrows_house::{Crate, Found, crates, each_level, hold, shown, table};
use proc_macro2::TokenTree;
use quote::ToTokens;
use regex::Regex;

const TABLE: &str = "flags.toml";

#[test]
fn the_libraries_know_no_flags() {
    hold("a library has a flag in a string", TABLE, &table(TABLE), &found(&crates()));
}

/// Literals with `--flag` in the libraries, by file; doc comments may tell of flags.
pub(crate) fn found(crates: &[Crate]) -> Found {
    let flag = Regex::new("--[a-z]").unwrap();
    let mut found = Found::new();
    for module in crates.iter().filter(|krate| !krate.is_binary()).flat_map(|krate| &krate.modules) {
        let file = shown(&module.file);
        let mut places = Vec::new();
        for item in &module.items {
            each_level(item.to_token_stream(), &mut |level| {
                for token in level {
                    if let TokenTree::Literal(literal) = token
                        && flag.is_match(&literal.to_string())
                    {
                        places.push(format!("{file}:{}: {literal}", literal.span().start().line));
                    }
                }
            });
        }
        if !places.is_empty() {
            found.entry(file).or_default().extend(places);
        }
    }
    found
}
