//! Codes: rows of integers with one [`Table`] of expected frequencies per column.
//!
//! Counts start from the table and adapt, so few rows cost what the table predicts and many cost their own
//! entropy. A symbol is coded as its bin, then its position within the bin; outside the table's bins as an escape, a side
//! and a distance.

use crate::{
    coder::{Coder, Decoder, Encoder, PRECISION, Share, Shares, WHOLE},
    error::{CodecError, Result},
    table::{Table, bin, half},
};

/// Initial sum of the counts of a table, when...
const START: u64 = 1 << 13;
/// ...an observed symbol adds this much: a table weighs as much as 256 rows.
const SEEN: u64 = 32;
/// Initial weight of an escape, of `START`.
const ESCAPE: u64 = START / 512;
/// Counts are halved at this sum, which prevents overflow.
const MOST: u64 = 1 << 32;
/// Maximum bits of a distance outside a table's bins.
const DISTANCE_BITS: u32 = 66;

/// The bins of one unit, followed by the escape.
struct Unit<'a> {
    table: &'a Table,
    counts: Vec<u64>,
    total: u64,
}

impl<'a> Unit<'a> {
    fn new(table: &'a Table) -> Self {
        let sum: u64 = table.counts().iter().map(|&count| u64::from(count)).sum();
        let mut counts: Vec<u64> =
            table.counts().iter().map(|&count| (u64::from(count) * START / sum).max(1)).collect();
        counts.push(ESCAPE);
        let total = counts.iter().sum();
        Unit { table, counts, total }
    }

    /// Start of the interval for cumulative count `below` of `total`, in `place` intervals.
    fn start(&self, place: usize, below: u64) -> u32 {
        let spare = u64::from(WHOLE) - self.counts.len() as u64;
        place as u32 + (u128::from(below) * u128::from(spare) / u128::from(self.total)) as u32
    }

    fn count(&mut self, symbol: usize) {
        self.counts[symbol] += SEEN;
        self.total += SEEN;
        if self.total > MOST {
            self.counts.iter_mut().for_each(|count| *count = (*count / 2).max(1));
            self.total = self.counts.iter().sum();
        }
    }

    /// Codes one symbol; `None` for bytes that no encoder writes.
    fn code(&mut self, coder: &mut impl Coder, symbol: i64) -> Option<i64> {
        let (lowest, shift) = (i128::from(self.table.lowest()), self.table.shift());
        let bins = self.table.counts().len();
        let beyond = lowest + bins as i128;
        let told = bin(symbol, shift);
        let place = if told < lowest || told >= beyond { bins } else { (told - lowest) as usize };
        let place = coder.symbol(self, place);
        self.count(place);
        let read = if place < bins {
            lowest + place as i128
        } else if coder.bit(WHOLE / 2, told < lowest) {
            lowest - 1 - code_distance(coder, lowest - 1 - told)?
        } else {
            beyond + code_distance(coder, told - beyond)?
        };
        let first = (read << shift) - half(shift);
        let within = coder.plain(shift, (i128::from(symbol) - first) as u64);
        i64::try_from(first + i128::from(within)).ok()
    }
}

/// Elias' gamma code.
fn code_distance(coder: &mut impl Coder, distance: i128) -> Option<i128> {
    let told = distance.max(0) as u128 + 1;
    let told_bits = told.ilog2();
    let mut bits = 0;
    while coder.bit(WHOLE / 2, bits < told_bits) {
        bits += 1;
        if bits > DISTANCE_BITS {
            return None;
        }
    }
    let high = coder.plain(bits.saturating_sub(32), (told >> 32) as u64);
    let low = coder.plain(bits.min(32), told as u64);
    Some((1i128 << bits | i128::from(high) << 32 | i128::from(low)) - 1)
}

impl Shares for Unit<'_> {
    fn share(&self, symbol: usize) -> Share {
        let below: u64 = self.counts[..symbol].iter().sum();
        let start = self.start(symbol, below);
        Share { start, width: self.start(symbol + 1, below + self.counts[symbol]) - start }
    }

    fn find(&self, point: u32) -> usize {
        let mut below = 0;
        for (place, count) in self.counts.iter().enumerate() {
            below += count;
            if point < self.start(place + 1, below) {
                return place;
            }
        }
        self.counts.len() - 1
    }
}

const _: () = assert!(Table::MOST_BINS + 1 < 1 << PRECISION);

/// Encodes `symbols`, rows with one symbol per table.
///
/// # Panics
///
/// If the symbols do not fill whole rows.
pub fn encode_codes(symbols: &[i64], tables: &[Table]) -> Vec<u8> {
    let mut units: Vec<Unit<'_>> = tables.iter().map(Unit::new).collect();
    let whole = if units.is_empty() { symbols.is_empty() } else { symbols.len().is_multiple_of(units.len()) };
    assert!(whole, "{} symbols are no whole rows of {} units", symbols.len(), units.len());
    let mut encoder = Encoder::new();
    for row in symbols.chunks(units.len().max(1)) {
        for (unit, &symbol) in units.iter_mut().zip(row) {
            let coded = unit.code(&mut encoder, symbol);
            debug_assert_eq!(coded, Some(symbol));
        }
    }
    encoder.finish()
}

/// Decodes `rows` rows with the tables of the encoder. The caller bounds `rows`: rows may cost
/// almost nothing, so their number cannot be checked against the bytes.
///
/// # Errors
///
/// If the bytes are not from [`encode_codes`].
pub fn decode_codes(bytes: &[u8], rows: usize, tables: &[Table]) -> Result<Vec<i64>> {
    let mut units: Vec<Unit<'_>> = tables.iter().map(Unit::new).collect();
    let mut decoder = Decoder::new(bytes);
    let mut symbols = Vec::new();
    if units.is_empty() {
        return Ok(symbols);
    }
    for row in 0..rows {
        for unit in &mut units {
            match unit.code(&mut decoder, 0) {
                Some(symbol) if !decoder.is_broken() => symbols.push(symbol),
                _ => return Err(CodecError::malformed("codes", "bytes of an encoder", format!("others in row {row}"))),
            }
        }
    }
    Ok(symbols)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(symbols: &[i64], tables: &[Table]) -> usize {
        let bytes = encode_codes(symbols, tables);
        let rows = symbols.len() / tables.len().max(1);
        assert_eq!(decode_codes(&bytes, rows, tables).unwrap(), symbols);
        bytes.len()
    }

    #[test]
    fn one_row_costs_its_information() {
        // Each of 16 units has 32 equally likely symbols: 80 bits, plus little for escapes.
        let table = Table::new(-16, 0, vec![1; 32]).unwrap();
        let symbols: Vec<i64> = (0..16).map(|at| (at * 7) % 32 - 16).collect();
        assert!(check(&symbols, &vec![table; 16]) <= 11);
    }

    #[test]
    fn many_rows_cost_their_own_entropy() {
        // The table expects 32 symbols, the data have two of them: one bit per symbol.
        let table = Table::new(-16, 0, vec![1; 32]).unwrap();
        let symbols: Vec<i64> =
            (0..40_000u64).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 63) as i64).collect();
        let size = check(&symbols, &[table]);
        assert!(size < 5_300, "{size}");
    }

    #[test]
    fn far_symbols_escape() {
        let table = Table::from_symbols([0, 1, 2]);
        check(&[1 << 62, -(1 << 62), i64::MAX, i64::MIN, 3, -1], std::slice::from_ref(&table));
        check(&[1 << 62, -(1 << 62), i64::MAX, i64::MIN, 3, -1], &[table.at(-60)]);
    }

    #[test]
    fn no_rows_and_no_tables_are_empty() {
        assert_eq!(check(&[], &[]), 0);
        assert_eq!(check(&[], &[Table::from_symbols([1])]), 0);
    }

    proptest! {
        #[test]
        fn any_symbols_come_back(
            symbols in prop::collection::vec(any::<i64>(), 0..60),
            near in prop::collection::vec(-50i64..50, 0..60),
            level in -70i32..70,
        ) {
            let tables = [Table::from_symbols(near.iter().copied()).at(level), Table::from_symbols(symbols.iter().copied())];
            let mixed: Vec<i64> = near.iter().zip(&symbols).flat_map(|(&a, &b)| [a, b]).collect();
            check(&mixed, &tables);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60), level in -70i32..70) {
            let tables = [Table::from_symbols([1, 2, 3]).at(level), Table::from_symbols([i64::MIN, i64::MAX])];
            let _ = decode_codes(&bytes, 50, &tables);
        }
    }
}
