//! The layout of series in a table, and the roles of its columns.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::duplicates::Duplicates;
use crate::error::{Error, Result};

/// The layout of series in a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Each row is a series of one channel; columns are time steps.
    Rows,
    /// Each row is a point in time; columns are channels.
    #[default]
    Long,
}

impl Layout {
    /// All layouts.
    pub const ALL: [Layout; 2] = [Layout::Long, Layout::Rows];

    /// The name, as in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Long => "long",
            Layout::Rows => "rows",
        }
    }
}

impl FromStr for Layout {
    type Err = Error;

    fn from_str(name: &str) -> Result<Layout> {
        let known = Layout::ALL.into_iter().find(|layout| layout.name() == name);
        known.ok_or_else(|| Error::recipe("data.layout", format!("expected `long` or `rows`, got `{name}`")))
    }
}

/// The time, id and channel columns of a long table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeColumns {
    /// Time column: dates or numbers, ascending within a series. Without one, rows are one step apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Columns that identify a series together: text or numbers. Without one there is a single series.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "one_or_several",
        deserialize_with = "of_one_or_several"
    )]
    pub id: Vec<String>,
    /// Channel columns: numbers.
    pub channels: Vec<String>,
    /// Time zone of times that have none of their own, such as `Europe/Berlin`; UTC if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// What to do with rows of a series at the same time.
    #[serde(default, skip_serializing_if = "Duplicates::is_auto")]
    pub duplicates: Duplicates,
}

/// A single name is written as text, as in files of older versions.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum IdColumns {
    One(String),
    Several(Vec<String>),
}

fn one_or_several<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match names {
        [one] => IdColumns::One(one.clone()),
        several => IdColumns::Several(several.to_vec()),
    }
    .serialize(serializer)
}

fn of_one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    // Older versions may have written null for none.
    Ok(match Option::<IdColumns>::deserialize(deserializer)? {
        None => Vec::new(),
        Some(IdColumns::One(one)) => vec![one],
        Some(IdColumns::Several(several)) => several,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_and_columns_go_through_json_unchanged() {
        assert_eq!(serde_json::to_string(&[Layout::Rows, Layout::Long]).unwrap(), r#"["rows","long"]"#);
        for layout in Layout::ALL {
            assert_eq!(serde_json::to_value(layout).unwrap(), layout.name());
            assert_eq!(layout.name().parse::<Layout>().unwrap(), layout);
        }
        let columns = TimeColumns { time: Some("t".into()), channels: vec!["x".into()], ..TimeColumns::default() };
        let text = serde_json::to_string(&columns).unwrap();
        assert_eq!(text, r#"{"time":"t","channels":["x"]}"#);
        assert_eq!(serde_json::from_str::<TimeColumns>(&text).unwrap(), columns);
        assert!(serde_json::from_str::<TimeColumns>(r#"{"channels":[],"when":"t"}"#).is_err());
        for (ids, text) in
            [(&["a"][..], r#"{"id":"a","channels":[]}"#), (&["a", "b"], r#"{"id":["a","b"],"channels":[]}"#)]
        {
            let columns = TimeColumns { id: ids.iter().map(|id| (*id).to_owned()).collect(), ..TimeColumns::default() };
            assert_eq!(serde_json::to_string(&columns).unwrap(), text);
            assert_eq!(serde_json::from_str::<TimeColumns>(text).unwrap(), columns);
        }
        let local: TimeColumns =
            serde_json::from_str(r#"{"channels":[],"timezone":"Europe/Berlin","duplicates":"mean"}"#).unwrap();
        assert_eq!((local.timezone.as_deref(), local.duplicates), (Some("Europe/Berlin"), Duplicates::Mean));
    }
}
