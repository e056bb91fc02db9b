//! `narrows compress`: stores quantised codes and, with an error bound, quantised residuals.

mod images;

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use narrows_core::compress::{
    AlteredColumn, CodeTrial, CompressionSummary, ErrorBound, Fidelity, ImageBaseline, OriginalSize, TableCompressor,
    TableFidelity, TableVerification,
};
use narrows_core::data::{Format, Source, TypesRead, is_stored, open_file, size_of};
use narrows_core::output::Sink;
use narrows_core::{Error, Model, TabularModel};

pub(super) use images::decompress_images;

use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::input::InputArgs;
use crate::output::{self, print_json};
use crate::pipeline::{self, Flow, Portion};
use crate::talk::{Talk, count, grouped};
use crate::targets::{ForceArg, Targets};

/// Compress rows, series or images with a model fitted on similar data
///
/// By default only codes are stored, quantised as finely as the model's error justifies. With --max-error, residuals
/// are stored too, so that no number deviates by more than the bound; text, flags, missing cells and columns that the
/// model does not use, of any type, are restored exactly. The preset designed for compression is `compressing`.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows compress m.narrows data.csv -o data.nrw --max-error 0.5%",
    before_long_help = "Examples:\n  narrows compress m.narrows data.csv -o data.nrw --max-error 0.5%\n  \
                        narrows compress m.narrows data.csv -o data.nrw --verify\n  \
                        narrows compress photos.narrows photo.png -o photo.nrw --quality 4"
)]
pub(crate) struct Compress {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    /// Output file, replaced only once complete; stdout if omitted or `-`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
    #[command(flatten)]
    fidelity: FidelityArgs,
    /// Rows per independently readable chunk; larger chunks compress better
    #[arg(long, value_name = "N")]
    chunk_rows: Option<u64>,
    /// Decompress the output and compare it with the input
    #[arg(long)]
    verify: bool,
}

/// Fidelity or size.
#[derive(Debug, ClapArgs)]
#[group(multiple = false)]
pub(crate) struct FidelityArgs {
    /// Maximum absolute error: in the unit of the data, or with %, relative to the column's range in training. For
    /// images: in levels of 255, or with %, relative to white. For one column as COLUMN=BOUND; if only such bounds are
    /// given, all other columns are compressed without loss
    #[arg(long, value_name = "[COLUMN=]BOUND,..", value_delimiter = ',', allow_hyphen_values = true)]
    max_error: Vec<String>,
    /// No error: integers and images are predicted by the model, all else is stored directly. Every cell comes back as
    /// it was, in its type and, in text files, in its spelling
    #[arg(long)]
    lossless: bool,
    /// Store only codes, with about this many bits per code unit
    #[arg(long, value_name = "BITS", allow_hyphen_values = true)]
    bits: Option<f64>,
    /// Store only codes, with quality from 1 (smallest file) to 10 (smallest error); the default is 5
    #[arg(long, value_name = "QUALITY", allow_hyphen_values = true)]
    quality: Option<i64>,
}

impl FidelityArgs {
    fn fidelity(&self) -> Result<TableFidelity, Failure> {
        let FidelityArgs { max_error, lossless, bits, quality } = self;
        Ok(TableFidelity::chosen(max_error, *lossless, *bits, *quality)?)
    }
}

impl Compress {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let targets = Targets::new(self.force).reads([&self.model.path]).reads(self.input.inputs());
        targets.writes("--output", self.output.as_ref()).check()?;
        if self.output.as_deref().is_none_or(|path| path.as_os_str() == "-") {
            output::refuse_terminal("compressed data")?;
        }
        let model = self.model.load(common)?;
        let fidelity = self.fidelity.fidelity()?;
        let target = self.output.as_deref().filter(|path| path.as_os_str() != "-");
        if self.verify && (target.is_none() || self.input.inputs().iter().any(|input| input == "-")) {
            let message = "expected files as input and output, which can be read again, got a pipe";
            return Err(Error::recipe("--verify", message).into());
        }
        if let Some(target) = target.filter(|target| self.verify && is_stored(target)) {
            let message =
                format!("expected a file on disk, which is read before it has its name, got `{}`", target.display());
            return Err(Error::recipe("--verify", message).into());
        }
        let model_bytes = size_of(&self.model.path)?.unwrap_or(0);
        if let Model::Images(model) = &model {
            if self.chunk_rows.is_some() {
                return Err(Error::recipe("--chunk-rows", "expected a table, got images, which have no rows").into());
            }
            let fidelity = fidelity.of_images()?;
            let job = images::ImageJob { model, fidelity, target, verify: self.verify, model_bytes };
            return job.run(self.input.inputs(), common);
        }
        let model = model.into_tabular()?;
        let source = Source { types: TypesRead::Every, ..self.input.table()? };
        let sink = BufWriter::new(output::sink(target)?);
        let mut writer = TableCompressor::new(model.as_ref(), fidelity.clone(), sink)?;
        if let Some(rows) = self.chunk_rows {
            writer = writer.with_chunk_rows(usize::try_from(rows).unwrap_or(usize::MAX))?;
        }
        let format = source.format.or_else(|| source.paths.first().and_then(|path| Format::of_path(path)));
        if matches!(format, None | Some(Format::Csv | Format::Tsv)) {
            writer = writer.of_text();
        }
        pipeline::read(&source, None, Portion::Batch, |table| {
            writer.push(table)?;
            Ok(Flow::More)
        })?;
        let (sink, account) = writer.finish()?;
        let sink = whole(sink)?;
        if let (true, Some(draft)) = (self.verify, sink.draft()) {
            verify(model.as_ref(), fidelity.clone(), &source, draft)?;
        }
        sink.finish()?;
        // The summary includes slow baseline compressors, so it is skipped if nothing is printed.
        if common.is_told() {
            let is_piped = self.input.inputs().iter().any(|input| input == "-");
            let original = if is_piped { OriginalSize::default() } else { OriginalSize::of_files(&source.paths) };
            let summary = CompressionSummary::new(&account, original, model_bytes);
            CompressionMessage { summary, fidelity: fidelity.clone(), subject: Subject::Rows }.tell(common)?;
        } else {
            // A loss is told however quiet. A closed stderr is ignored.
            for altered in &account.altered {
                let _ = writeln!(std::io::stderr(), "{}", altered_line(altered));
            }
        }
        if self.verify {
            common.talk().line(verified(fidelity.others, Subject::Rows));
        }
        Ok(Outcome::Done)
    }
}

/// Flushes the buffer and returns the sink.
pub(super) fn whole(sink: BufWriter<Sink<'_>>) -> Result<Sink<'_>, Failure> {
    let name = sink.get_ref().name().to_owned();
    Ok(sink.into_inner().map_err(|error| Error::write(&name, error.into_error()))?)
}

/// Message after successful verification.
pub(super) fn verified(fidelity: Fidelity, subject: Subject) -> &'static str {
    match fidelity {
        Fidelity::Code(_) if subject == Subject::Images => {
            "verified: decompressed; alpha and metadata are identical (codes alone give no error bound)"
        }
        _ if subject == Subject::Images => {
            "verified: decompressed and compared with the input, pixel by pixel, with alpha and metadata"
        }
        Fidelity::Code(_) => {
            "verified: decompressed; columns not used by the model are identical (codes alone give no error bound)"
        }
        Fidelity::Within(_) | Fidelity::Lossless => "verified: decompressed and compared with the input, cell by cell",
    }
}

/// Opens a compressed file for reading.
pub(super) fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    crate::address::refuse(&[path.to_string_lossy()])?;
    Ok(BufReader::new(open_file(path)?))
}

/// Decompresses the file and compares it with the input.
fn verify(model: &dyn TabularModel, fidelity: TableFidelity, source: &Source, path: &Path) -> Result<(), Failure> {
    let mut verification = TableVerification::new(model, fidelity, open(path)?)?;
    pipeline::read(source, None, Portion::Batch, |table| {
        verification.push(table)?;
        Ok(Flow::More)
    })?;
    Ok(verification.finish()?)
}

/// The kind of compressed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Rows,
    Images,
}

/// The summary of a compressed file.
#[derive(Debug)]
pub(super) struct CompressionMessage {
    pub(super) summary: CompressionSummary,
    pub(super) fidelity: TableFidelity,
    pub(super) subject: Subject,
}

impl CompressionMessage {
    /// Prints JSON to stdout, or text to stderr, as stdout may be the file.
    pub(super) fn tell(&self, common: &Common) -> Result<(), Failure> {
        if common.json {
            return print_json(&self.summary);
        }
        self.print_text(common.talk());
        Ok(())
    }

    fn print_text(&self, talk: Talk) {
        let summary = &self.summary;
        let (noun, of) = match self.subject {
            Subject::Rows => ("row", "a column's range in training"),
            Subject::Images => ("image", "white"),
        };
        let bytes = grouped(summary.bytes);
        let smaller = match (summary.original_bytes, summary.ratio, summary.ratio_with_model) {
            (Some(original), Some(ratio), Some(with_model)) => format!(
                "{} -> {bytes} bytes, {} ({} including the model's {} bytes)",
                grouped(original),
                times(ratio),
                times(with_model),
                grouped(summary.model_bytes)
            ),
            _ => format!("{bytes} bytes"),
        };
        talk.line(format_args!("{}, {}: {smaller}", count(summary.rows, noun), count(summary.values, "value")));
        talk.line(format_args!(
            "  {:.3} bits per value: codes {} bytes, residuals {}, stored directly {}; {}",
            summary.bits_a_value,
            grouped(summary.code_bytes),
            grouped(summary.residual_bytes),
            grouped(summary.kept_bytes),
            count(summary.chunks, "chunk")
        ));
        if let Some(CodeTrial { rows, bytes_with_code, bytes_without_code }) = summary.code_trial {
            let (with, without) = (grouped(bytes_with_code), grouped(bytes_without_code));
            let is_left_out = if bytes_without_code <= bytes_with_code { ", so it is left out" } else { "" };
            let rows = count(rows, "row");
            talk.line(format_args!("  first {rows}: {with} bytes with the code, {without} without{is_left_out}"));
        }
        let bound = self.bound();
        if summary.largest_error == 0.0 {
            talk.line(format_args!("  no errors{bound}"));
        } else {
            talk.line(format_args!(
                "  errors in % of {of}: median {}, 99th percentile {}, maximum {}{bound}; PSNR {:.2} dB",
                per_cent(summary.median_error),
                per_cent(summary.error_99),
                per_cent(summary.largest_error),
                summary.psnr
            ));
        }
        if summary.other_words > 0 {
            let (other, words) = (grouped(summary.other_words), grouped(summary.words));
            talk.line(format_args!("  {other} of {words} category and flag values differ from the input"));
        }
        if let (Some(cells), Some(times)) = (summary.zstd_of_cells, summary.cells_by_zstd()) {
            let (cells, ours) = (grouped(cells), grouped(summary.number_bytes));
            talk.line(format_args!(
                "  zstd -19, numbers with the same rounding: {cells} bytes, {times:.2} times our {ours}"
            ));
        }
        if let (Some(file), Some(times)) = (summary.zstd_of_file, summary.original_by_zstd()) {
            talk.line(format_args!("  zstd -19, unchanged input: {} bytes, {times:.2} times ours", grouped(file)));
        }
        summary.altered.iter().for_each(|altered| talk.line(format_args!("  note: {}", altered_line(altered))));
        for ImageBaseline { what, images, bytes, our_bytes, psnr, our_psnr } in &summary.baselines {
            let (bytes, ours) = (grouped(*bytes), grouped(*our_bytes));
            talk.line(format_args!(
                "  {what}, first {images}: {psnr:.2} dB in {bytes} bytes; ours {our_psnr:.2} dB in {ours}"
            ));
        }
        match summary.break_even_bytes {
            Some(even) => {
                talk.line(format_args!("  break-even including the model: {} bytes of such data", grouped(even)))
            }
            None if summary.original_bytes.is_some() => {
                talk.line("  no break-even: the file is larger than the input");
            }
            None => {}
        }
    }

    /// The requested bound, in parentheses.
    fn bound(&self) -> String {
        if !self.fidelity.columns.is_empty() {
            return format!(" ({})", self.bounds().join(", "));
        }
        match (self.fidelity.others, self.subject) {
            (Fidelity::Code(_), _) => String::new(),
            (Fidelity::Within(ErrorBound::Absolute(bound)), Subject::Images) => {
                format!(" (bound {bound} levels of 255)")
            }
            (Fidelity::Within(ErrorBound::Share(share)), Subject::Images) => {
                format!(" (bound {} % of white)", 100.0 * share)
            }
            (Fidelity::Within(ErrorBound::Absolute(bound)), Subject::Rows) => {
                format!(" (bound {bound} in each column's unit)")
            }
            (Fidelity::Within(ErrorBound::Share(share)), Subject::Rows) => format!(" (bound {} %)", 100.0 * share),
            (Fidelity::Lossless, _) => " (lossless)".to_owned(),
        }
    }

    /// The bounds of single columns, and of the others.
    fn bounds(&self) -> Vec<String> {
        let words = |bound: ErrorBound| match bound {
            ErrorBound::Absolute(bound) => format!("bound {bound}"),
            ErrorBound::Share(share) => format!("bound {} %", 100.0 * share),
        };
        let others = match self.fidelity.others {
            Fidelity::Within(bound) => words(bound),
            Fidelity::Code(_) | Fidelity::Lossless => "lossless".to_owned(),
        };
        let columns = self.fidelity.columns.iter().map(|(column, bound)| format!("`{column}` {}", words(*bound)));
        columns.chain([format!("all others {others}")]).collect()
    }
}

/// A ratio of sizes in words.
fn times(ratio: f64) -> String {
    if ratio < 1.0 { format!("{:.2} times larger", 1.0 / ratio) } else { format!("{ratio:.2} times smaller") }
}

/// How the cells of a column come back that are more than a number.
fn altered_line(AlteredColumn { column, respelled, lost, example }: &AlteredColumn) -> String {
    let mut parts = Vec::new();
    if *respelled > 0 {
        parts.push(format!("{} without leading zeros or plus", count(*respelled, "number")));
    }
    if *lost > 0 {
        parts.push(format!("{} as missing", count(*lost, "word")));
    }
    format!("column `{column}` comes back with {}, such as `{example}`; --lossless keeps them", parts.join(" and "))
}

/// A share in per cent, in scientific notation if large.
fn per_cent(share: f64) -> String {
    let per_cent = 100.0 * share;
    if per_cent < 1e6 { format!("{per_cent:.3}") } else { format!("{per_cent:.2e}") }
}
