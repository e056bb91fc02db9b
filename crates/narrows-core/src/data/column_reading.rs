//! What a column is, decided from its profile: kind, format, words that mean missing, and whether it is a feature.

use super::cell_format::CellFormat;
use super::date_format::KNOWN_DATES;
use super::infer::DropReason;
use super::number_evidence::NumberReading;
use super::number_format::NumberFormat;
use super::profile::{MAX_DISTINCT, Profile};
use super::schema::{Column, ColumnKind};
use crate::error::{Error, Hint, Place, Result};

/// Maximum number of levels of a category.
const MAX_LEVELS: usize = 10_000;
/// Up to this number of distinct texts a column is a category at any table length.
pub(super) const FEW_LEVELS: usize = 20;
/// Otherwise a category has at least this many rows per level on average.
const ROWS_A_LEVEL: u64 = 4;
/// From this share of numbers (or dates) on, a column is one of them, and other cells are missing.
pub(super) const MANY: f64 = 0.5;
/// From this share on, that holds also for few distinct whole numbers, which could be names of levels.
const MOSTLY: f64 = 0.9;
/// From this share of numbers on it is worth a note that a column is not read as numbers.
const SOME: f64 = 0.2;
/// With fewer rows, counting up or being all distinct may be coincidence.
pub(super) const ENOUGH_ROWS: u64 = 20;
/// Text longer than this on average is free text.
pub(super) const PROSE_LENGTH: u64 = 50;

/// What a column is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ColumnReading {
    pub(super) column: Column,
    /// Why it is not a feature.
    pub(super) reason: Option<DropReason>,
    /// What is said of it alone.
    pub(super) notes: Vec<String>,
    /// Whether its cells look like numbers or dates, but cannot be read.
    pub(super) is_lost: bool,
    /// Whether it holds few distinct whole numbers, which may be codes.
    pub(super) is_few: bool,
}

impl ColumnReading {
    /// Decides; `is_comma` if the other columns of the file have decimal commas.
    ///
    /// # Errors
    /// [`Error::Data`] if a column given as numbers or dates holds none.
    pub(super) fn of(profile: &Profile, is_comma: bool) -> Result<ColumnReading> {
        let known = profile.known();
        let native = profile.native.unwrap_or(ColumnKind::Text);
        let reader = ProfileReader { profile, known, is_comma };
        let kind = profile.options.kind;
        if known == 0 {
            return Ok(ColumnReading { reason: Some(DropReason::AllMissing), ..reader.plain(kind.unwrap_or(native)) });
        }
        match kind {
            Some(ColumnKind::Category) => return Ok(reader.code(ColumnKind::Category, None)),
            Some(ColumnKind::Text) => {
                return Ok(ColumnReading { reason: Some(DropReason::AsAsked), ..reader.plain(ColumnKind::Text) });
            }
            Some(ColumnKind::Numeric) => return reader.as_numbers(),
            _ => {}
        }
        if let Some(reading) = reader.given_dates()? {
            return Ok(reading);
        }
        let mut reading = match native {
            ColumnKind::Text => reader.of_words(),
            ColumnKind::Numeric => reader.of_numbers(),
            other => reader.plain(other),
        };
        if reading.reason.is_none() {
            reading.reason = reader.drop_reason(&reading.column);
        }
        if reading.reason.is_some_and(|reason| reason == DropReason::Constant) {
            reading.notes.clear();
        }
        Ok(reading)
    }
}

/// A profile being read.
pub(super) struct ProfileReader<'a> {
    pub(super) profile: &'a Profile,
    pub(super) known: u64,
    /// Whether the other columns of the file have decimal commas.
    is_comma: bool,
}

impl ProfileReader<'_> {
    pub(super) fn plain(&self, kind: ColumnKind) -> ColumnReading {
        let column = Column { missing: self.profile.options.missing.clone(), ..Column::new(&self.profile.name, kind) };
        ColumnReading { column, reason: None, notes: Vec::new(), is_lost: false, is_few: false }
    }

    pub(super) fn formatted(&self, kind: ColumnKind, format: Option<CellFormat>) -> ColumnReading {
        let mut reading = self.plain(kind);
        reading.column.format = format;
        reading
    }

    /// Names, which may be digits.
    fn code(&self, kind: ColumnKind, note: Option<String>) -> ColumnReading {
        let mut reading = self.formatted(kind, Some(CellFormat::Code));
        reading.notes.extend(note);
        let is_constant = self.profile.missing == 0 && self.profile.n_distinct() == 1;
        reading.reason = match kind {
            ColumnKind::Category if is_constant => Some(DropReason::Constant),
            _ => None,
        };
        reading
    }

    pub(super) fn share(&self, cells: u64) -> f64 {
        cells as f64 / self.known as f64
    }

    /// A column given as numbers.
    fn as_numbers(&self) -> Result<ColumnReading> {
        let profile = self.profile;
        if profile.native == Some(ColumnKind::Numeric) {
            return Ok(self.with_reason(self.plain(ColumnKind::Numeric)));
        }
        match profile.written.reading(self.is_comma) {
            Some(numbers) if numbers.cells > 0 => Ok(self.with_reason(self.numbers(&numbers))),
            _ => Err(self.none_of("numbers", "")),
        }
    }

    pub(super) fn with_reason(&self, mut reading: ColumnReading) -> ColumnReading {
        // A column asked for by its type is no identifier.
        reading.reason = self.drop_reason(&reading.column).filter(|reason| *reason != DropReason::Identifier);
        reading
    }

    pub(super) fn none_of(&self, expected: &str, written: &str) -> Error {
        let example = self.profile.words.listed(&[]);
        let got = if example.is_empty() { "other cells".to_owned() } else { format!("text such as {example}") };
        let place = Place::column(&self.profile.name);
        let error = Error::data(place, format!("expected {expected}{written}, got {got}"));
        if expected == "dates" { error.with_hint(Hint::of(KNOWN_DATES)) } else { error }
    }

    /// Numbers of a typed file.
    fn of_numbers(&self) -> ColumnReading {
        self.dates_of_digits(false).unwrap_or_else(|| {
            let mut reading = self.plain(ColumnKind::Numeric);
            reading.is_few = self.is_few();
            reading
        })
    }

    fn of_words(&self) -> ColumnReading {
        let profile = self.profile;
        let numbers = profile.written.reading(self.is_comma);
        let is_all = |cells: u64| cells == self.known;
        if profile.written.leading_zeros > 0 && self.is_code(numbers.as_ref()) {
            return self.padded();
        }
        if let Some(numbers) = &numbers
            && is_all(profile.n_numbers)
            && (numbers.format.is_none() || profile.written.is_whole())
        {
            let mut reading = self.of_numbers();
            // Whole numbers so far may have decimals in later files.
            reading.column.format = reading.column.format.or(numbers.format.clone().map(CellFormat::Number));
            return reading;
        }
        if is_all(profile.n_flags) {
            return self.plain(ColumnKind::Boolean);
        }
        if let Some(dates) = profile.dates.reading()
            && self.share(dates.cells) >= MANY
        {
            return self.dates(&dates);
        }
        if let Some(numbers) = numbers
            && self.share(numbers.cells) >= SOME
        {
            return self.numbers_or_names(&numbers);
        }
        self.names()
    }

    /// Whether whole numbers with leading zeros are names: no cell has a fraction.
    fn is_code(&self, numbers: Option<&NumberReading>) -> bool {
        numbers.is_some_and(|numbers| numbers.is_whole)
            && self.profile.written.is_whole()
            && self.share(self.profile.n_numbers) >= MANY
    }

    /// Whole numbers with leading zeros, which are lost in numbers.
    fn padded(&self) -> ColumnReading {
        let name = &self.profile.name;
        let kind = self.names().column.kind;
        let zeros = self.profile.written.zeros();
        let note = format!(
            "column `{name}` is read as text, not as numbers: it has leading zeros, such as `{zeros}`; types.numeric says otherwise"
        );
        self.code(kind, Some(note))
    }

    /// Numbers with words among them, or names with numbers among them.
    fn numbers_or_names(&self, numbers: &NumberReading) -> ColumnReading {
        let profile = self.profile;
        let name = &profile.name;
        let share = self.share(numbers.cells);
        if !numbers.other_units.is_empty() {
            let mut reading = self.names();
            reading.is_lost = true;
            let format = numbers.format.as_ref().map_or_else(String::new, |format| format!(" ({format})"));
            reading.notes.push(format!(
                "column `{name}`: numbers with several units are not read as numbers: beside {} cells with one{format} \
                 there are others such as `{}`",
                numbers.cells,
                numbers.other_units.join("`, `")
            ));
            return reading;
        }
        let is_few = numbers.is_whole && profile.distinct_numbers <= FEW_LEVELS;
        let has_unit = numbers.format.as_ref().is_some_and(|f| f.suffix.starts_with(char::is_alphabetic));
        let is_open = profile.words.has_class();
        // Measurements, of which many are below a limit of detection, are no names.
        let is_measured = profile.distinct_numbers > FEW_LEVELS && !profile.words.is_full();
        let is_names = match numbers.cells == self.known {
            true => is_few && has_unit,
            false => (share < MANY && !is_measured) || (is_few && (share < MOSTLY || is_open)),
        };
        if !is_names {
            return self.numbers(numbers);
        }
        let mut reading = self.names();
        if numbers.cells < self.known {
            let kind = reading.column.kind;
            reading.notes.push(format!(
                "column `{name}` is read as {kind}: {} of {} cells are numbers, others are {}",
                numbers.cells,
                self.known,
                profile.words.listed(&numbers.unfit)
            ));
            reading.is_lost = share >= MANY && kind == ColumnKind::Text;
        }
        reading
    }

    fn numbers(&self, numbers: &NumberReading) -> ColumnReading {
        let name = &self.profile.name;
        let mut reading = self.formatted(ColumnKind::Numeric, numbers.format.clone().map(CellFormat::Number));
        if let Some(sample) = &numbers.ambiguous {
            let read = numbers.format.as_ref().and_then(|format| format.read(sample));
            let why =
                if self.is_comma { "as other columns have decimal commas" } else { "as no column has decimal commas" };
            reading.notes.extend(
                read.map(|read| format!("column `{name}`: `{sample}` has two meanings; read as {read}, {why}")),
            );
        }
        if let (true, Some(format)) = (numbers.bare > 0, &numbers.format) {
            let NumberFormat { prefix, suffix, .. } = format;
            reading.notes.push(format!(
                "column `{name}`: {} of {} numbers stand without `{prefix}{suffix}`, and are read as if they had it",
                numbers.bare, numbers.cells,
            ));
        }
        self.tell_missing(&mut reading, numbers.cells, "numbers", &numbers.unfit);
        reading
    }

    /// Notes the cells that are not what the others are, which are missing from now on.
    pub(super) fn tell_missing(&self, reading: &mut ColumnReading, cells: u64, what: &str, unfit: &[String]) {
        let (words, name) = (&self.profile.words, &self.profile.name);
        reading.column.missing.extend(words.words().map(str::to_owned));
        let others = self.known - cells;
        if others > 0 {
            let plural = if others == 1 { "cell is" } else { "cells are" };
            let listed = words.listed(unfit);
            let listed = if listed.is_empty() { listed } else { format!(": {listed}") };
            reading.notes.push(format!(
                "column `{name}`: {others} of {} known {plural} not {what} and taken as missing{listed}",
                self.known
            ));
        }
    }

    /// A category, or text.
    fn names(&self) -> ColumnReading {
        let profile = self.profile;
        let levels = profile.n_distinct();
        let is_category = levels < MAX_DISTINCT
            && profile.n_uuids == 0
            && profile.mean_length() <= PROSE_LENGTH
            && (levels <= FEW_LEVELS || (levels <= MAX_LEVELS && levels as u64 * ROWS_A_LEVEL <= self.known));
        let is_identifier = self.known >= ENOUGH_ROWS && profile.is_all_distinct();
        let is_category = is_category && !is_identifier;
        let mut reading = self.plain(if is_category { ColumnKind::Category } else { ColumnKind::Text });
        let (dates, sample) = profile.dates.like();
        if self.share(dates) >= MANY {
            reading.is_lost = true;
            let (name, kind) = (&profile.name, reading.column.kind);
            reading.notes.push(format!(
                "column `{name}` looks like dates, such as `{sample}`, but is read as {kind}: the dates have no common \
                 format that is known"
            ));
        }
        reading
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, ArrayRef, StringArray};

    use super::*;
    use crate::data::column_types::ColumnOptions;
    use crate::data::form::Form;

    pub(in crate::data) fn read(name: &str, array: &ArrayRef, options: ColumnOptions) -> Result<ColumnReading> {
        let mut profile = Profile::new(name, options);
        let half = array.len() / 2;
        for (offset, length) in [(0, half), (half, array.len() - half)] {
            let form = Form::of(&array.slice(offset, length), &Place::default()).unwrap();
            profile.push(&form, "t.csv", offset as u64).unwrap();
        }
        ColumnReading::of(&profile, false)
    }

    pub(in crate::data) fn reading<S: AsRef<str>>(name: &str, cells: &[S]) -> ColumnReading {
        let array: StringArray = cells.iter().map(|cell| Some(cell.as_ref())).collect();
        read(name, &(Arc::new(array) as ArrayRef), ColumnOptions::default()).unwrap()
    }

    pub(in crate::data) fn check<S: AsRef<str>>(cells: &[S], kind: ColumnKind, reason: Option<DropReason>) {
        let reading = reading("x", cells);
        assert_eq!((reading.column.kind, reading.reason), (kind, reason), "{}", cells[0].as_ref());
    }

    pub(in crate::data) fn many(n: usize, cell: impl Fn(usize) -> String) -> Vec<String> {
        (0..n).map(cell).collect()
    }

    #[test]
    fn the_kind_is_what_all_known_cells_are() {
        check(&["1", "", "2.5", "NA"], ColumnKind::Numeric, None);
        check(&["0", "1", "0"], ColumnKind::Numeric, None);
        check(&["yes", "?", "no"], ColumnKind::Boolean, None);
        check(&["2024-01-01", "2024-01-02 10:00"], ColumnKind::Datetime, None);
        check(&["tcp", "udp", "tcp"], ColumnKind::Category, None);
        check(&["1", "2", "3+"], ColumnKind::Category, None);
        check(&many(400, |i| format!("service {}", i % 90)), ColumnKind::Category, None);
    }

    #[test]
    fn words_among_numbers_are_missing_and_told_at_any_share() {
        for stray in [1, 4, 8, 30] {
            let cells = many(100, |i| if i < stray { "Bad Input".to_owned() } else { format!("{}.5", i * i) });
            let reading = reading("flow", &cells);
            assert_eq!(
                (reading.column.kind, reading.column.missing),
                (ColumnKind::Numeric, vec!["Bad Input".to_owned()])
            );
            assert_eq!(reading.notes.len(), 1);
            assert!(reading.notes[0].contains(&format!("{stray} of 100 known cell")), "{}", reading.notes[0]);
            assert!(reading.notes[0].contains(&format!("`Bad Input` ({stray})")), "{}", reading.notes[0]);
        }
        let half = many(100, |i| if i % 2 == 0 { "<0.01".to_owned() } else { format!("0.{i}") });
        assert_eq!(reading("lab", &half).column.kind, ColumnKind::Numeric);
        let most = many(100, |i| if i % 5 < 3 { "<0.01".to_owned() } else { format!("0.{i}") });
        assert_eq!(reading("lab", &most).column.kind, ColumnKind::Numeric);
        let few = many(100, |i| if i % 3 == 0 { "low".to_owned() } else { (i % 5).to_string() });
        let reading = reading("grade", &few);
        assert_eq!(reading.column.kind, ColumnKind::Category);
        assert!(
            reading.notes[0].contains("66 of 100 cells are numbers, others are `low` (34)"),
            "{}",
            reading.notes[0]
        );
    }

    #[test]
    fn leading_zeros_make_names() {
        let zips = many(100, |i| ["01067", "04109", "10115", "80331"][i % 4].to_owned());
        let read = reading("zip", &zips);
        assert_eq!((read.column.kind, read.column.format), (ColumnKind::Category, Some(CellFormat::Code)));
        assert!(read.notes[0].contains("leading zeros, such as `01067`"), "{}", read.notes[0]);
        let numbered = many(100, |i| format!("{i:05}"));
        assert_eq!(reading("x", &numbered).reason, Some(DropReason::Identifier));
        check(&["00.5", "01.5", "7"], ColumnKind::Numeric, None);
    }

    #[test]
    fn what_the_user_says_wins() {
        let cells: ArrayRef = Arc::new(StringArray::from(vec!["1", "2", "x", "04"]));
        let given = |kind| read("x", &cells, ColumnOptions { kind: Some(kind), ..ColumnOptions::default() });
        assert_eq!(given(ColumnKind::Category).unwrap().column.kind, ColumnKind::Category);
        let numbers = given(ColumnKind::Numeric).unwrap();
        assert_eq!((numbers.column.kind, numbers.notes.len()), (ColumnKind::Numeric, 1));
        assert_eq!(given(ColumnKind::Text).unwrap().reason, Some(DropReason::AsAsked));
        let error = given(ColumnKind::Datetime).unwrap_err();
        assert_eq!(error.to_string(), "column `x`: expected dates, got text such as `x` (1)");
        let date = Some("%Y-%j".parse().unwrap());
        let days: ArrayRef = Arc::new(StringArray::from(vec!["2025-031", "2025-032"]));
        let read = read("x", &days, ColumnOptions { date, is_date: true, ..ColumnOptions::default() }).unwrap();
        assert_eq!(read.column.kind, ColumnKind::Datetime);
    }
}
