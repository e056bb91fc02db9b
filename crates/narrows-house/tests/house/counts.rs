//! Numbers to follow a redesign by: `cargo test -p narrows-house -- --ignored --nocapture counts`.

use std::collections::BTreeMap;

use narrows_house::{Crate, Found, crates, shown};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{FnArg, Signature};

use crate::surface::Surface;
use crate::{files, flags, floors, thresholds, type_names};

#[test]
#[ignore = "prints and checks nothing"]
#[expect(clippy::print_stdout, reason = "it is what the test is for")]
fn counts() {
    let crates = crates();
    println!("\n| crate | modules | items | foreign | methods | fields | variants | `&Threads` |");
    println!("|---|---|---|---|---|---|---|---|");
    for krate in crates.iter().filter(|krate| !krate.is_binary()) {
        let Surface { items, foreign, modules, methods, fields, variants } = Surface::of(krate);
        let (modules, items, foreign) = (modules.len() - 1, items.len(), foreign.len());
        let threads = threads(krate);
        println!(
            "| {} | {modules} | {items} | {foreign} | {methods} | {fields} | {variants} | {threads} |",
            krate.name
        );
    }
    println!("\n| folder | files | lines without blank lines and tests |\n|---|---|---|");
    for (folder, (files, lines)) in folders() {
        println!("| {folder} | {files} | {lines} |");
    }
    println!("\n| crate | floors: sideways | floors: exceptions |\n|---|---|---|");
    for (name, sideways, exceptions) in floors::exceptions() {
        println!("| {name} | {sideways} | {exceptions} |");
    }
    let (names, definitions) = sum(&type_names::found(&crates));
    println!("\ntype names that stand more than once: {names}, with {definitions} definitions");
    let (files, strings) = sum(&flags::found(&crates));
    println!("strings with a flag in the libraries: {strings} in {files} files");
    let (functions, comparisons) = sum(&thresholds::found(&crates));
    println!("comparisons with a threshold: {comparisons} in {functions} functions");
}

fn sum(found: &Found) -> (usize, usize) {
    (found.len(), found.values().map(Vec::len).sum())
}

/// Files and lines by crate and its top folders.
fn folders() -> BTreeMap<String, (usize, usize)> {
    let mut folders = BTreeMap::new();
    for file in files::sources() {
        let lines = files::lines(&file);
        let shown = shown(&file);
        let parts: Vec<&str> = shown.split('/').collect();
        // crates/<crate>/src/<folder>/..
        for length in [3, 4].into_iter().filter(|length| *length < parts.len()) {
            let sum: &mut (usize, usize) = folders.entry(parts[1..length].join("/")).or_default();
            *sum = (sum.0 + 1, sum.1 + lines);
        }
    }
    folders
}

/// Parameters `&Threads` in all signatures of a crate.
fn threads(krate: &Crate) -> usize {
    let mut threads = Threads(0);
    krate.modules.iter().flat_map(|module| &module.items).for_each(|item| threads.visit_item(item));
    threads.0
}

struct Threads(usize);

impl<'ast> Visit<'ast> for Threads {
    fn visit_signature(&mut self, signature: &'ast Signature) {
        let is_threads = |argument: &&FnArg| match argument {
            FnArg::Typed(argument) => {
                let kind = argument.ty.to_token_stream().to_string();
                kind.starts_with('&') && kind.ends_with("Threads")
            }
            FnArg::Receiver(_) => false,
        };
        self.0 += signature.inputs.iter().filter(is_threads).count();
        visit::visit_signature(self, signature);
    }
}
