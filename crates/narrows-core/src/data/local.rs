//! Local times of a named time zone as instants.
//!
//! Local time skips an hour in spring and goes through one again in autumn. Which of two passes is meant follows from
//! the order of the rows: times rise within a series.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, TimestampMicrosecondArray};
use arrow::datatypes::DataType;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::conform::conform;
use super::form::{Form, ZONE};
use super::groups::groups;
use super::layout::TimeColumns;
use super::moment::Moment;
use super::schema::{ColumnKind, Schema};
use super::table::Table;
use super::zones;
use crate::error::{Error, Place, Result};

/// What was found in local times.
#[derive(Debug, Default)]
pub(crate) struct LocalTimes {
    /// What is told about them.
    pub(crate) notes: Vec<String>,
}

/// The time zone of this name, such as `Europe/Berlin`, or at this offset, such as `+01:00`.
///
/// # Errors
/// [`Error::Recipe`] if there is none.
pub(crate) fn time_zone(name: &str) -> Result<TimeZone> {
    DateTimeParser::new().parse_time_zone(name.trim()).map_err(|_| {
        let message = format!("expected a time zone such as `Europe/Berlin`, `UTC` or `+01:00`, got `{name}`");
        Error::recipe("timezone", message)
    })
}

/// The raw table with instants for local times, if a time zone was named and the times have none of their own.
///
/// `before` is the last time of a series in rows that came earlier, for streams.
///
/// # Errors
/// As [`conform`], for cells that are no times.
pub(crate) fn localise(
    table: Table,
    schema: &Schema,
    columns: &TimeColumns,
    before: &dyn Fn(&str) -> Option<Moment>,
) -> Result<(Table, LocalTimes)> {
    let mut found = LocalTimes::default();
    let (Some(zone), Some(time)) = (&columns.timezone, &columns.time) else { return Ok((table, found)) };
    let is_datetime = schema.get(time).is_some_and(|column| column.kind == ColumnKind::Datetime);
    if !is_datetime || !is_local(&table, time)? {
        return Ok((table, found));
    }
    let tz = time_zone(zone)?;
    let (typed, conformed) = conform(table.select(&[time])?, &schema.select(&[time.as_str()])?)?;
    conformed.require(&typed, time)?;
    let Form::Moments(civil) = Form::of(typed.expect_column(time)?, &Place::column(time))? else {
        return Ok((table, found));
    };
    let mut instants: Vec<Option<i64>> = civil.iter().collect();
    let (mut folds, mut skipped): (u64, Vec<u64>) = (0, Vec::new());
    for group in groups(&table, &columns.id)? {
        let mut last = match before(&group.id) {
            Some(Moment::Instant(last)) => Some(last),
            _ => None,
        };
        for row in group.rows {
            let Some(civil) = instants[row as usize] else { continue };
            let (instant, is_unique) = instant(civil, &tz, last);
            match is_unique {
                Unique::Yes => {}
                Unique::Twice => folds += 1,
                Unique::Never => skipped.push(table.first_row() + u64::from(row)),
            }
            instants[row as usize] = Some(instant);
            last = Some(instant);
        }
    }
    if folds > 0 {
        found.notes.push(format!(
            "{folds} times of an hour that {zone} goes through twice: which one is meant follows from the order of the rows"
        ));
    }
    if let Some(first) = skipped.first() {
        found.notes.push(format!(
            "{} times do not exist in {zone}, as clocks are put forward over them: read as an hour later, the first in \
             row {first}",
            skipped.len()
        ));
    }
    let instants: ArrayRef = Arc::new(TimestampMicrosecondArray::from(instants).with_timezone(ZONE));
    let replaced = |name: &str| {
        let array = if name == time { Ok(&instants) } else { table.expect_column(name) };
        array.map(|array| (name.to_owned(), array.clone()))
    };
    let all = table.names().into_iter().map(replaced).collect::<Result<Vec<_>>>()?;
    Ok((table.with_columns(all), found))
}

/// Whether the times are text without a zone, or timestamps without one.
fn is_local(table: &Table, time: &str) -> Result<bool> {
    let array = table.expect_column(time)?;
    Ok(match array.data_type() {
        DataType::Timestamp(_, zone) => zone.is_none(),
        DataType::Date32 | DataType::Date64 => true,
        _ => match Form::of(array, &Place::column(time).of(table.source()))? {
            Form::Words(words) => !words.iter().flatten().any(|text| zones::names_a_zone(text.trim())),
            _ => false,
        },
    })
}

/// How often a local time occurs.
enum Unique {
    Yes,
    Twice,
    Never,
}

/// The instant of a local time, in microseconds; of two, the first that is after `last`.
fn instant(civil: i64, tz: &TimeZone, last: Option<i64>) -> (i64, Unique) {
    let Ok(timestamp) = Timestamp::from_microsecond(civil) else { return (civil, Unique::Yes) };
    let ambiguous = tz.to_ambiguous_timestamp(Offset::UTC.to_datetime(timestamp));
    let unique = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => Unique::Yes,
        AmbiguousOffset::Fold { .. } => Unique::Twice,
        AmbiguousOffset::Gap { .. } => Unique::Never,
    };
    let micros = |timestamp: Result<Timestamp, jiff::Error>| timestamp.map_or(civil, |t| t.as_microsecond());
    let first = micros(ambiguous.compatible());
    if matches!(unique, Unique::Twice) && last.is_some_and(|last| first <= last) {
        return (micros(ambiguous.later()), unique);
    }
    (first, unique)
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, StringArray};
    use arrow::datatypes::TimestampMicrosecondType;

    use super::*;
    use crate::data::infer;

    /// The instants of local times in Berlin, and the notes.
    fn berlin(times: &[&str], ids: Option<&[&str]>) -> (Vec<String>, Vec<String>) {
        let words = |cells: &[&str]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
        let mut columns = vec![("t".to_owned(), words(times))];
        columns.extend(ids.map(|ids| ("id".to_owned(), words(ids))));
        let table = Table::from_arrays(columns, "t.csv").unwrap();
        let schema = infer(&table).unwrap().schema;
        let columns = TimeColumns {
            time: Some("t".to_owned()),
            id: ids.map(|_| "id".to_owned()).into_iter().collect(),
            timezone: Some("Europe/Berlin".to_owned()),
            ..TimeColumns::default()
        };
        let (table, found) = localise(table, &schema, &columns, &|_| None).unwrap();
        let array = table.column("t").unwrap();
        let Some(array) = array.as_primitive_opt::<TimestampMicrosecondType>() else {
            return (Vec::new(), found.notes);
        };
        (array.values().iter().map(|t| Moment::Instant(*t).to_string()[5..16].to_owned()).collect(), found.notes)
    }

    #[test]
    fn an_hour_that_comes_twice_is_told_apart_by_order() {
        let times = [
            "2025-10-26 01:30",
            "2025-10-26 02:00",
            "2025-10-26 02:30",
            "2025-10-26 02:00",
            "2025-10-26 02:30",
            "2025-10-26 03:00",
        ];
        let (instants, notes) = berlin(&times, None);
        let expected = ["10-25T23:30", "10-26T00:00", "10-26T00:30", "10-26T01:00", "10-26T01:30", "10-26T02:00"];
        assert_eq!(instants, expected);
        assert!(notes[0].starts_with("4 times of an hour that Europe/Berlin goes through twice"), "{notes:?}");
        // Each series has its own order.
        let (instants, _) =
            berlin(&["2025-10-26 02:00", "2025-10-26 02:00", "2025-10-26 02:00"], Some(&["a", "b", "a"]));
        assert_eq!(instants, ["10-26T00:00", "10-26T00:00", "10-26T01:00"]);
    }

    #[test]
    fn an_hour_that_never_comes_is_read_later_and_told() {
        let (instants, notes) = berlin(&["2025-03-30 01:30", "2025-03-30 02:30", "2025-03-30 04:00"], None);
        assert_eq!(instants, ["03-30T00:30", "03-30T01:30", "03-30T02:00"]);
        assert!(notes[0].ends_with("read as an hour later, the first in row 1"), "{notes:?}");
    }

    #[test]
    fn times_with_a_zone_of_their_own_stay_as_they_are() {
        assert!(berlin(&["2025-10-26T02:00:00Z", "2025-10-26T02:30:00+01:00"], None).0.is_empty());
    }

    #[test]
    fn zones_are_names_or_offsets() {
        assert!(["Europe/Berlin", "UTC", "+01:00", "America/New_York"].iter().all(|name| time_zone(name).is_ok()));
        let error = time_zone("Europe/Berln").unwrap_err().to_string();
        assert!(error.ends_with("expected a time zone such as `Europe/Berlin`, `UTC` or `+01:00`, got `Europe/Berln`"));
    }
}
