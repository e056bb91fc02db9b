//! Every path that a module writes down, wherever it stands: `use` lines, types, expressions, macros and attributes.

use proc_macro2::{TokenStream, TokenTree};
use syn::{ItemUse, UseTree};

use crate::tokens::each_level;

/// A name that a `use` line brings: what it is called here, none for a glob; its path; its line.
pub(crate) struct Brought {
    pub(crate) name: Option<String>,
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// What a `use` line brings.
pub(crate) fn brought(tree: &UseTree, before: &[String], found: &mut Vec<Brought>) {
    let with = |name: &syn::Ident| {
        // `use a::{self}` is `use a`.
        let is_itself = name == "self" && !before.is_empty();
        before.iter().cloned().chain((!is_itself).then(|| name.to_string())).collect::<Vec<_>>()
    };
    match tree {
        UseTree::Group(group) => group.items.iter().for_each(|tree| brought(tree, before, found)),
        UseTree::Path(path) => brought(&path.tree, &with(&path.ident), found),
        UseTree::Glob(glob) => {
            let line = glob.star_token.spans[0].start().line;
            found.push(Brought { name: None, path: before.to_vec(), line });
        }
        UseTree::Name(name) => {
            let path = with(&name.ident);
            found.push(Brought { name: path.last().cloned(), path, line: name.ident.span().start().line });
        }
        UseTree::Rename(rename) => {
            let line = rename.ident.span().start().line;
            found.push(Brought { name: Some(rename.rename.to_string()), path: with(&rename.ident), line });
        }
    }
}

/// All paths among tokens, each with its line.
pub(crate) fn paths(tokens: TokenStream) -> Vec<(Vec<String>, usize)> {
    let mut found = Vec::new();
    each_level(tokens, &mut |level| {
        let is_sign =
            |at: usize, sign| matches!(level.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == sign);
        let mut at = 0;
        while at < level.len() {
            match &level[at] {
                TokenTree::Ident(name) if name == "use" => {
                    let end = (at..level.len()).find(|at| is_sign(*at, ';')).unwrap_or(level.len() - 1);
                    // What does not parse is the bound of a type, as in `impl Iterator + use<'a>`.
                    if let Ok(item) = syn::parse2::<ItemUse>(level[at..=end].iter().cloned().collect()) {
                        let mut names = Vec::new();
                        brought(&item.tree, &[], &mut names);
                        found.extend(names.into_iter().map(|name| (name.path, name.line)));
                        at = end;
                    }
                }
                // Not `.name`, which is a field or a method, and not the end of `a::<b>::name`.
                TokenTree::Ident(name)
                    if at == 0
                        || !(is_sign(at - 1, '.') || (at > 1 && is_sign(at - 1, ':') && is_sign(at - 2, ':'))) =>
                {
                    let mut path = vec![name.to_string()];
                    while is_sign(at + 1, ':')
                        && is_sign(at + 2, ':')
                        && let Some(TokenTree::Ident(next)) = level.get(at + 3)
                    {
                        path.push(next.to_string());
                        at += 3;
                    }
                    found.push((path, name.span().start().line));
                }
                // Such as `#[serde(with = "crate::real")]`.
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let path: Vec<String> = text.trim_matches('"').split("::").map(str::to_owned).collect();
                    let is_name = |name: &String| name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
                    if ["crate", "super", "self"].contains(&path[0].as_str()) && path.iter().all(is_name) {
                        found.push((path, literal.span().start().line));
                    }
                }
                _ => {}
            }
            at += 1;
        }
    });
    found
}
