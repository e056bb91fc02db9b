//! One JSON document that holds a whole table: an object of columns, or of a list of rows, as pandas and APIs write.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::json_row::{JsonCell, JsonRow};
use super::schema::listed;

/// A JSON value whose objects keep their order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Cell(JsonCell),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

/// The rows of a document.
pub(super) struct Document {
    pub(super) rows: Vec<JsonRow>,
    /// How they were found.
    pub(super) note: String,
}

impl Json {
    /// The rows, if the document is a table; `None` for a single object that is a row itself.
    ///
    /// # Errors
    /// A description of rows that do not have as many values as there are columns.
    pub(super) fn rows(self) -> Result<Option<Document>, String> {
        match self {
            Json::Map(entries) => Json::rows_of_map(entries),
            Json::List(rows) if !rows.is_empty() && rows.iter().all(|row| matches!(row, Json::List(_))) => {
                let width = rows.iter().map(|row| row.len()).max().unwrap_or(0);
                let names = (0..width).map(|i| format!("column_{i}")).collect();
                Json::rows_of_lists(names, rows, "each row is an array".to_owned()).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn rows_of_map(mut entries: Vec<(String, Json)>) -> Result<Option<Document>, String> {
        let is_list_of = |json: &Json, is: fn(&Json) -> bool| match json {
            Json::List(items) => !items.is_empty() && items.iter().all(is),
            _ => false,
        };
        let is_map = |json: &Json| matches!(json, Json::Map(_));
        let is_list = |json: &Json| matches!(json, Json::List(_));
        let is_cell = |json: &Json| matches!(json, Json::Cell(_));
        let place = |name: &str, is: fn(&Json) -> bool| {
            entries.iter().position(|(key, json)| key == name && is_list_of(json, is))
        };
        let objects: Vec<usize> = (0..entries.len()).filter(|i| is_list_of(&entries[*i].1, is_map)).collect();
        if let (Some(columns), Some(data)) = (place("columns", is_cell), place("data", is_list)) {
            let names = entries[columns].1.items().iter().map(Json::text).collect();
            let Json::List(rows) = entries.swap_remove(data).1 else { return Ok(None) };
            return Json::rows_of_lists(names, rows, "names are in `columns` and rows in `data`".to_owned()).map(Some);
        }
        if let [only] = objects[..] {
            let (name, rows) = entries.remove(only);
            let others: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
            let mut note = format!("rows are the objects in `{name}`");
            if !others.is_empty() {
                note = format!("{note}; left out: {}", listed(&others));
            }
            let Json::List(rows) = rows else { return Ok(None) };
            return Ok(Some(Document { rows: rows.into_iter().map(Json::flat).collect(), note }));
        }
        let Some(length) = entries.first().map(|(_, json)| json.len()) else { return Ok(None) };
        let is_column = |json: &Json| is_list_of(json, is_cell) && json.len() == length;
        if entries.iter().all(|(_, json)| is_column(json)) {
            let row = |i: usize| entries.iter().map(|(name, json)| (name.clone(), json.items()[i].cell())).collect();
            let rows = (0..length).map(row).collect();
            return Ok(Some(Document { rows, note: "each key is a column".to_owned() }));
        }
        Ok(Json::rows_of_maps(entries))
    }

    /// Columns of rows, or rows of columns, by their keys.
    fn rows_of_maps(entries: Vec<(String, Json)>) -> Option<Document> {
        let keys = |json: &Json| match json {
            Json::Map(cells) if cells.iter().all(|(_, cell)| matches!(cell, Json::Cell(_))) => {
                Some(cells.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>())
            }
            _ => None,
        };
        let first = keys(&entries.first()?.1).filter(|keys| keys.len() > 1)?;
        if !entries.iter().all(|(_, json)| keys(json).as_ref() == Some(&first)) {
            return None;
        }
        let is_number = |name: &String| name.parse::<u64>().is_ok();
        if entries.iter().all(|(name, _)| is_number(name)) && !first.iter().all(is_number) {
            let rows = entries.into_iter().map(|(_, row)| row.flat()).collect();
            return Some(Document { rows, note: "each key is a row".to_owned() });
        }
        let cell = |json: &Json, i: usize| match json {
            Json::Map(cells) => cells[i].1.cell(),
            _ => JsonCell::Null,
        };
        let row = |i: usize| entries.iter().map(|(name, json)| (name.clone(), cell(json, i))).collect();
        Some(Document { rows: (0..first.len()).map(row).collect(), note: "each key is a column".to_owned() })
    }

    /// Rows of arrays; the first of them names the columns if it is the only one that is all text.
    fn rows_of_lists(mut names: Vec<String>, mut rows: Vec<Json>, mut note: String) -> Result<Document, String> {
        if let Some((i, row)) = rows.iter().enumerate().find(|(_, row)| row.len() != names.len()) {
            return Err(format!("row {i}: expected {} values, one for each column, got {}", names.len(), row.len()));
        }
        let is_word = |json: &Json| matches!(json, Json::Cell(JsonCell::Word(_)));
        let is_header = |row: &Json| !row.items().is_empty() && row.items().iter().all(is_word);
        let is_numbered = names.iter().enumerate().all(|(i, name)| *name == format!("column_{i}"));
        if is_numbered && rows.len() > 1 && is_header(&rows[0]) && !rows[1..].iter().any(is_header) {
            for (name, json) in names.iter_mut().zip(rows.remove(0).items()) {
                *name = json.text();
            }
            note += ", the first of which names the columns";
        }
        let row = |row: Json| names.iter().cloned().zip(row.items().iter().map(Json::cell)).collect();
        Ok(Document { rows: rows.into_iter().map(row).collect(), note })
    }

    fn items(&self) -> &[Json] {
        match self {
            Json::List(items) => items,
            _ => &[],
        }
    }

    fn len(&self) -> usize {
        self.items().len()
    }

    fn cell(&self) -> JsonCell {
        match self {
            Json::Cell(cell) => cell.clone(),
            _ => JsonCell::List,
        }
    }

    fn text(&self) -> String {
        match self {
            Json::Cell(JsonCell::Word(word)) => word.clone(),
            Json::Cell(JsonCell::Number(x)) => x.to_string(),
            Json::Cell(cell) => cell.describe(),
            _ => String::new(),
        }
    }

    /// An object as a row, its nested objects flattened.
    fn flat(self) -> JsonRow {
        let mut row = JsonRow::new();
        self.flatten(None, &mut row);
        row
    }

    fn flatten(self, name: Option<String>, row: &mut JsonRow) {
        match (self, name) {
            (Json::Map(entries), name) => {
                for (key, json) in entries {
                    let name = name.as_ref().map_or_else(|| key.clone(), |name| format!("{name}.{key}"));
                    json.flatten(Some(name), row);
                }
            }
            (json, Some(name)) => row.push((name, json.cell())),
            (_, None) => {}
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Cell(JsonCell::Null))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Cell(JsonCell::Flag(flag)))
    }

    fn visit_i64<E>(self, x: i64) -> Result<Json, E> {
        Ok(Json::Cell(JsonCell::whole(x.into())))
    }

    fn visit_u64<E>(self, x: u64) -> Result<Json, E> {
        Ok(Json::Cell(JsonCell::whole(x.into())))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Json, E> {
        Ok(Json::Cell(JsonCell::Number(x)))
    }

    fn visit_str<E>(self, word: &str) -> Result<Json, E> {
        Ok(Json::Cell(JsonCell::Word(word.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let json: Json = serde_json::from_str(text).unwrap();
        let shown = json.rows().unwrap().map(|document| {
            let row = |row: &JsonRow| {
                row.iter().map(|(key, cell)| format!("{key}={}", cell.describe())).collect::<Vec<_>>().join(",")
            };
            document
                .rows
                .iter()
                .map(row)
                .collect::<Vec<_>>()
                .join(" ")
                .replace("the number ", "")
                .replace("the text ", "")
        });
        assert_eq!(shown.as_deref().unwrap_or("one row"), expected, "{text}");
    }

    #[test]
    fn the_forms_that_pandas_writes_are_tables() {
        check(r#"{"a":{"0":1,"1":2,"10":3},"b":{"0":"x","1":"y","10":"z"}}"#, "a=1,b=`x` a=2,b=`y` a=3,b=`z`");
        check(r#"{"0":{"a":1,"b":2},"1":{"a":3,"b":4}}"#, "a=1,b=2 a=3,b=4");
        check(r#"{"columns":["a","b"],"index":[0,1],"data":[[1,2],[3,4]]}"#, "a=1,b=2 a=3,b=4");
        check(r#"{"schema":{"fields":[]},"data":[{"a":1},{"a":2}]}"#, "a=1 a=2");
        check(r#"{"a":[1,2],"b":[3,4]}"#, "a=1,b=3 a=2,b=4");
        check(r#"[[1,"x"],[2,"y"]]"#, "column_0=1,column_1=`x` column_0=2,column_1=`y`");
        check(r#"[["a","b"],[2,"y"]]"#, "a=2,b=`y`");
    }

    #[test]
    fn rows_of_other_lengths_are_refused() {
        let refused = |text: &str| serde_json::from_str::<Json>(text).unwrap().rows().err().unwrap();
        let split = refused(r#"{"columns":["a","b"],"data":[[1,2],[3]]}"#);
        assert_eq!(split, "row 1: expected 2 values, one for each column, got 1");
        assert_eq!(refused("[[1],[1,2]]"), "row 0: expected 2 values, one for each column, got 1");
        assert!(refused(r#"{"columns":["a"],"data":[[1,2]]}"#).ends_with("got 2"));
    }

    #[test]
    fn a_single_object_is_a_row() {
        check(r#"{"a":1}"#, "one row");
        check(r#"{"a":{"b":1},"c":{"d":2}}"#, "one row");
        check(r#"{"a":[1,2],"b":3}"#, "one row");
        check("{}", "one row");
    }
}
