//! Every path that a module writes down, wherever it stands: `use` lines, types, expressions, macros and attributes.

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ItemUse, Macro, Meta, Path, UseTree, VisRestricted};

/// Paths with the lines that they begin in.
#[derive(Default)]
pub(crate) struct Paths(pub(crate) Vec<(Vec<String>, usize)>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if let Some(first) = path.segments.first() {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.0.push((names, first.ident.span().start().line));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.visit_path(&item.path);
        self.tokens(&item.tokens);
    }

    /// Such as `#[serde(with = "crate::real")]`.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            Meta::List(list) => self.tokens(&list.tokens),
            Meta::Path(_) | Meta::NameValue(_) => {}
        }
    }

    /// `pub(super)` names who may see, not what is used.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}

impl Paths {
    fn tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        let (name, below) = match tree {
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.tree(tree, before)),
            UseTree::Glob(glob) => return self.0.push((before.clone(), glob.star_token.spans[0].start().line)),
            UseTree::Path(path) => (&path.ident, Some(&path.tree)),
            UseTree::Name(name) => (&name.ident, None),
            UseTree::Rename(rename) => (&rename.ident, None),
        };
        before.push(name.to_string());
        match below {
            Some(below) => self.tree(below, before),
            None => {
                // `use a::{self}` is `use a`.
                let length = if name == "self" && before.len() > 1 { before.len() - 1 } else { before.len() };
                self.0.push((before[..length].to_vec(), name.span().start().line));
            }
        }
        before.pop();
    }

    /// Paths among tokens that nobody has parsed: names with `::` between them.
    fn tokens(&mut self, tokens: &TokenStream) {
        let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let ident = |at: usize| {
            tokens.get(at).and_then(|token| if let TokenTree::Ident(name) = token { Some(name) } else { None })
        };
        let colons =
            |at: usize| is_punct(tokens.get(at), ':', Some(Spacing::Joint)) && is_punct(tokens.get(at + 1), ':', None);
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.tokens(&group.stream()),
                TokenTree::Literal(literal) => self.literal(&literal.to_string(), literal.span().start().line),
                TokenTree::Ident(name) if at == 0 || !is_punct(tokens.get(at - 1), '.', None) => {
                    let mut names = vec![name.to_string()];
                    while let Some(next) = colons(at + 1).then(|| ident(at + 3)).flatten() {
                        names.push(Ident::to_string(next));
                        at += 3;
                    }
                    self.0.push((names, name.span().start().line));
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
            at += 1;
        }
    }

    fn literal(&mut self, literal: &str, line: usize) {
        let text = literal.trim_matches('"');
        let is_path = ["crate::", "super::", "self::"].iter().any(|start| text.starts_with(start));
        if is_path && text.chars().all(|letter| letter.is_alphanumeric() || "_:".contains(letter)) {
            self.0.push((text.split("::").map(str::to_owned).collect(), line));
        }
    }
}

fn is_punct(token: Option<&TokenTree>, sign: char, spacing: Option<Spacing>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct))
        if punct.as_char() == sign && spacing.is_none_or(|spacing| punct.spacing() == spacing))
}
