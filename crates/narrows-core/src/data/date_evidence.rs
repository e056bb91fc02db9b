//! What the cells of a column say about how its dates are written.
//!
//! A cell is counted for every order of day, month and year in which it is a date, so one 13th decides the order of the
//! column. If day and month can be swapped in all cells, the distance between neighbouring rows decides, then AM and PM,
//! then the mark between the parts.

use super::clock_text::time_of_day;
use super::date_format::DateFormat;
use super::date_text::{DateOrder, DateText};

const HOUR: i64 = 3_600_000_000;
/// One order is right by its steps if the widest is this much narrower.
const NARROWER: i64 = 4;

/// Counts of cells by the way their dates are written.
#[derive(Debug, Default)]
pub(super) struct DateEvidence {
    /// Dates in ISO 8601.
    pub(super) iso: u64,
    orders: [OrderCounts; 3],
    /// Dates that are others in another order.
    swapped: u64,
    swapped_sample: Option<String>,
    half_days: u64,
    pub(super) times_of_day: u64,
    /// Texts that look like dates and are none.
    like: u64,
    like_sample: Option<String>,
    pub(super) range: Option<(i64, i64)>,
    sample: Option<String>,
}

/// Dates read in one order.
#[derive(Debug, Default, Clone, Copy)]
struct OrderCounts {
    cells: u64,
    range: Option<(i64, i64)>,
    previous: Option<i64>,
    widest_step: i64,
}

/// How the dates of a column are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DateReading {
    /// `None` for ISO 8601.
    pub(super) format: Option<DateFormat>,
    /// Cells that are dates in this format.
    pub(super) cells: u64,
    /// Whether all are equal.
    pub(super) is_constant: bool,
    /// An example.
    pub(super) sample: String,
    /// If day and month could be swapped: what decided.
    pub(super) ambiguous: Option<&'static str>,
}

impl DateEvidence {
    /// Counts a date in ISO 8601.
    pub(super) fn push_iso(&mut self, micros: i64) {
        self.iso += 1;
        widen(&mut self.range, micros);
        self.orders.iter_mut().for_each(|order| order.push(micros));
    }

    /// Counts a text with digits that is neither a number nor ISO 8601; whether it is a date in some format.
    pub(super) fn push(&mut self, text: &str) -> bool {
        if let Some(time) = time_of_day(text) {
            self.times_of_day += 1;
            widen(&mut self.range, time);
            self.sample.get_or_insert_with(|| text.to_owned());
            return true;
        }
        let Some(date) = DateText::of(text) else { return false };
        let moments = DateOrder::ALL.map(|order| date.moment(order));
        if moments.iter().all(Option::is_none) {
            return false;
        }
        for (order, moment) in self.orders.iter_mut().zip(moments) {
            if let Some(micros) = moment {
                order.push(micros);
            }
        }
        let mut distinct: Vec<i64> = moments.into_iter().flatten().collect();
        distinct.dedup();
        if distinct.len() > 1 {
            self.swapped += 1;
            self.swapped_sample.get_or_insert_with(|| text.to_owned());
        }
        self.half_days += u64::from(date.is_half_day);
        self.sample.get_or_insert_with(|| text.to_owned());
        true
    }

    /// Notes a text that is no date in any known format.
    pub(super) fn push_other(&mut self, text: &str) {
        if looks_like_date(text) {
            self.like += 1;
            self.like_sample.get_or_insert_with(|| text.to_owned());
        }
    }

    /// Cells that are dates in some order, times of day, or look like dates, with an example.
    pub(super) fn like(&self) -> (u64, &str) {
        let dates = self.orders.iter().map(|order| order.cells).max().unwrap_or(0);
        let sample = self.sample.as_ref().or(self.like_sample.as_ref()).map_or("", String::as_str);
        (dates.max(self.times_of_day) + self.like, sample)
    }

    /// The format that fits most cells.
    pub(super) fn reading(&self) -> Option<DateReading> {
        let sample = self.sample.clone().unwrap_or_default();
        let is_constant = |range: Option<(i64, i64)>| range.is_some_and(|(min, max)| min == max);
        let [day, month, year] = self.orders;
        let most = day.cells.max(month.cells).max(year.cells);
        if self.times_of_day > most {
            let format = Some(DateFormat::TimeOfDay);
            let (cells, is_constant) = (self.times_of_day, is_constant(self.range));
            return Some(DateReading { format, cells, is_constant, sample, ambiguous: None });
        }
        if most == 0 {
            return None;
        }
        if self.iso == most {
            let is_constant = is_constant(self.range);
            return Some(DateReading { format: None, cells: most, is_constant, sample, ambiguous: None });
        }
        let (order, ambiguous) = match (day.cells == most, month.cells == most, year.cells == most) {
            // Only dates that are the same in every order.
            (true, true, true) if sample.len() >= 4 && sample.as_bytes()[..4].iter().all(u8::is_ascii_digit) => {
                (DateOrder::YearMonthDay, None)
            }
            (true, true, _) | (true, _, true) | (_, true, true) if self.swapped > 0 => self.guess(most),
            (true, ..) => (DateOrder::DayMonthYear, None),
            (_, true, _) => (DateOrder::MonthDayYear, None),
            _ => (DateOrder::YearMonthDay, None),
        };
        let counts = self.orders[DateOrder::ALL.iter().position(|other| *other == order).expect("one of three")];
        let sample = if ambiguous.is_some() { self.swapped_sample.clone().unwrap_or(sample) } else { sample };
        Some(DateReading {
            format: Some(DateFormat::of_order(order)),
            cells: counts.cells,
            is_constant: is_constant(counts.range),
            sample,
            ambiguous,
        })
    }

    /// The order of dates that allow several, and what decided.
    fn guess(&self, most: u64) -> (DateOrder, Option<&'static str>) {
        let mut steps: Vec<(i64, DateOrder)> = DateOrder::ALL
            .into_iter()
            .zip(self.orders)
            .filter(|(_, counts)| counts.cells == most)
            .map(|(order, counts)| (counts.widest_step.max(HOUR), order))
            .collect();
        steps.sort_by_key(|(step, _)| *step);
        if steps[0].0.saturating_mul(NARROWER) <= steps[1].0 {
            return (steps[0].1, Some("as rows follow each other more closely so"));
        }
        let fits = |order: DateOrder| steps.iter().any(|(_, other)| *other == order);
        if self.half_days > 0 && fits(DateOrder::MonthDayYear) {
            return (DateOrder::MonthDayYear, Some("as usual with AM and PM"));
        }
        let has_slash = self.swapped_sample.as_ref().is_some_and(|sample| sample.contains('/'));
        match (has_slash, fits(DateOrder::MonthDayYear), fits(DateOrder::DayMonthYear)) {
            (true, true, _) => (DateOrder::MonthDayYear, Some("as usual with slashes")),
            (_, _, true) => (DateOrder::DayMonthYear, Some("as usual with points and dashes")),
            _ => (steps[0].1, Some("as every date allows it")),
        }
    }
}

impl OrderCounts {
    fn push(&mut self, micros: i64) {
        self.cells += 1;
        widen(&mut self.range, micros);
        if let Some(previous) = self.previous {
            self.widest_step = self.widest_step.max(micros.saturating_sub(previous).saturating_abs());
        }
        self.previous = Some(micros);
    }
}

fn widen(range: &mut Option<(i64, i64)>, micros: i64) {
    let (min, max) = range.unwrap_or((micros, micros));
    *range = Some((min.min(micros), max.max(micros)));
}

/// Whether a text names a year beside other numbers.
fn looks_like_date(text: &str) -> bool {
    let mut runs = text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
    let is_year = |run: &str| run.len() == 4 && (run.starts_with("19") || run.starts_with("20"));
    let (mut years, mut others) = (0, 0);
    let is_short = runs.all(|run| {
        if is_year(run) {
            years += 1
        } else {
            others += 1
        }
        run.len() <= 4
    });
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    is_short && years == 1 && others <= 6 && (others >= 1 || letters >= 3) && letters <= 12 && text.len() <= 40
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::token;

    fn evidence(cells: &[&str]) -> DateEvidence {
        let mut evidence = DateEvidence::default();
        for cell in cells {
            match token::moment(cell) {
                Some(micros) => evidence.push_iso(micros),
                None if evidence.push(cell) => {}
                None => evidence.push_other(cell),
            }
        }
        evidence
    }

    fn check(cells: &[&str], format: &str, n: u64, is_ambiguous: bool) {
        let reading = evidence(cells).reading().unwrap();
        let got = reading.format.as_ref().map_or("ISO".to_owned(), ToString::to_string);
        assert_eq!((got.as_str(), reading.cells, reading.ambiguous.is_some()), (format, n, is_ambiguous), "{cells:?}");
    }

    #[test]
    fn one_thirteenth_decides_the_order() {
        check(&["01/02/2025", "03/13/2025"], "month first", 2, false);
        check(&["01/02/2025", "13/03/2025"], "day first", 2, false);
        check(&["2025/01/31", "2025/02/01"], "year first", 2, false);
        check(&["25/01/31", "25/02/01"], "year first", 2, true);
        check(&["2025-01-31", "2025-02-01T10:00Z"], "ISO", 2, false);
        check(&["2025-01-31", "01.02.2025"], "day first", 2, true);
        check(&["31-Jan-2025", "n/a", "1-Feb-2025"], "day first", 2, false);
        check(&["17:24:00", "5:25 PM"], "time of day", 2, false);
    }

    #[test]
    fn what_can_be_swapped_throughout_is_told() {
        check(&["03/04/2025", "05/06/2025"], "month first", 2, true);
        check(&["03.04.2025", "05.06.2025"], "day first", 2, true);
        check(&["05/05/2025", "06/06/2025"], "day first", 2, false);
        // One hour, and one day, after the other.
        check(&["1/1/2015 11:00:00 PM", "1/2/2015 12:00:00 AM"], "month first", 2, true);
        check(&["1/1/2007 23:59", "2/1/2007 00:00", "2/1/2007 00:01"], "day first", 3, true);
    }

    #[test]
    fn what_looks_like_a_date_is_noticed() {
        let like = |text: &str| evidence(&[text]).like().0 == 1;
        for text in ["31/Foo/2025", "2025-W05", "Q1 2025", "2025年1月31日", "1/32/2025"] {
            assert!(like(text), "{text}");
        }
        for text in ["tcp", "B-00001", "1999999", "user 2025012", "x1"] {
            assert!(!like(text), "{text}");
        }
    }
}
