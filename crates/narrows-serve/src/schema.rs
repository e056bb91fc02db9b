//! JSON Schema (2020-12) for a row of a model: what a form is made from.
//!
//! What training rows had stands there as descriptions and examples, not as limits: other values are scored, too, which
//! is what a model of anomalies is for.

use narrows_core::data::{Column, ColumnKind};
use narrows_core::distribution::{ColumnDistribution, ColumnValues};
use serde_json::{Map, Value, json};

use crate::refusal::Refusal;
use crate::served::ServedModel;

/// The schema of a row, or of an image as an instance.
pub(crate) fn of_row(model: &ServedModel) -> Result<Value, Refusal> {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("/v2/models/{}/schema", model.name),
        "title": format!("a row of the model {}, version {}", model.name, model.version),
        "type": "object",
    });
    if model.images().is_ok() {
        let image = json!({"type": "string", "contentEncoding": "base64", "description": "an image, PNG or JPEG"});
        schema["properties"] = json!({"b64": image});
        schema["required"] = json!(["b64"]);
        return Ok(schema);
    }
    let tabular = model.tabular().map_err(|_| model.is_not("a model of tables, series or images that scores"))?;
    let known = |name: &str| tabular.distribution()?.columns.iter().find(|column| column.column == name);
    let properties: Map<String, Value> =
        model.columns().iter().map(|column| (column.name.clone(), of_cell(column, known(&column.name)))).collect();
    schema["properties"] = Value::Object(properties);
    schema["required"] = json!(tabular.schema().names());
    Ok(schema)
}

/// The schema of a cell.
fn of_cell(column: &Column, known: Option<&ColumnDistribution>) -> Value {
    let values = known.map(|known| &known.values);
    match (column.kind, values) {
        (ColumnKind::Numeric, Some(ColumnValues::Numbers(grid))) => {
            let mut cell = json!({"type": ["number", "null"]});
            if let (Some(least), Some(most), Some(quartiles)) =
                (grid.values.first(), grid.values.last(), grid.quartiles())
            {
                cell["description"] =
                    json!(format!("from {least} to {most} in training rows, half of them up to {}", quartiles[1]));
                cell["examples"] = json!(quartiles);
            }
            cell
        }
        (ColumnKind::Numeric, _) => json!({"type": ["number", "null"]}),
        (ColumnKind::Boolean, _) => json!({"type": ["boolean", "null"]}),
        (ColumnKind::Category, Some(ColumnValues::Levels(levels))) if !levels.counts.is_empty() => {
            let names: Vec<&String> = levels.counts.keys().collect();
            let usual = levels.counts.iter().max_by_key(|(_, count)| **count).map(|(name, _)| name);
            let others = if levels.others > 0 { ", and rarer ones" } else { "" };
            json!({
                "anyOf": [{"enum": names}, {"type": ["string", "null"]}],
                "description": format!("{} categories in training rows{others}; others are scored as unseen", names.len()),
                "examples": usual.into_iter().collect::<Vec<_>>(),
            })
        }
        (ColumnKind::Datetime, _) => json!({
            "type": ["string", "number", "null"],
            "description": "a date with or without time, as in the training rows; ISO 8601 is read always",
        }),
        (ColumnKind::Category | ColumnKind::Text, _) => json!({"type": ["string", "number", "null"]}),
    }
}

#[cfg(test)]
mod tests {
    use narrows_core::distribution::LevelTally;

    use super::*;

    fn cell(kind: ColumnKind, values: Option<ColumnValues>) -> Value {
        let known = values.map(|values| ColumnDistribution { column: "x".to_owned(), rows: 3, missing: 0, values });
        of_cell(&Column::new("x", kind), known.as_ref())
    }

    #[test]
    fn what_training_rows_had_is_no_limit() {
        let counts = [("red", 1), ("blue", 2)].map(|(name, n)| (name.to_owned(), n)).into();
        let levels = ColumnValues::Levels(LevelTally { counts, others: 0 });
        let found = cell(ColumnKind::Category, Some(levels));
        assert_eq!(found["anyOf"], json!([{"enum": ["blue", "red"]}, {"type": ["string", "null"]}]));
        assert_eq!(found["examples"], json!(["blue"]));
        assert_eq!(cell(ColumnKind::Numeric, None), json!({"type": ["number", "null"]}));
        assert_eq!(cell(ColumnKind::Boolean, None), json!({"type": ["boolean", "null"]}));
        assert!(cell(ColumnKind::Datetime, Some(ColumnValues::Dates))["description"].is_string());
    }
}
