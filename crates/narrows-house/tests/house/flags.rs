//! The libraries know no flags: what a user typed is the door's business, which turns it into a field of a recipe.

use narrows_house::{Crate, Found, crates, hold, shown, table};
use proc_macro2::{Literal, TokenStream, TokenTree};
use regex::Regex;
use syn::visit::{self, Visit};
use syn::{Attribute, LitStr, Macro, Meta};

const TABLE: &str = "flags.toml";

#[test]
fn the_libraries_know_no_flags() {
    hold("a library has a flag in a string", TABLE, &table(TABLE), &found(&crates()));
}

/// String literals with `--flag` in the libraries, by file.
pub(crate) fn found(crates: &[Crate]) -> Found {
    let flag = Regex::new("--[a-z]").unwrap();
    let mut found = Found::new();
    for module in crates.iter().filter(|krate| !krate.is_binary()).flat_map(|krate| &krate.modules) {
        let mut strings = Strings(Vec::new());
        module.items.iter().for_each(|item| strings.visit_item(item));
        let file = shown(&module.file);
        for (text, line) in strings.0.into_iter().filter(|(text, _)| flag.is_match(text)) {
            found.entry(file.clone()).or_default().push(format!("{file}:{line}: {text}"));
        }
    }
    found
}

struct Strings(Vec<(String, usize)>);

impl<'ast> Visit<'ast> for Strings {
    fn visit_lit_str(&mut self, literal: &'ast LitStr) {
        self.literal(&literal.token());
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.tokens(&item.tokens);
    }

    /// Messages such as `#[error("..")]`; doc comments are attributes too, and may tell of flags.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => self.tokens(&list.tokens),
            Meta::NameValue(_) if attribute.path().is_ident("doc") => {}
            _ => visit::visit_attribute(self, attribute),
        }
    }
}

impl Strings {
    fn tokens(&mut self, tokens: &TokenStream) {
        for token in tokens.clone() {
            match token {
                TokenTree::Group(group) => self.tokens(&group.stream()),
                TokenTree::Literal(literal) => self.literal(&literal),
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }

    fn literal(&mut self, literal: &Literal) {
        self.0.push((literal.to_string(), literal.span().start().line));
    }
}
