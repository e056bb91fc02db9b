//! New rows that match a condition: the rows of the infinite sequence of a seed that match, the others passed over.
//!
//! Rejection draws exactly from the model's distribution given the condition, whatever the condition is. How many rows
//! are drawn in vain is bounded and told.

use std::sync::Arc;

use arrow::array::ArrayRef;

use super::generate::decoded_draws;
use crate::data::{Filter, Table};
use crate::error::{Error, Result};
use crate::fitted::adapter::TabularAdapter;
use crate::fitted::core::Core;

/// Rows drawn for one that matches, at most, and those drawn before that is asked.
const MOST_DRAWS_A_ROW: u64 = 20_000;
const FIRST_DRAWS: u64 = 1_000_000;
/// Rows drawn at a time.
const LEAST_AT_A_TIME: usize = 1_024;
const MOST_AT_A_TIME: usize = 65_536;

/// New rows that match a condition.
///
/// The first ones depend neither on how many are taken nor on how many are taken at a time.
pub struct ConditionalRows {
    adapter: Arc<dyn TabularAdapter>,
    core: Arc<Core>,
    condition: Filter,
    seed: u64,
    /// Rows drawn, and those of them that matched.
    drawn: u64,
    matched: u64,
    /// Those that matched and were not taken yet.
    left: Option<Table>,
}

impl ConditionalRows {
    /// Of a model of tables.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a model of series; [`Error::Recipe`] for a column that new rows lack.
    pub(crate) fn of(
        adapter: Arc<dyn TabularAdapter>,
        core: Arc<Core>,
        condition: Filter,
        seed: u64,
    ) -> Result<ConditionalRows> {
        if !adapter.rows_are_independent() {
            let message = "expected a model of single rows for a condition, got one of points in time";
            return Err(Error::mismatch(message));
        }
        let rows = ConditionalRows { adapter, core, condition, seed, drawn: 0, matched: 0, left: None };
        let names = rows.draw(0, 0)?.written;
        rows.condition.check_columns(&names.names())?;
        Ok(rows)
    }

    /// The next `n` rows.
    ///
    /// # Errors
    /// [`Error::Data`] if hardly any row matches.
    pub fn take(&mut self, n: usize) -> Result<Table> {
        let mut parts: Vec<Table> = self.left.take().into_iter().collect();
        let mut there: usize = parts.iter().map(Table::n_rows).sum();
        while there < n {
            if self.drawn >= FIRST_DRAWS.max(self.matched.saturating_mul(MOST_DRAWS_A_ROW)) {
                let (drawn, matched) = (self.drawn, self.matched);
                let message = format!(
                    "expected new rows for which {}, got {matched} of {drawn} drawn, which is too rare to go on",
                    self.condition
                );
                let error = Error::recipe("where", message);
                return Err(error.with_hint("a model fitted to such rows alone draws no others"));
            }
            let usual = self.matched.max(1) as f64 / self.drawn.max(1) as f64;
            let wanted = ((n - there) as f64 / usual * 1.1) as usize;
            let drawn = self.draw(wanted.clamp(LEAST_AT_A_TIME, MOST_AT_A_TIME), self.drawn)?;
            self.drawn += drawn.written.n_rows() as u64;
            let rows = self.condition.matching(&drawn.compared());
            self.matched += rows.len() as u64;
            there += rows.len();
            parts.push(drawn.written.take(&rows));
        }
        let all = if parts.is_empty() { self.draw(0, 0)?.written } else { Table::concat(&parts)? };
        self.left = Some(all.slice(n, all.n_rows() - n));
        Ok(all.slice(0, n))
    }

    /// Number of rows drawn, and of those that matched.
    pub fn counts(&self) -> (u64, u64) {
        (self.drawn, self.matched)
    }

    fn draw(&self, n: usize, first: u64) -> Result<DrawnRows> {
        let mut outputs = decoded_draws(&self.core, n, first, self.seed);
        self.adapter.new_rows(&self.core, &mut outputs, first, self.seed)
    }
}

/// Drawn rows, as typed columns of the network and as the training file has them.
pub struct DrawnRows {
    pub(crate) typed: Table,
    pub(crate) written: Table,
}

impl DrawnRows {
    /// All columns, those of the network as values rather than as the file writes them.
    fn compared(&self) -> Table {
        let array =
            |name: &str| -> Option<ArrayRef> { self.typed.column(name).or_else(|| self.written.column(name)).cloned() };
        let columns = self.written.names().into_iter().filter_map(|name| Some((name.to_owned(), array(name)?)));
        Table::from_arrays(columns.collect(), self.written.source()).unwrap_or_else(|_| self.written.clone())
    }
}
