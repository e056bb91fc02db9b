//! `narrows encode`: every row's code, the narrow middle of the network, as features for other programs.

use std::sync::Arc;

use arrow::array::ArrayRef;
use clap::Args as ClapArgs;
use narrows_core::Error;
use narrows_core::output::batch;

use super::images;
use super::score::Keep;
use crate::args::{Common, ModelArg};
use crate::failure::{Failure, Outcome};
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::pipeline::{self, Portion};

/// Turn rows into their codes: code_0, code_1 and so on
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows encode m.narrows new.csv -o codes.parquet",
    before_long_help = "Examples:\n  narrows encode m.narrows new.csv -o codes.parquet\n  narrows encode m.narrows new.csv --keep id"
)]
pub(crate) struct Encode {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Copy these columns of the input, before the code
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    keep: Vec<String>,
}

impl Encode {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let encoder = self.model.load_any()?.encoder()?;
        if encoder.reads_images() {
            if !self.keep.is_empty() {
                return Err(Error::recipe("--keep", "expected a table, got images, which have no columns").into());
            }
            return images::code::encode(&encoder, self.input.inputs(), self.output.writer()?, common);
        }
        let threads = common.threads()?;
        let source = self.input.table()?;
        let keep = Keep::new(self.keep, &[])?;
        keep.check_rows(encoder.rows_stand_alone())?;
        let (wanted, portion) = (keep.wanted(encoder.schema()), Portion::of_rows(encoder.rows_stand_alone()));
        pipeline::transform(&source, wanted, portion, self.output.writer()?, |table| {
            let codes = encoder.encode(table, &threads)?;
            let mut columns = keep.columns(table)?;
            let names = codes.names().into_iter().map(str::to_owned);
            columns
                .extend(names.zip(codes.batch().columns().iter().map(Arc::clone)).collect::<Vec<(String, ArrayRef)>>());
            Ok(batch(columns))
        })?;
        Ok(Outcome::Done)
    }
}
