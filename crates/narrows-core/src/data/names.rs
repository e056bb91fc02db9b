//! Column names as read from files: trimmed, never empty, never twice.

use std::collections::{HashMap, HashSet};

use super::schema::listed;
use super::table::Table;

/// The names of the columns of a file, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) names: Vec<String>,
    /// What was changed.
    pub(super) notes: Vec<String>,
}

impl Names {
    /// Blanks around names are removed, empty names become `column_5`, and repeated ones are numbered from 2.
    pub(super) fn of<S: AsRef<str>>(cells: impl IntoIterator<Item = S>) -> Names {
        let cells: Vec<S> = cells.into_iter().collect();
        let given: HashSet<&str> = cells.iter().map(|cell| cell.as_ref().trim()).collect();
        let mut taken: HashSet<String> = HashSet::with_capacity(cells.len());
        // The number to try next of each name: all before are taken.
        let mut next: HashMap<String, usize> = HashMap::new();
        let (mut names, mut trimmed, mut empty, mut numbered) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (i, cell) in cells.iter().enumerate() {
            let cell = cell.as_ref();
            let mut name = cell.trim().to_owned();
            if name.is_empty() {
                name = free(&format!("column_{i}"), &mut 1, |name| given.contains(name) || taken.contains(name));
                empty.push(name.clone());
            } else if taken.contains(&name) {
                let from = next.entry(name.clone()).or_insert(2);
                name = free(&name, from, |name| given.contains(name) || taken.contains(name));
                numbered.push(name.clone());
            } else if name.len() < cell.len() {
                trimmed.push(cell.to_owned());
            }
            taken.insert(name.clone());
            names.push(name);
        }
        let mut notes = Vec::new();
        // An index written without a name has an empty header cell.
        if empty.iter().any(|name| name != "column_0") {
            notes.push(format!("columns without a name are called {}", listed(&empty)));
        }
        if !numbered.is_empty() {
            notes.push(format!("names that occur more than once are numbered: {}", listed(&numbered)));
        }
        if !trimmed.is_empty() {
            notes.push(format!("blanks around names are left out: {}", listed(&trimmed)));
        }
        Names { names, notes }
    }
}

/// `name` if it is free and `from` is 1, else the first free one of `name_2`, `name_3` and so on, from the number `from` on,
/// which is then the next.
fn free(name: &str, from: &mut usize, is_taken: impl Fn(&str) -> bool) -> String {
    if *from == 1 && !is_taken(name) {
        return name.to_owned();
    }
    *from = (*from).max(2);
    loop {
        let numbered = format!("{name}_{from}");
        *from += 1;
        if !is_taken(&numbered) {
            return numbered;
        }
    }
}

/// The table with columns renamed to `missing` ones from which they differ in blanks around the name alone; `None` unless
/// that gives all of them.
pub(super) fn matched(table: &Table, missing: &[&str]) -> Option<Table> {
    let names = table.names();
    let mut renamed: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    for name in missing {
        let mut alike = (0..names.len()).filter(|i| names[*i].trim() == name.trim());
        match (alike.next(), alike.next()) {
            (Some(i), None) => (*name).clone_into(&mut renamed[i]),
            _ => return None,
        }
    }
    Some(table.with_columns(renamed.into_iter().zip(table.batch().columns().iter().cloned()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cells: &[&str], names: &[&str], notes: &[&str]) {
        let got = Names::of(cells);
        assert_eq!(got.names, names);
        assert_eq!(got.notes, notes);
    }

    #[test]
    fn a_name_that_is_repeated_very_often_is_numbered_at_once() {
        let names = Names::of(std::iter::repeat_n("c", 300_000)).names;
        assert_eq!((names[0].as_str(), names[299_999].as_str()), ("c", "c_300000"));
    }

    #[test]
    fn names_are_trimmed_numbered_and_filled() {
        check(&["a", "b"], &["a", "b"], &[]);
        check(&["", "a"], &["column_0", "a"], &[]);
        check(
            &["a", "", ""],
            &["a", "column_1", "column_2"],
            &["columns without a name are called `column_1`, `column_2`"],
        );
        check(
            &["x", " x", "x_2", "x"],
            &["x", "x_3", "x_2", "x_4"],
            &["names that occur more than once are numbered: `x_3`, `x_4`"],
        );
        check(
            &[" Flow Duration", "b"],
            &["Flow Duration", "b"],
            &["blanks around names are left out: ` Flow Duration`"],
        );
        check(&["", "column_0"], &["column_0_2", "column_0"], &["columns without a name are called `column_0_2`"]);
    }

    #[test]
    fn columns_match_names_but_for_blanks() {
        let table = Table::from_columns(vec![(" x", vec![1.0]), ("y", vec![2.0])]).unwrap();
        assert_eq!(matched(&table, &["x"]).unwrap().names(), ["x", "y"]);
        assert_eq!(matched(&table, &["y "]).unwrap().names(), [" x", "y "]);
        assert!(matched(&table, &["x", "z"]).is_none());
    }
}
