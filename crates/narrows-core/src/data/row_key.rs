//! What identifies a row, whatever files or partitions hold it.

use super::form::Form;
use super::table::Table;
use crate::error::{Place, Result};

/// What identifies a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RowKey {
    /// Its number in the whole data.
    #[default]
    Position,
    /// Its cells in these columns: rows may then come in any order.
    Columns(Vec<String>),
}

impl RowKey {
    /// The key of these columns; without any, the position.
    pub fn of(columns: Vec<String>) -> RowKey {
        if columns.is_empty() { RowKey::Position } else { RowKey::Columns(columns) }
    }

    /// The hash of each row's key.
    ///
    /// # Errors
    /// If a column is not there or holds neither numbers, text, dates nor flags.
    pub(super) fn hashes(&self, table: &Table, seed: u64) -> Result<Vec<u64>> {
        Ok(match self {
            RowKey::Position => (0..table.n_rows()).map(|i| of_number(seed, table.row_number(i))).collect(),
            RowKey::Columns(columns) => {
                let mut hashes = vec![mix(seed); table.n_rows()];
                for column in columns {
                    fold_column(&mut hashes, table, column)?;
                }
                hashes
            }
        })
    }

    /// The largest hash of the rows of a sample: all rows of smaller ones are in it.
    ///
    /// # Errors
    /// As [`hashes`](RowKey::hashes).
    pub(super) fn last(&self, sample: &Table, seed: u64) -> Result<u64> {
        Ok(self.hashes(sample, seed)?.into_iter().max().unwrap_or(0))
    }

    /// The hash of all cells of each row where rows may share a key, to tell them apart.
    ///
    /// # Errors
    /// If a column holds neither numbers, text, dates nor flags.
    pub(super) fn cells(&self, table: &Table) -> Result<Vec<u64>> {
        let mut hashes = vec![0; table.n_rows()];
        if *self != RowKey::Position {
            for column in table.names() {
                fold_column(&mut hashes, table, column)?;
            }
        }
        Ok(hashes)
    }
}

/// The output function of SplitMix64 (Steele, Lea and Flood 2014), a bijection.
fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A bijection of the row number for each seed.
fn of_number(seed: u64, row: u64) -> u64 {
    mix(row.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ mix(seed.wrapping_add(0x5851_f42d_4c95_7f2d)))
}

fn folded(state: u64, word: u64) -> u64 {
    mix(state.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ word)
}

/// A hash of text.
pub(super) fn of_text(text: &str) -> u64 {
    let mut state = text.len() as u64;
    for chunk in text.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = folded(state, u64::from_le_bytes(word));
    }
    state
}

/// Missing cells are alike; numbers of one size are alike in every type.
fn fold_column(hashes: &mut [u64], table: &Table, column: &str) -> Result<()> {
    const MISSING: u64 = 0x6d69_7373;
    let form = Form::of(table.expect_column(column)?, &Place::column(column).of(table.source()))?;
    let mut fold = |words: &mut dyn Iterator<Item = Option<u64>>| {
        hashes.iter_mut().zip(words).for_each(|(hash, word)| *hash = folded(*hash, word.unwrap_or(MISSING)));
    };
    match &form {
        // -0 is 0.
        Form::Numbers(array) => fold(&mut array.iter().map(|x| x.map(|x| (x + 0.0).to_bits()))),
        Form::Flags(array) => fold(&mut array.iter().map(|x| x.map(u64::from))),
        Form::Moments(array) => fold(&mut array.iter().map(|x| x.map(|x| x as u64))),
        Form::Words(array) => fold(&mut array.iter().map(|x| x.map(of_text))),
    }
    Ok(())
}
