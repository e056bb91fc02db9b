//! `score > threshold` is said once: who wants to know asks the one place that compares.

use narrows_house::{Crate, Found, crates, hold, shown, table};
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, ExprBinary, ImplItemFn, ItemFn, Macro, Token, TraitItemFn};

const TABLE: &str = "thresholds.toml";

#[test]
fn the_threshold_is_said_once() {
    hold("something is compared with a threshold", TABLE, &table(TABLE), &found(&crates()));
}

/// Comparisons with a threshold by file and function.
pub(crate) fn found(crates: &[Crate]) -> Found {
    let mut found = Found::new();
    for module in crates.iter().flat_map(|krate| &krate.modules) {
        let mut comparisons = Comparisons { function: String::new(), found: Vec::new() };
        module.items.iter().for_each(|item| comparisons.visit_item(item));
        let file = shown(&module.file);
        for (function, line, text) in comparisons.found {
            found.entry(format!("{file}: {function}")).or_default().push(format!("{file}:{line}: {text}"));
        }
    }
    found
}

struct Comparisons {
    function: String,
    found: Vec<(String, usize, String)>,
}

impl Comparisons {
    fn within(&mut self, function: &syn::Ident, go_on: impl FnOnce(&mut Self)) {
        let around = std::mem::replace(&mut self.function, function.to_string());
        go_on(self);
        self.function = around;
    }
}

impl<'ast> Visit<'ast> for Comparisons {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.within(&item.sig.ident, |inner| visit::visit_item_fn(inner, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.within(&item.sig.ident, |inner| visit::visit_impl_item_fn(inner, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.within(&item.sig.ident, |inner| visit::visit_trait_item_fn(inner, item));
    }

    fn visit_expr_binary(&mut self, comparison: &'ast ExprBinary) {
        let compares = matches!(comparison.op, BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_));
        let text = comparison.to_token_stream().to_string();
        if compares
            && text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == "threshold")
        {
            let line = syn::spanned::Spanned::span(&comparison.op).start().line;
            self.found.push((self.function.clone(), line, text));
        }
        visit::visit_expr_binary(self, comparison);
    }

    /// Arguments of macros such as `vec!` and `assert!` are expressions between commas; other macros have none.
    fn visit_macro(&mut self, item: &'ast Macro) {
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(item.tokens.clone());
        arguments.iter().flatten().for_each(|argument| self.visit_expr(argument));
    }
}
