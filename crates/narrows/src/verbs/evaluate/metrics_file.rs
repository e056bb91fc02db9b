//! The metrics of an evaluation as a file: JSON, or a table of one metric a row.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use narrows_core::output::batch;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::output;

/// Writes the metrics; as JSON if the name says so, else in the table format that it says.
pub(super) fn write(path: &Path, metrics: &impl Serialize) -> Result<(), Failure> {
    let value = serde_json::to_value(metrics).expect("plain data with text keys");
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) || path.as_os_str() == "-" {
        let text = serde_json::to_string_pretty(&value).expect("a value");
        return output::write_text(path, &format!("{text}\n"));
    }
    let mut writer = output::table(path)?;
    writer.write(&table(&value))?;
    Ok(writer.finish()?)
}

/// Columns `metric`, a dotted path such as `baselines.pca.auc_roc`; `value`, null if undefined; `text` for what is no
/// number.
fn table(metrics: &Value) -> RecordBatch {
    let mut leaves = Vec::new();
    gather(metrics, "", &mut leaves);
    let names = leaves.iter().map(|(name, _)| name.as_str());
    let number = |value: &Value| value.as_f64().or_else(|| value.as_bool().map(f64::from));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("metric", Arc::new(StringArray::from_iter_values(names))),
        ("value", Arc::new(leaves.iter().map(|(_, value)| number(value)).collect::<Float64Array>())),
        ("text", Arc::new(leaves.iter().map(|(_, value)| value.as_str()).collect::<StringArray>())),
    ];
    batch(columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect())
}

fn gather<'v>(value: &'v Value, path: &str, leaves: &mut Vec<(String, &'v Value)>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| gather(value, &below(key), leaves)),
        // Intervals are pairs; ranks have the name of their k.
        Value::Array(items) if path.starts_with("intervals.") && items.len() == 2 => {
            ["low", "high"].iter().zip(items).for_each(|(key, value)| gather(value, &below(key), leaves));
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| {
            let key = item.get("k").map_or_else(|| i.to_string(), ToString::to_string);
            gather(item, &below(&key), leaves);
        }),
        leaf => leaves.push((path.to_owned(), leaf)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_number_has_a_row() {
        let folder = tempfile::tempdir().unwrap();
        let metrics = json!({
            "n": 3, "precision": null, "rule": {"rule": "max"}, "intervals": {"f1": [0.1, 0.5]},
            "precision_at": [{"k": 10, "precision": 0.25}],
        });
        write(&folder.path().join("m.csv"), &metrics).unwrap();
        let expected = "metric,value,text\nintervals.f1.low,0.1,\nintervals.f1.high,0.5,\nn,3,\nprecision,,\n\
                        precision_at.10.k,10,\nprecision_at.10.precision,0.25,\nrule.rule,,max\n";
        assert_eq!(std::fs::read_to_string(folder.path().join("m.csv")).unwrap(), expected);
        write(&folder.path().join("m.json"), &metrics).unwrap();
        let text = std::fs::read_to_string(folder.path().join("m.json")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), metrics);
        assert!(write(&folder.path().join("m.html"), &metrics).is_err());
    }
}
