//! Which modules name which.

use std::collections::BTreeSet;
use std::path::PathBuf;

use quote::ToTokens;

use crate::names::End;
use crate::paths::paths;
use crate::source::{Crate, shown};

/// A module names another, or something of another crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The module that names.
    pub from: usize,
    /// Where.
    pub file: PathBuf,
    /// Where in the file.
    pub line: usize,
    /// What is named: a module, or the path of another crate. The root is named only where it defines something itself.
    pub to: End,
}

impl Edge {
    /// File and line, for people.
    pub fn place(&self) -> String {
        format!("{}:{}", shown(&self.file), self.line)
    }
}

impl Crate {
    /// The edges of all modules but the root, which is the door and may name all.
    pub fn edges(&self) -> Vec<Edge> {
        let mut found = BTreeSet::new();
        for (from, module) in self.modules.iter().enumerate() {
            for (path, line) in module.items.iter().flat_map(|item| paths(item.to_token_stream())) {
                let resolved = self.resolve(from, &path);
                // A lone name may be a local variable that is called like a module.
                if path.len() == 1 && resolved.ends.iter().all(|end| matches!(end, End::Module(_))) {
                    continue;
                }
                let mut add = |to| found.insert(Edge { from, file: module.file.clone(), line, to });
                for end in &resolved.ends {
                    match end {
                        End::Outside(_) => add(end.clone()),
                        End::Item(0, _) if from != 0 => add(End::Module(0)),
                        End::Item(..) | End::Module(_) => false,
                    };
                }
                for to in resolved.through.into_iter().filter(|to| *to != 0 && from != 0 && *to != from) {
                    add(End::Module(to));
                }
            }
        }
        found.into_iter().collect()
    }
}
