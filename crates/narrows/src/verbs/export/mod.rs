//! `narrows export`: saves part of a model, or the model in another format.

mod check;

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs};
use narrows_core::file::write_atomically;
use narrows_core::onnx::OnnxInputs;
use narrows_core::{Error, Model};

use super::fit;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::targets::{ForceArg, Targets};

/// Save a model as an ONNX file, or part of it
///
/// With --onnx, writes one graph with everything that a score needs, from raw columns or pixels to scores, labels and
/// p-values, for ONNX Runtime and other runtimes.
///
/// With --encoder-only, saves only preprocessing and encoder: smaller than the model, contains no training rows,
/// supports only `narrows encode`, and gives bit-identical codes.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows export m.narrows --onnx -o m.onnx",
    before_long_help = "Examples:\n  narrows export m.narrows --onnx -o m.onnx\n  \
        narrows export m.narrows --onnx --check new.csv -o m.onnx\n  \
        narrows export m.narrows --encoder-only -o small.narrows"
)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["onnx", "encoder_only"]))]
pub(crate) struct Export {
    #[command(flatten)]
    model: ModelArg,
    /// Write an ONNX file
    #[arg(long)]
    onnx: bool,
    /// What the graph of a table reads: an input for each column, or one matrix of prepared rows
    #[arg(long, value_name = "KIND", default_value = "columns", value_parser = ["columns", "matrix"], requires = "onnx")]
    inputs: String,
    /// Before it is written, score these rows or images with the graph, too, and fail if a score or a label differs; needs
    /// Python with the package onnxruntime
    #[arg(long, value_name = "INPUT", requires = "onnx", conflicts_with = "encoder_only")]
    check: Option<String>,
    /// Omit the decoder
    #[arg(long)]
    encoder_only: bool,
    /// Output file
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    force: ForceArg,
}

impl Export {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        if self.output.as_os_str() == "-" {
            return Err(Error::recipe("--output", "expected a file for the model, got `-`").into());
        }
        let targets = Targets::new(self.force).reads([&self.model.path]).reads(&self.check);
        targets.writes("--output", Some(&self.output)).check()?;
        let mut model = self.model.load(common)?;
        if self.encoder_only {
            model = Model::from(model.into_encoder()?);
        }
        if !self.onnx {
            model.save(&self.output)?;
            fit::tell_files(common.talk(), &self.output, None);
            return Ok(Outcome::Done);
        }
        let inputs: OnnxInputs = self.inputs.parse()?;
        let graph = model.to_onnx(inputs)?;
        if let Some(rows) = &self.check {
            check::check(&model, inputs, (&graph, rows), common)?;
        }
        write_atomically(&self.output, |file| file.write_all(&graph))?;
        fit::tell_files(common.talk(), &self.output, None);
        Ok(Outcome::Done)
    }
}
