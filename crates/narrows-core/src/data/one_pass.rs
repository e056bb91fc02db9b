//! One pass over files: a thread reads while another summarises.

use std::sync::mpsc::sync_channel;
use std::thread;

use super::reader::Reader;
use super::summary::DataSummary;
use super::table::Table;
use crate::error::Result;

/// Tables that wait to be summarised.
const WAITING: usize = 2;

impl DataSummary {
    /// Adds all rows that a reader has left; `each` hears how many came, and the share of the files read so far if it is
    /// known.
    ///
    /// # Errors
    /// If the data is invalid, a column changes its type between files, or the rows kept unfold to more than the files'
    /// sizes justify.
    pub fn read(&mut self, reader: &mut Reader, mut each: impl FnMut(usize, Option<f64>)) -> Result<()> {
        let most = self.sample_rows() as f64;
        thread::scope(|scope| {
            let (send, receive) = sync_channel(WAITING);
            scope.spawn(move || {
                let (mut rows, mut bytes) = (0, 0);
                while let Some(table) = reader.next() {
                    let table = table.and_then(|table| {
                        rows += table.n_rows() as u64;
                        bytes += table.bytes();
                        // Of more rows than are kept, their share is.
                        let held = bytes as f64 * (most / rows.max(1) as f64).min(1.0);
                        reader.check_held(&table, held as u64).map(|()| table)
                    });
                    let is_last = table.is_err();
                    // A failed send means that the receiver was dropped.
                    if send.send((table, reader.share())).is_err() || is_last {
                        break;
                    }
                }
            });
            receive.into_iter().try_for_each(|(table, share): (Result<Table>, _)| {
                let table = table?;
                self.add(&table)?;
                each(table.n_rows(), share);
                Ok(())
            })
        })
    }
}
