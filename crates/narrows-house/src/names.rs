//! Where a path truly leads.

use std::collections::BTreeSet;

use crate::source::{Crate, Target};

/// What a path ends in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A module of the crate.
    Module(usize),
    /// An item, by the module that defines it.
    Item(usize, String),
    /// Something of another crate of ours, by its whole path.
    Outside(Vec<String>),
}

/// What a path leads to. More than one end where a module and an item share a name.
#[derive(Default)]
pub struct Resolved {
    /// Every module on the way: those that are named, those that re-export, and the one that defines.
    pub through: BTreeSet<usize>,
    /// Nothing for what is none of ours: local variables, the standard library, other people's crates.
    pub ends: BTreeSet<End>,
}

/// Re-exports that are followed one after the other; a bound, since `use a::a` may lead back to itself.
const LONGEST_CHAIN: usize = 12;

impl Crate {
    /// Where a path leads that stands in a module.
    pub fn resolve(&self, from: usize, path: &[String]) -> Resolved {
        let mut found = Resolved::default();
        self.follow(from, path, 0, &mut found);
        found
    }

    fn follow(&self, from: usize, path: &[String], depth: usize, found: &mut Resolved) {
        if depth > LONGEST_CHAIN {
            return;
        }
        let (mut at, mut rest) = (from, path);
        let mut is_anchored = false;
        while let Some((first, after)) = rest.split_first() {
            at = match first.as_str() {
                "crate" => 0,
                "self" => at,
                "super" => self.modules[at].parent,
                _ => break,
            };
            rest = after;
            is_anchored = true;
        }
        let is_known = self.step(at, rest, is_anchored, depth, found);
        let is_ours = |name: &String| name.split('_').next() == Some("narrows");
        if !is_known && path.first().is_some_and(is_ours) {
            found.ends.insert(End::Outside(path.to_vec()));
        }
    }

    /// Goes on from a module, of which the next name is certainly a part, or perhaps; false where it is unknown.
    fn step(&self, at: usize, path: &[String], is_certain: bool, depth: usize, found: &mut Resolved) -> bool {
        if depth > LONGEST_CHAIN {
            return false;
        }
        let Some((name, rest)) = path.split_first() else {
            found.through.insert(at);
            found.ends.insert(End::Module(at));
            return true;
        };
        let module = &self.modules[at];
        for target in module.names.get(name).into_iter().flatten() {
            found.through.insert(at);
            match target {
                Target::Module { at: child, .. } => {
                    self.step(*child, rest, true, depth + 1, found);
                }
                Target::Item { .. } => {
                    found.ends.insert(End::Item(at, name.clone()));
                }
                Target::Use { path, .. } => self.follow(at, &[path, rest].concat(), depth + 1, found),
            }
        }
        if module.names.contains_key(name) || self.by_glob(at, path, depth, found) {
            return true;
        }
        if is_certain {
            // A macro has made it there.
            found.through.insert(at);
            found.ends.insert(End::Item(at, name.clone()));
        }
        is_certain
    }

    fn by_glob(&self, at: usize, path: &[String], depth: usize, found: &mut Resolved) -> bool {
        self.modules[at].globs.iter().any(|(glob, _)| {
            let mut sources = Resolved::default();
            self.follow(at, glob, depth + 1, &mut sources);
            sources.ends.iter().any(|source| match source {
                End::Module(source) if *source != at => self.step(*source, path, false, depth + 1, found),
                _ => false,
            })
        })
    }
}
