//! What decides a training: recipe, roles of columns, data. A checkpoint belongs to one subject, and a training of another
//! one does not go on from it.

use arrow::array::ArrayData;
use narrows_images::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::data::Table;
use crate::fitted::Dataset;
use crate::recipe::Recipe;

/// Differences that a message lists.
const LISTED: usize = 3;
/// Characters of a value in a message.
const SHOWN: usize = 60;

/// Identifies a training. Plain data, so that a difference can be named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrainingSubject(Value);

impl TrainingSubject {
    /// The training of this recipe on this data.
    pub fn new(recipe: &Recipe, dataset: &Dataset) -> TrainingSubject {
        let plain = |value: serde_json::Result<Value>| value.expect("plain data");
        let (roles, data) = match dataset {
            Dataset::Table(table, roles) => (plain(serde_json::to_value(roles)), of_table(table)),
            Dataset::Images(images, roles) => (
                plain(serde_json::to_value(roles)),
                json!({"images": images.len(), "cells": images_fingerprint(images)}),
            ),
        };
        let version = env!("CARGO_PKG_VERSION");
        let recipe = plain(serde_json::to_value(recipe));
        TrainingSubject(json!({"version": version, "roles": roles, "recipe": recipe, "data": data}))
    }

    /// How a checkpoint's subject differs from this one; `None` if it does not.
    pub(super) fn difference(&self, found: &TrainingSubject) -> Option<String> {
        let mut differences = Vec::new();
        compare("", &found.0, &self.0, &mut differences);
        let more = differences.len().saturating_sub(LISTED);
        differences.truncate(LISTED);
        if more > 0 {
            differences.push(format!("and {more} more"));
        }
        (!differences.is_empty()).then(|| differences.join("; "))
    }
}

fn of_table(table: &Table) -> Value {
    let fields = table.batch().schema_ref().fields();
    let columns: Vec<String> = fields.iter().map(|field| format!("{}: {}", field.name(), field.data_type())).collect();
    json!({"rows": table.n_rows(), "columns": columns, "cells": fingerprint(table)})
}

/// Collects the places in which two values differ.
fn compare(place: &str, was: &Value, is: &Value, differences: &mut Vec<String>) {
    if let (Value::Object(was), Value::Object(is)) = (was, is) {
        let added = is.keys().filter(|key| !was.contains_key(*key));
        for key in was.keys().chain(added) {
            let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            compare(&place, was.get(key).unwrap_or(&Value::Null), is.get(key).unwrap_or(&Value::Null), differences);
        }
    } else if was != is {
        differences.push(match place {
            "data.cells" => "the data have other values".to_owned(),
            place => {
                let place =
                    place.trim_start_matches("roles.").trim_start_matches("recipe.").trim_start_matches("data.");
                format!("`{place}` was {}, and is {}", shown(was), shown(is))
            }
        });
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        value => value.to_string(),
    };
    if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

/// A checksum over all cells of a table.
pub fn fingerprint(table: &Table) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for (name, column) in table.names().iter().zip(table.batch().columns()) {
        sum.update(name.as_bytes());
        add(&column.to_data(), &mut sum);
    }
    sum.finalize()
}

fn add(data: &ArrayData, sum: &mut crc32fast::Hasher) {
    sum.update(&(data.offset() as u64).to_le_bytes());
    data.buffers().iter().for_each(|buffer| sum.update(buffer.as_slice()));
    if let Some(nulls) = data.nulls() {
        sum.update(nulls.buffer().as_slice());
    }
    // The values of a dictionary or a list.
    data.child_data().iter().for_each(|child| add(child, sum));
}

/// A checksum over the names, sizes and pixels of images.
pub fn images_fingerprint(images: &Store) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    let mut bytes = Vec::new();
    for i in 0..images.len() {
        let (height, width, channels) = images.size(i);
        sum.update(images.name(i).as_bytes());
        [height, width, channels.count()].iter().for_each(|side| sum.update(&(*side as u64).to_le_bytes()));
        if let Ok(image) = images.crop(i, 0, 0, height, width) {
            bytes.clear();
            bytes.extend(image.pixels.iter().flat_map(|value| value.to_le_bytes()));
            sum.update(&bytes);
        }
    }
    sum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Roles;

    fn subject(normal: &str, steps: u64, cell: f64) -> TrainingSubject {
        let table = Table::from_columns(vec![("x", vec![1.0, cell]), ("y", vec![0.0, 1.0])]).unwrap();
        let roles = Roles { label: Some("y".to_owned()), normal: Some(normal.to_owned()), ..Roles::default() };
        let mut recipe = Recipe::default();
        recipe.train.steps = steps;
        TrainingSubject::new(&recipe, &Dataset::table(table, roles))
    }

    #[test]
    fn every_difference_is_named() {
        let check = |normal, steps, cell, expected: Option<&str>| {
            assert_eq!(subject(normal, steps, cell).difference(&subject("0", 10, 2.0)).as_deref(), expected);
        };
        check("0", 10, 2.0, None);
        check("1", 10, 2.0, Some("`normal` was \"0\", and is \"1\""));
        check("0", 20, 2.0, Some("`train.steps` was 10, and is 20"));
        check("0", 10, 3.0, Some("the data have other values"));
        let more = subject("1", 20, 3.0).difference(&subject("0", 10, 2.0)).unwrap();
        assert_eq!(more.split("; ").count(), 3);
    }
}
