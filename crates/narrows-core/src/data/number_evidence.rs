//! What the cells of a column say about how its numbers are written.
//!
//! Every cell is counted for each style it fits; the style that fits most cells is the column's. If several fit equally
//! many, as with `1,234`, the other columns of the file decide.

use super::number_format::{DecimalMark, NumberFormat, STYLES};
use super::number_text::NumberText;

/// Different currencies and units counted; more are no format.
const MOST_AFFIXES: usize = 12;
/// From this share of the cells on, a second unit is no stray cell.
const SECOND_UNIT: f64 = 0.05;

/// Counts of cells by the way their numbers are written.
#[derive(Debug, Default)]
pub(super) struct NumberEvidence {
    /// Plain numbers without a point.
    whole: u64,
    /// Plain numbers with a point.
    point: u64,
    /// Those of them whose points may separate thousands.
    grouped: u64,
    /// Whole numbers with leading zeros.
    pub(super) leading_zeros: u64,
    affixes: Vec<AffixCounts>,
    /// Numbers with further currencies or units.
    unlisted: u64,
    /// A plain number with a point.
    sample: Option<String>,
    zero_sample: Option<String>,
}

/// Cells with the same currency and unit, which are not plain numbers.
#[derive(Debug)]
struct AffixCounts {
    prefix: String,
    suffix: String,
    cells: u64,
    whole: u64,
    /// By the index of the style.
    fits: [u64; STYLES.len()],
    /// Cells that are other numbers in other styles, and the first.
    ambiguous: u64,
    ambiguous_sample: Option<String>,
    sample: String,
}

/// How the numbers of a column are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NumberReading {
    /// `None` for plain numbers.
    pub(super) format: Option<NumberFormat>,
    /// Cells that are numbers in this format.
    pub(super) cells: u64,
    /// Those of them without the unit that the others have.
    pub(super) bare: u64,
    /// A cell that would be another number in a format that fits as well.
    pub(super) ambiguous: Option<String>,
    /// Whether the fitting cells are all whole.
    pub(super) is_whole: bool,
    /// Cells with other units than the chosen, if they are no stray ones, with examples.
    pub(super) other_units: Vec<String>,
    /// Examples of numbers that do not fit.
    pub(super) unfit: Vec<String>,
}

impl NumberEvidence {
    /// Counts a plain number.
    pub(super) fn push_plain(&mut self, text: &str) {
        let bytes = text.as_bytes();
        if let Some(point) = bytes.iter().position(|byte| *byte == b'.') {
            self.point += 1;
            self.grouped += u64::from(is_grouped(bytes, point));
            if self.sample.is_none() {
                self.sample = Some(text.to_owned());
            }
        } else {
            self.whole += 1;
            if bytes[0] == b'0' && bytes.len() > 1 && bytes.iter().all(u8::is_ascii_digit) {
                self.leading_zeros += 1;
                self.zero_sample.get_or_insert_with(|| text.to_owned());
            }
        }
    }

    /// Counts a number that is not plain.
    pub(super) fn push(&mut self, parts: &NumberText<'_>, text: &str) {
        let is_same = |counts: &AffixCounts| counts.prefix == parts.prefix && counts.suffix == parts.suffix;
        let place = self.affixes.iter().position(is_same);
        let counts = match place {
            Some(place) => &mut self.affixes[place],
            None if self.affixes.len() < MOST_AFFIXES => {
                self.affixes.push(AffixCounts {
                    prefix: parts.prefix.to_owned(),
                    suffix: parts.suffix.to_owned(),
                    cells: 0,
                    whole: 0,
                    fits: [0; STYLES.len()],
                    ambiguous: 0,
                    ambiguous_sample: None,
                    sample: text.to_owned(),
                });
                self.affixes.last_mut().expect("just added")
            }
            None => {
                self.unlisted += 1;
                return;
            }
        };
        counts.cells += 1;
        counts.whole += u64::from(parts.is_whole());
        for (fits, style) in counts.fits.iter_mut().zip(STYLES) {
            *fits += u64::from(parts.fits(style));
        }
        if parts.is_ambiguous() {
            counts.ambiguous += 1;
            counts.ambiguous_sample.get_or_insert_with(|| text.to_owned());
        }
    }

    /// Cells that are numbers in any way.
    pub(super) fn cells(&self) -> u64 {
        self.plain() + self.affixes.iter().map(|counts| counts.cells).sum::<u64>() + self.unlisted
    }

    /// Whether all plain numbers are whole.
    pub(super) fn is_whole(&self) -> bool {
        self.point == 0
    }

    /// An example of leading zeros.
    pub(super) fn zeros(&self) -> &str {
        self.zero_sample.as_deref().unwrap_or("007")
    }

    fn plain(&self) -> u64 {
        self.whole + self.point
    }

    /// Cells that are numbers with a decimal comma only, and with a decimal point only.
    pub(super) fn decimals(&self) -> (u64, u64) {
        let most = |styles: std::ops::Range<usize>| {
            styles.map(|style| self.counts(style).iter().map(|(_, cells)| *cells).max().unwrap_or(0)).max().unwrap_or(0)
        };
        let (point, comma) = (most(0..4), most(4..8));
        (comma.saturating_sub(point), point.saturating_sub(comma))
    }

    /// Cells that fit the style, by the affix that fits most cells beside those without one; -1 is none.
    fn counts(&self, style: usize) -> Vec<(Option<usize>, u64)> {
        let plain = match STYLES[style] {
            (DecimalMark::Point, _) => self.plain(),
            (DecimalMark::Comma, Some(super::ThousandsMark::Point)) => self.whole + self.grouped,
            (DecimalMark::Comma, _) => self.whole,
        };
        let is_bare = |counts: &AffixCounts| counts.prefix.is_empty() && counts.suffix.is_empty();
        let bare: u64 = self.affixes.iter().filter(|counts| is_bare(counts)).map(|counts| counts.fits[style]).sum();
        let with = self.affixes.iter().enumerate().filter(|(_, counts)| !is_bare(counts));
        std::iter::once((None, plain + bare))
            .chain(with.map(|(i, counts)| (Some(i), plain + bare + counts.fits[style])))
            .collect()
    }

    /// The format that fits most cells; `is_comma` if the file has decimal commas, which decides between equals.
    pub(super) fn reading(&self, is_comma: bool) -> Option<NumberReading> {
        let order: [usize; 8] = if is_comma { [4, 5, 6, 7, 0, 1, 2, 3] } else { [0, 1, 2, 3, 4, 5, 6, 7] };
        let mut best: Option<(usize, Option<usize>, u64)> = None;
        for style in order {
            for (affix, cells) in self.counts(style) {
                if cells > best.map_or(0, |(.., most)| most) {
                    best = Some((style, affix, cells));
                }
            }
        }
        let (style, affix, cells) = best?;
        let (decimal, thousands) = STYLES[style];
        let chosen = affix.map(|i| &self.affixes[i]);
        let bare = self.affixes.iter().find(|counts| counts.prefix.is_empty() && counts.suffix.is_empty());
        let is_plain = style == 0 && chosen.is_none() && bare.is_none_or(|bare| bare.fits[0] == 0);
        let affix_of = |of: fn(&AffixCounts) -> &String| chosen.map_or_else(String::new, |counts| of(counts).clone());
        let format = (!is_plain).then(|| NumberFormat {
            decimal,
            thousands,
            prefix: affix_of(|counts| &counts.prefix),
            suffix: affix_of(|counts| &counts.suffix),
        });
        let fitting = || chosen.into_iter().chain(bare);
        // Equals of the other decimal mark, which would give other numbers.
        let others = if style < 4 { 4..8 } else { 0..4 };
        let has_equal = others.clone().any(|style| self.counts(style).iter().any(|(_, other)| *other == cells));
        let marked = fitting().find_map(|counts| counts.ambiguous_sample.clone());
        let grouped = (style == 5).then(|| self.sample.clone()).flatten();
        let is_other = |i: usize, counts: &&AffixCounts| {
            Some(i) != affix && !(counts.prefix.is_empty() && counts.suffix.is_empty()) && counts.cells > 0
        };
        let others: Vec<&AffixCounts> =
            self.affixes.iter().enumerate().filter(|(i, counts)| is_other(*i, counts)).map(|(_, c)| c).collect();
        let other_cells: u64 = others.iter().map(|counts| counts.cells).sum::<u64>() + self.unlisted;
        let is_several = chosen.is_some() && other_cells as f64 >= SECOND_UNIT * self.cells() as f64;
        let mut unfit: Vec<String> = others.iter().map(|counts| counts.sample.clone()).collect();
        unfit.extend(fitting().filter(|counts| counts.fits[style] < counts.cells).map(|counts| counts.sample.clone()));
        if decimal == DecimalMark::Comma {
            unfit.extend(self.sample.clone().filter(|_| self.point > self.grouped || thousands.is_none()));
        }
        Some(NumberReading {
            format,
            cells,
            bare: chosen.map_or(0, |counts| cells - counts.fits[style]),
            ambiguous: if has_equal { marked.or(grouped) } else { None },
            is_whole: (self.point == 0 || style == 5) && fitting().all(|counts| counts.whole == counts.cells),
            other_units: if is_several {
                others.iter().map(|counts| counts.sample.clone()).collect()
            } else {
                Vec::new()
            },
            unfit,
        })
    }
}

/// Whether the point may separate thousands, as in 12.345.
fn is_grouped(bytes: &[u8], point: usize) -> bool {
    let whole = &bytes[usize::from(matches!(bytes[0], b'+' | b'-'))..point];
    let is_start = (1..=3).contains(&whole.len()) && whole[0] != b'0';
    is_start && bytes.len() == point + 4 && bytes[point + 1..].iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::token;

    fn evidence(cells: &[&str]) -> NumberEvidence {
        let mut evidence = NumberEvidence::default();
        for cell in cells {
            if token::number(cell).is_some() {
                evidence.push_plain(cell);
            } else if let Some(parts) = NumberText::of(cell) {
                evidence.push(&parts, cell);
            }
        }
        evidence
    }

    fn check(cells: &[&str], is_comma: bool, format: &str, n: u64, is_ambiguous: bool) {
        let reading = evidence(cells).reading(is_comma).unwrap();
        let got = reading.format.as_ref().map_or("plain".to_owned(), ToString::to_string);
        assert_eq!((got.as_str(), reading.cells, reading.ambiguous.is_some()), (format, n, is_ambiguous), "{cells:?}");
    }

    #[test]
    fn the_format_is_what_fits_most_cells() {
        check(&["1.5", "2", "-3e4"], false, "plain", 3, false);
        check(&["1,5", "2", "3,25"], false, "decimal comma", 3, false);
        check(&["1.234,5", "2", "3,25"], false, "decimal comma, thousands separated by points", 3, false);
        check(&["$1,234.50", "$5", "7"], false, "decimal point, thousands separated by commas, in `$`", 3, false);
        check(&["55 %", "60%", "n/a", "7.5 %"], false, "decimal point, in `%`", 3, false);
        check(&["(12.50)", "3.1"], false, "decimal point", 2, false);
        check(&["1 234", "12 345,5"], false, "decimal comma, thousands separated by spaces", 2, false);
        check(&["1,5", "2,5", "1.5"], false, "decimal comma", 2, false);
    }

    #[test]
    fn what_fits_two_formats_is_decided_by_the_file() {
        check(&["1,234", "2,345"], false, "decimal point, thousands separated by commas", 2, true);
        check(&["1,234", "2,345"], true, "decimal comma", 2, true);
        check(&["1,234", "0,345"], false, "decimal comma", 2, false);
        check(&["1,234,567", "2,345"], true, "decimal point, thousands separated by commas", 2, false);
        check(&["1.234", "12.345"], false, "plain", 2, false);
        check(&["1.234", "12.345"], true, "decimal comma, thousands separated by points", 2, true);
        assert_eq!(evidence(&["1,5", "2"]).decimals(), (1, 0));
        assert_eq!(evidence(&["1.5", "2"]).decimals(), (0, 1));
        assert_eq!(evidence(&["1,234", "2"]).decimals(), (0, 0));
    }

    #[test]
    fn several_units_are_noticed() {
        let reading = evidence(&["1 kg", "2 kg", "3 g", "4 g"]).reading(false).unwrap();
        assert_eq!((reading.cells, reading.other_units), (2, vec!["3 g".to_owned()]));
        let mut stray = vec!["1 kg"; 99];
        stray.push("3 g");
        assert!(evidence(&stray).reading(false).unwrap().other_units.is_empty());
    }

    #[test]
    fn leading_zeros_are_counted() {
        let evidence = evidence(&["01067", "80331", "0", "0.5", "00"]);
        assert_eq!((evidence.leading_zeros, evidence.zeros()), (2, "01067"));
        assert!(!evidence.is_whole());
    }
}
