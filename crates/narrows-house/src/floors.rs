//! Arrows only go down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;

use crate::names::End;
use crate::source::{Crate, shown};

/// Between two rows: the floors of both, and the lines by file.
type Edges = (u32, u32, BTreeMap<PathBuf, BTreeSet<usize>>);

/// What `tables/floors.toml` says of a crate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Crates of ours that it uses: a whole crate, or a module of one, as in `narrows-engine::rng`.
    pub uses: Vec<String>,
    /// Other people's crates that it must not come to use.
    #[serde(default)]
    pub refuses: Vec<String>,
    /// Modules by floor. A module without a row of its own is on the floor of the one around it.
    pub floors: BTreeMap<String, Vec<String>>,
    /// Edges within a floor that are meant, with the reason.
    #[serde(default)]
    pub sideways: BTreeMap<String, String>,
    /// Edges that are not meant and still there, with the reason.
    #[serde(default)]
    pub exceptions: BTreeMap<String, String>,
}

impl Rules {
    /// What is against the rules in a crate, a line each.
    pub fn check(&self, krate: &Crate) -> Vec<String> {
        let mut wrong = Vec::new();
        let floors = self.numbered(&krate.name, &mut wrong);
        let row = |at: usize| {
            let path = &krate.modules[at].path;
            (1..=path.len()).rev().map(|length| path[..length].join("::")).find(|name| floors.contains_key(name))
        };
        let names: BTreeSet<String> = krate.modules.iter().map(|module| module.path.join("::")).collect();
        let missing = floors.keys().filter(|name| !names.contains(*name));
        wrong.extend(missing.map(|name| format!("{}: `{name}` has a floor and is no module", krate.name)));
        let homeless = (1..krate.modules.len()).filter(|at| krate.modules[*at].path.len() == 1 && row(*at).is_none());
        let homeless = homeless.map(|at| &krate.modules[at]);
        wrong.extend(homeless.map(|module| format!("{}: `{}` has no floor", shown(&module.file), module.name())));

        let mut edges: BTreeMap<String, Edges> = BTreeMap::new();
        for edge in krate.edges() {
            match &edge.to {
                End::Outside(path) => wrong.extend(self.outside(path, &edge.place())),
                End::Module(0) => wrong.push(format!("{}: uses what lib.rs defines: give it a module", edge.place())),
                End::Module(to) => {
                    if let (Some(from), Some(to)) = (row(edge.from), row(*to))
                        && from != to
                    {
                        let known = edges.entry(format!("{from} -> {to}"));
                        let (.., places) = known.or_insert_with(|| (floors[&from], floors[&to], BTreeMap::new()));
                        places.entry(edge.file).or_default().insert(edge.line);
                    }
                }
                End::Item(..) => {}
            }
        }
        for (edge, (from, to, places)) in &edges {
            let is_fine =
                from > to || (from == to && self.sideways.contains_key(edge)) || self.exceptions.contains_key(edge);
            let line = |(file, lines): (&PathBuf, &BTreeSet<usize>)| {
                let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
                format!("{}:{}: {edge} goes from floor {from} to floor {to}", shown(file), lines.join(","))
            };
            wrong.extend(places.iter().filter(|_| !is_fine).map(line));
        }
        for edge in self.sideways.keys() {
            match edges.get(edge) {
                Some((from, to, _)) if from == to => {}
                Some((from, to, _)) => wrong.push(format!("sideways: {edge} goes from floor {from} to floor {to}")),
                None => wrong.push(format!("sideways: {edge} is no more: remove its row")),
            }
        }
        let is_needed = |edge| edges.get(edge).is_some_and(|(from, to, _)| from <= to);
        let gone = self.exceptions.keys().filter(|edge| !is_needed(*edge));
        wrong.extend(gone.map(|edge| format!("exceptions: {edge} is no more, or goes down: remove its row")));
        wrong.extend(self.dependencies(krate));
        wrong
    }

    fn numbered(&self, krate: &str, wrong: &mut Vec<String>) -> BTreeMap<String, u32> {
        let mut floors = BTreeMap::new();
        for (floor, modules) in &self.floors {
            let floor: u32 =
                floor.parse().unwrap_or_else(|_| panic!("{krate}: `{floor}` is not the number of a floor"));
            for module in modules {
                if let Some(before) = floors.insert(module.clone(), floor) {
                    wrong.push(format!("{krate}: `{module}` is on floor {before} and on floor {floor}"));
                }
            }
        }
        floors
    }

    /// A path into another crate of ours that no row allows.
    fn outside(&self, path: &[String], place: &str) -> Option<String> {
        let mut used = path.to_vec();
        used[0] = used[0].replace('_', "-");
        let used = used.join("::");
        let is_allowed = self.uses.iter().any(|rule| used == *rule || used.starts_with(&format!("{rule}::")));
        (!is_allowed).then(|| format!("{place}: uses {used}"))
    }

    fn dependencies(&self, krate: &Crate) -> Vec<String> {
        let listed = krate.manifest.get("dependencies").and_then(|table| table.as_table());
        let listed: BTreeSet<&str> = listed.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let ours: BTreeSet<&str> = self.uses.iter().map(|rule| rule.split("::").next().unwrap_or(rule)).collect();
        let name = &krate.name;
        let unexpected = listed.iter().filter(|crate_| crate_.starts_with("narrows") && !ours.contains(*crate_));
        let unused = ours.iter().filter(|crate_| !listed.contains(*crate_));
        let refused = listed.iter().filter(|crate_| self.refuses.iter().any(|refused| refused == *crate_));
        (unexpected.map(|other| format!("{name}: depends on {other}, which its rules do not name")))
            .chain(unused.map(|other| format!("{name}: its rules name {other}, on which it does not depend")))
            .chain(refused.map(|other| format!("{name}: depends on {other}, which it refuses")))
            .collect()
    }
}
