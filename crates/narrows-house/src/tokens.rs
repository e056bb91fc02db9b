//! Tokens, where a rule wants all that is written, in macros and attributes too.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Calls for each run of tokens between delimiters, the outermost first; doc comments, which are attributes, are left out.
pub fn each_level(tokens: TokenStream, look: &mut impl FnMut(&[TokenTree])) {
    let level: Vec<TokenTree> = tokens.into_iter().collect();
    look(&level);
    for token in level {
        if let TokenTree::Group(group) = token
            && !(group.delimiter() == Delimiter::Bracket && starts_with(group.stream(), "doc"))
        {
            each_level(group.stream(), look);
        }
    }
}

/// Source text without what only tests see: `cfg(test)`, `cfg(all(test, unix))` or `cfg(doctest)`, and what follows it up
/// to a semicolon or a block.
pub(crate) fn without_tests(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) if is_of_tests(&group) => {
                // The `#` before it, and other attributes of the same item.
                kept.pop();
                while let [.., TokenTree::Punct(sign), TokenTree::Group(_)] = &kept[..]
                    && sign.as_char() == '#'
                {
                    kept.truncate(kept.len() - 2);
                }
                for token in tokens.by_ref() {
                    match token {
                        TokenTree::Punct(end) if end.as_char() == ';' => break,
                        TokenTree::Group(block) if block.delimiter() == Delimiter::Brace => break,
                        _ => {}
                    }
                }
                // Of `use a::{b, c};`.
                tokens.next_if(|token| matches!(token, TokenTree::Punct(end) if end.as_char() == ';'));
            }
            TokenTree::Group(group) => {
                let mut inner = proc_macro2::Group::new(group.delimiter(), without_tests(group.stream()));
                inner.set_span(group.span());
                kept.push(inner.into());
            }
            token => kept.push(token),
        }
    }
    kept.into_iter().collect()
}

fn is_of_tests(group: &proc_macro2::Group) -> bool {
    let text = group.stream().to_string();
    let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    group.delimiter() == Delimiter::Bracket
        && starts_with(group.stream(), "cfg")
        && words.clone().all(|word| word != "not" && word != "any")
        && words.any(|word| word == "test" || word == "doctest")
}

fn starts_with(tokens: TokenStream, word: &str) -> bool {
    matches!(tokens.into_iter().next(), Some(TokenTree::Ident(name)) if name == word)
}
