//! `narrows encode`: the code (latent representation) of every row, as features for other programs.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, StringArray};
use clap::Args as ClapArgs;
use narrows_core::images::Album;
use narrows_core::output::{TableWriter, batch, counts};
use narrows_core::{Encoder, Error, Model};

use super::score::Keep;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg, ResizeArg};
use crate::images;
use crate::input::InputArgs;
use crate::output::OutputArgs;
use crate::pipeline::{self, Portion};
use crate::shards::{ShardArg, ShardTask};

/// Encode rows or images; write their codes as columns code_0, code_1, ...
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
    /// Copy these input columns to the output, before the code
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    keep: Vec<String>,
    #[command(flatten)]
    resize: ResizeArg,
    #[command(flatten)]
    shard: ShardArg,
}

impl Encode {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        self.output.targets().reads([&self.model.path]).reads(self.input.inputs()).check()?;
        let model = self.model.load(common)?;
        // Without its decoder a model does not know the size of the images of the training.
        let whole = if let Model::Images(images) = &model { Some(images.clone()) } else { None };
        let encoder = model.into_encoder()?;
        let Some(schema) = encoder.schema() else {
            self.shard.refuse("images")?;
            if !self.keep.is_empty() {
                return Err(Error::recipe("--keep", "expected a table, got images, which have no columns").into());
            }
            let album = images::open(self.input.inputs(), common.talk())?;
            if let Some(model) = &whole {
                images::check_sizes(model, &album, self.resize.resize, common.talk())?;
            }
            return encode_images(&encoder, &album, self.output.writer()?, common);
        };
        let source = self.input.table()?;
        let task = ShardTask {
            verb: "encode",
            model: &self.model.path,
            options: format!("{:?}", self.keep),
            rows_are_independent: encoder.rows_are_independent(),
        };
        let parts = self.shard.folder(&self.output, &source, &task)?;
        if let Some(parts) = &parts
            && parts.is_done(&self.output, common.talk())?
        {
            return Ok(Outcome::Done);
        }
        let source = self.shard.of(source);
        let output = parts.as_ref().map_or_else(|| self.output.clone(), |parts| self.output.to_file(parts.part()));
        let keep = Keep::new(self.keep, &[])?;
        keep.check_rows(encoder.rows_are_independent())?;
        let (wanted, portion) = (keep.wanted(schema), Portion::of_rows(encoder.rows_are_independent()));
        pipeline::transform(&source, wanted, portion, output.writer()?, |table| {
            let codes = encoder.encode(table)?;
            let mut columns = keep.columns(table)?;
            let names = codes.names().into_iter().map(str::to_owned);
            columns
                .extend(names.zip(codes.batch().columns().iter().map(Arc::clone)).collect::<Vec<(String, ArrayRef)>>());
            Ok(batch(columns))
        })?;
        parts.map_or(Ok(()), |parts| parts.finish())?;
        Ok(Outcome::Done)
    }
}

/// Encodes images: one row per image, or per patch.
fn encode_images(
    encoder: &Encoder,
    album: &Album,
    mut writer: TableWriter<'_>,
    common: &Common,
) -> Result<Outcome, Failure> {
    let mut n = 0;
    let skipped = images::each_batch(album, common.talk(), |which, images| {
        let by_image = encoder.encode_batch(images)?;
        let names = which.iter().zip(&by_image).flat_map(|(i, codes)| std::iter::repeat_n(album.name(*i), codes.len()));
        let names: Vec<String> = names.collect();
        let mut columns: Vec<(String, ArrayRef)> = vec![("image".to_owned(), Arc::new(StringArray::from(names)))];
        if encoder.sees_patches() {
            let pieces = by_image.iter().flat_map(|codes| 0..codes.len() as u64);
            columns.push(("piece".to_owned(), counts(pieces.map(Some))));
        }
        n += by_image.len() as u64;
        let codes = by_image.concat();
        for unit in 0..encoder.code_size() {
            let values = Float32Array::from_iter_values(codes.iter().map(|code| code[unit]));
            columns.push((format!("code_{unit}"), Arc::new(values)));
        }
        Ok(writer.write(&batch(columns))?)
    })?;
    writer.finish()?;
    Ok(images::done(n, skipped, common.talk()))
}
