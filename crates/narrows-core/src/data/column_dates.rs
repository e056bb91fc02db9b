//! Columns of dates: in a format given by the user, in digits alone, or as found.

use super::cell_format::CellFormat;
use super::column_name::is_named_time;
use super::column_reading::{ColumnReading, ENOUGH_ROWS, MANY, ProfileReader};
use super::date_evidence::DateReading;
use super::date_format::DateFormat;
use super::infer::DropReason;
use super::schema::ColumnKind;
use crate::error::Result;

/// Seconds since 1970 from 1980 to 2100.
const EPOCH: std::ops::Range<f64> = 3.1e8..4.2e9;

impl ProfileReader<'_> {
    /// A column given as dates, or one whose cells fit the format given for all dates.
    pub(super) fn given_dates(&self) -> Result<Option<ColumnReading>> {
        let profile = self.profile;
        let options = &profile.options;
        let Some(format) = &options.date else {
            if options.kind != Some(ColumnKind::Datetime) {
                return Ok(None);
            }
            if profile.native == Some(ColumnKind::Datetime) {
                return Ok(Some(self.with_reason(self.plain(ColumnKind::Datetime))));
            }
            let reading = match profile.native {
                Some(ColumnKind::Text) => profile.dates.reading().map(|dates| self.dates(&dates)),
                _ => None,
            };
            return match reading.or_else(|| self.dates_of_digits(true)) {
                Some(reading) => Ok(Some(self.with_reason(reading))),
                None => Err(self.none_of("dates", "")),
            };
        };
        if profile.native == Some(ColumnKind::Datetime) {
            return Ok(None);
        }
        let is_epoch =
            matches!(format, DateFormat::EpochS | DateFormat::EpochMs | DateFormat::EpochUs | DateFormat::EpochNs);
        let fits = profile.n_given_dates;
        if options.is_date && fits == 0 {
            let is_iso = profile.dates.iso > 0;
            return if is_iso { Ok(None) } else { Err(self.none_of("dates", &format!(" written {format}"))) };
        }
        // A format given for all dates must not make dates of all numbers.
        let is_meant = options.is_date || (self.share(fits) >= MANY && (!is_epoch || self.is_named_time()));
        if !is_meant {
            return Ok(None);
        }
        let mut reading = self.formatted(ColumnKind::Datetime, Some(CellFormat::Date(format.clone())));
        self.tell_missing(&mut reading, fits, "dates", &[]);
        Ok(Some(self.with_reason(reading)))
    }

    /// Dates in digits alone: `20250131`, or an epoch in a column whose name says so.
    pub(super) fn dates_of_digits(&self, is_asked: bool) -> Option<ColumnReading> {
        let profile = self.profile;
        let numbers = &profile.numbers;
        let is_all = profile.n_numbers == self.known || profile.native == Some(ColumnKind::Numeric);
        if !is_all || !numbers.is_whole && !self.is_named_time() && !is_asked {
            return None;
        }
        let is_long = self.known >= ENOUGH_ROWS || self.is_named_time() || is_asked;
        let format = if numbers.is_compact && numbers.is_whole && is_long {
            DateFormat::Compact
        } else if self.is_named_time() || is_asked {
            let units = [
                (DateFormat::EpochS, 1.0),
                (DateFormat::EpochMs, 1e3),
                (DateFormat::EpochUs, 1e6),
                (DateFormat::EpochNs, 1e9),
            ];
            let is_within =
                |scale: f64| EPOCH.contains(&(numbers.min / scale)) && EPOCH.contains(&(numbers.max / scale));
            units.into_iter().find(|(_, scale)| is_within(*scale))?.0
        } else {
            return None;
        };
        let mut reading = self.formatted(ColumnKind::Datetime, Some(CellFormat::Date(format)));
        if numbers.min == numbers.max && profile.missing == 0 {
            reading.reason = Some(DropReason::Constant);
        }
        Some(reading)
    }

    pub(super) fn dates(&self, dates: &DateReading) -> ColumnReading {
        let name = &self.profile.name;
        let mut reading = self.formatted(ColumnKind::Datetime, dates.format.clone().map(CellFormat::Date));
        if let (Some(why), Some(format)) = (dates.ambiguous, &dates.format) {
            reading.notes.push(format!(
                "column `{name}`: the dates fit several orders of day, month and year, such as `{}`; read {format}, {why}; types.date_format says otherwise",
                dates.sample
            ));
        }
        self.tell_missing(&mut reading, dates.cells, "dates", &[]);
        if dates.is_constant && self.profile.missing == 0 && dates.cells == self.known {
            reading.reason = Some(DropReason::Constant);
        }
        reading
    }

    fn is_named_time(&self) -> bool {
        is_named_time(&self.profile.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::column_reading::tests::{many, reading};

    #[test]
    fn dates_of_digits_need_all_cells_or_a_name() {
        let format = |name: &str, cells: &[String]| reading(name, cells).column.format;
        let days = many(28, |i| (20_250_101 + i).to_string());
        assert_eq!(format("x", &days), Some(CellFormat::Date(DateFormat::Compact)));
        let seconds = many(30, |i| (1_700_000_000 + 61 * i).to_string());
        assert_eq!(format("timestamp", &seconds), Some(CellFormat::Date(DateFormat::EpochS)));
        assert_eq!(format("x", &seconds), None);
        let ms = many(30, |i| (1_700_000_000_000_u64 + 60_100 * i as u64).to_string());
        assert_eq!(format("created_ts", &ms), Some(CellFormat::Date(DateFormat::EpochMs)));
        assert_eq!(format("time", &many(30, |i| (i * 60).to_string())), None);
    }

    #[test]
    fn dates_without_a_known_format_are_told() {
        let cells = many(40, |i| format!("{}/Foo/2025", i % 28 + 1));
        let read = reading("day", &cells);
        assert!(read.is_lost && read.notes[0].contains("looks like dates, such as `1/Foo/2025`"), "{:?}", read.notes);
        let swapped = many(40, |i| format!("0{}/0{}/2025", i % 9 + 1, (i + 3) % 9 + 1));
        let read = reading("day", &swapped);
        assert_eq!(read.column.kind, ColumnKind::Datetime);
        assert!(read.notes[0].contains("several orders of day, month and year"), "{:?}", read.notes);
    }
}
