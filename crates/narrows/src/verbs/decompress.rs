//! `narrows decompress`: decompresses a file to rows or images.

use std::io::{BufReader, Read};
use std::ops::Range;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use narrows_core::compress::TableDecompressor;
use narrows_core::data::{Format, Table};
use narrows_core::{Error, Model};

use super::compress::{self, decompress_images};
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::output::OutputArgs;
use crate::pipeline::write_while;

/// Decompress a file written by `narrows compress` with the same model
///
/// The result is identical on every machine. Corrupt or truncated files, files of a later version, and files of another
/// model are errors, and no output file is created.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows decompress m.narrows data.nrw -o back.csv",
    before_long_help = "Examples:\n  narrows decompress m.narrows data.nrw -o back.csv\n  \
                        narrows decompress m.narrows data.nrw --rows 1000-1010\n  \
                        narrows decompress photos.narrows photo.nrw -o photo.png"
)]
pub(crate) struct Decompress {
    #[command(flatten)]
    model: ModelArg,
    /// File written by `narrows compress`; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Decompress only these rows, counted from 0, inclusive; only their chunks are read
    #[arg(long, value_name = "FROM-TO", value_parser = rows)]
    rows: Option<Range<u64>>,
    #[command(flatten)]
    output: OutputArgs,
}

fn rows(text: &str) -> Result<Range<u64>, String> {
    let expected = || format!("expected two row numbers such as 1000-1010, got `{text}`");
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to): (u64, u64) = (from.parse().map_err(|_| expected())?, to.parse().map_err(|_| expected())?);
    if to < from || to == u64::MAX { Err(expected()) } else { Ok(from..to + 1) }
}

impl Decompress {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let targets = self.output.targets().reads([&self.model.path, &self.file]);
        targets.check()?;
        let model = self.model.load(common)?;
        if let Model::Images(model) = &model {
            if self.rows.is_some() {
                return Err(Error::recipe("--rows", "expected a table, got images, which have no rows").into());
            }
            let target = self.output.folder("the images, or an image file for one")?;
            return decompress_images(model, self.source()?, target, &targets, common).map_err(
                |failure| match failure {
                    Failure::Library(error) => error.of_file(&self.file).into(),
                    failure => failure,
                },
            );
        }
        let model = model.into_tabular()?;
        let told = |error: Error| Failure::from(error.of_file(&self.file));
        // Numbers of a text file stay as they were written where they are text again.
        let is_text = matches!(self.output.table_format()?, Format::Csv | Format::Tsv);
        let mut next: Box<dyn FnMut() -> narrows_core::Result<Option<Table>>> = match &self.rows {
            Some(rows) => {
                if self.file.as_os_str() == "-" {
                    let message = "expected a file that can be read from the middle, got a pipe";
                    return Err(Error::recipe("--rows", message).into());
                }
                let file = compress::open(&self.file)?;
                let reader = TableDecompressor::of_rows(model.as_ref(), file, rows.clone()).map_err(told)?;
                let mut reader = if is_text { reader } else { reader.with_types() };
                Box::new(move || reader.next_rows())
            }
            None => {
                let reader = TableDecompressor::new(model.as_ref(), self.source()?).map_err(told)?;
                let mut reader = if is_text { reader } else { reader.with_types() };
                Box::new(move || reader.next_table())
            }
        };
        let writer = write_while(self.output.writer()?, |send| {
            while let Some(table) = next().map_err(told)? {
                if !send(table.batch().clone()) {
                    break;
                }
            }
            Ok(())
        })?;
        writer.finish()?;
        Ok(Outcome::Done)
    }

    fn source(&self) -> Result<Box<dyn Read>, Failure> {
        if self.file.as_os_str() == "-" {
            return Ok(Box::new(BufReader::new(std::io::stdin())));
        }
        Ok(Box::new(compress::open(&self.file)?))
    }
}
