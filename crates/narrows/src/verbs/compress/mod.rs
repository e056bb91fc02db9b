//! `narrows compress`: data as codes, and with a bound as codes and what they leave over.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use narrows_core::compress::{
    Account, CodeDetail, CompressionComparison, ErrorBound, Fidelity, TableReader, TableWriter,
};
use narrows_core::data::{Source, Table};
use narrows_core::output::Sink;
use narrows_core::{Error, Fitted, Threads};
use serde::Serialize;

use super::images;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::input::InputArgs;
use crate::output::{self, print_json};
use crate::pipeline::{self, Flow, Portion};
use crate::talk::{Talk, count, grouped};

/// Compress rows, series or images like those the model was fitted on
///
/// With nothing said the code alone is stored, rounded as finely as the model's own error deserves. With --max-error what
/// the code leaves over is stored too, so that no number is further off than the bound; words, flags and missing cells come
/// back as they were, and so do columns that the model does not know. The preset made for it is `compressing`.
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
    /// File to write, replaced only when all is written; `-` or nothing is stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    fidelity: FidelityArgs,
    /// Rows that can be read back by themselves; more of them compress better
    #[arg(long, value_name = "N")]
    chunk_rows: Option<u64>,
    /// Decompress what was written and compare it with the input
    #[arg(long)]
    verify: bool,
}

/// How good, or how small.
#[derive(Debug, ClapArgs)]
#[group(multiple = false)]
pub(crate) struct FidelityArgs {
    /// No number further off than this: in the data's unit, or with % in shares of a column's range in training. Of
    /// images: in levels of 255, or with % of white
    #[arg(long, value_name = "BOUND", allow_hyphen_values = true)]
    max_error: Option<String>,
    /// No error at all: whole numbers and images through the model, other numbers beside it. Numbers keep their value, not
    /// their spelling; what is not a number counts as missing
    #[arg(long)]
    lossless: bool,
    /// The code alone, in about so many bits a code unit
    #[arg(long, value_name = "BITS", allow_hyphen_values = true)]
    bits: Option<f64>,
    /// The code alone, from 1 (small) to 10 (good); 5 where nothing is said
    #[arg(long, value_name = "QUALITY", allow_hyphen_values = true)]
    quality: Option<i64>,
}

impl FidelityArgs {
    fn fidelity(&self) -> Result<Fidelity, Failure> {
        let FidelityArgs { max_error, lossless, bits, quality } = self;
        Ok(match (max_error, lossless, bits, quality) {
            (Some(bound), ..) => Fidelity::Within(bound.parse::<ErrorBound>().map_err(flagged)?),
            (None, true, ..) => Fidelity::Lossless,
            (None, false, Some(bits), _) => Fidelity::Code(CodeDetail::Bits(*bits)),
            (None, false, None, Some(quality)) => {
                let level = u8::try_from(*quality).map_err(|_| {
                    Error::recipe("--quality", format!("expected a whole number from 1 to 10, got {quality}"))
                })?;
                Fidelity::Code(CodeDetail::Quality(level))
            }
            (None, false, None, None) => Fidelity::Code(CodeDetail::Own),
        })
    }
}

impl Compress {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let fitted = self.model.load()?;
        let threads = common.threads()?;
        let fidelity = self.fidelity.fidelity()?;
        let target = self.output.as_deref().filter(|path| path.as_os_str() != "-");
        if self.verify && (target.is_none() || self.input.inputs().iter().any(|input| input == "-")) {
            let message = "expected a file to write and files to read, which can be read again, got a pipe";
            return Err(Error::recipe("--verify", message).into());
        }
        let model_bytes = std::fs::metadata(&self.model.path).map_or(0, |metadata| metadata.len());
        if fitted.reads_images() {
            if self.chunk_rows.is_some() {
                return Err(Error::recipe("--chunk-rows", "expected a table, got images, which have no rows").into());
            }
            let job = images::compress::Job { fitted: &fitted, fidelity, target, verify: self.verify, model_bytes };
            return job.run(self.input.inputs(), common);
        }
        let source = self.input.table()?;
        let sink = BufWriter::new(output::sink(target)?);
        let mut writer = TableWriter::new(&fitted, fidelity, sink, &threads).map_err(flagged)?;
        if let Some(rows) = self.chunk_rows {
            writer = writer.with_chunk_rows(usize::try_from(rows).unwrap_or(usize::MAX)).map_err(flagged)?;
        }
        pipeline::read(&source, None, Portion::Batch, |table| {
            writer.push(table)?;
            Ok(Flow::More)
        })?;
        let (sink, account) = writer.finish().map_err(flagged)?;
        let sink = whole(sink)?;
        if let (true, Some(draft)) = (self.verify, sink.draft()) {
            verify(&fitted, fidelity, &source, draft, &threads)?;
        }
        sink.finish()?;
        // What is told is compressed by others, too, which takes its time.
        if common.is_told() {
            let files = self.input.inputs().iter().all(|input| input != "-").then_some(&source.paths[..]);
            ReportInputs::new(account, fidelity, files, model_bytes, "row").tell(common)?;
        }
        if self.verify {
            common.talk().line(verified(fidelity));
        }
        Ok(Outcome::Done)
    }
}

/// All that was written, on its way to the disk.
pub(super) fn whole(sink: BufWriter<Sink<'_>>) -> Result<Sink<'_>, Failure> {
    let name = sink.get_ref().name().to_owned();
    Ok(sink.into_inner().map_err(|error| Error::write(&name, error.into_error()))?)
}

/// What a comparison has shown.
pub(super) fn verified(fidelity: Fidelity) -> &'static str {
    match fidelity {
        Fidelity::Code(_) => {
            "verified: decompressed again; what the model does not know is as it was, the code alone promises no more"
        }
        Fidelity::Within(_) | Fidelity::Lossless => {
            "verified: decompressed again and compared with the input, cell by cell"
        }
    }
}

/// The error with its field as the flag that it is here.
pub(super) fn flagged(error: Error) -> Error {
    match error {
        Error::Recipe { field, message, hint } if !field.contains('.') => {
            Error::Recipe { field: format!("--{}", field.trim_start_matches("--")), message, hint }
        }
        error => error,
    }
}

/// Opens a compressed file for reading.
pub(super) fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    Ok(BufReader::new(File::open(path).map_err(|error| Error::read(path, error))?))
}

/// Reads the file again, beside the input.
fn verify(fitted: &Fitted, fidelity: Fidelity, source: &Source, path: &Path, threads: &Threads) -> Result<(), Failure> {
    let mut reader = TableReader::new(fitted, open(path)?, threads)?;
    let comparison = CompressionComparison::new(fitted, fidelity);
    let mut back: Option<Table> = None;
    pipeline::read(source, None, Portion::Batch, |table| {
        let mut first = 0;
        while first < table.n_rows() {
            let held = match back.take().filter(|table| table.n_rows() > 0) {
                Some(held) => held,
                None => reader
                    .next_table()?
                    .ok_or_else(|| Error::mismatch("the compressed file has fewer rows than the input"))?,
            };
            let n = held.n_rows().min(table.n_rows() - first);
            comparison.compare(&table.slice(first, n), &held.slice(0, n))?;
            back = Some(held.slice(n, held.n_rows() - n));
            first += n;
        }
        Ok(Flow::More)
    })?;
    let left = back.map_or(0, |table| table.n_rows());
    if left > 0 || reader.next_table()?.is_some() {
        return Err(Error::mismatch("the compressed file has more rows than the input").into());
    }
    Ok(())
}

/// What is told of a file that was written.
#[derive(Debug, Serialize)]
pub(super) struct ReportInputs {
    rows: u64,
    values: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    model_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_with_model: Option<f64>,
    /// None where model and file never pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    break_even_bytes: Option<u64>,
    bits_a_value: f64,
    code_bytes: u64,
    residual_bytes: u64,
    kept_bytes: u64,
    chunks: u64,
    level: i32,
    largest_error: f64,
    median_error: f64,
    error_99: f64,
    psnr: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    zstd_of_cells: Option<u64>,
    number_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    zstd_of_file: Option<u64>,
    words: u64,
    other_words: u64,
    #[serde(skip)]
    bound: Option<String>,
    #[serde(skip)]
    noun: &'static str,
    /// Other formats beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) baselines: Vec<images::compress::Baseline>,
}

impl ReportInputs {
    /// `files` are the input's, where it can be read again.
    pub(super) fn new(
        account: Account,
        fidelity: Fidelity,
        files: Option<&[PathBuf]>,
        model_bytes: u64,
        noun: &'static str,
    ) -> ReportInputs {
        let original_bytes = files.and_then(|files| {
            files.iter().map(|file| std::fs::metadata(file).map(|metadata| metadata.len()).ok()).sum::<Option<u64>>()
        });
        let ratio = |bytes: u64| original_bytes.map(|original| original as f64 / bytes.max(1) as f64);
        ReportInputs {
            rows: account.rows,
            values: account.values,
            bytes: account.bytes,
            original_bytes,
            ratio: ratio(account.bytes),
            model_bytes,
            ratio_with_model: ratio(account.bytes + model_bytes),
            break_even_bytes: original_bytes.and_then(|original| account.break_even(original, model_bytes)),
            bits_a_value: account.bits_a_value(),
            code_bytes: account.codes,
            residual_bytes: account.residual,
            kept_bytes: account.kept,
            chunks: account.chunks,
            level: account.level,
            largest_error: account.errors.largest(),
            median_error: account.errors.quantile(0.5),
            error_99: account.errors.quantile(0.99),
            psnr: account.errors.psnr().min(999.0),
            zstd_of_cells: account.zstd_of_cells,
            number_bytes: account.numbers,
            zstd_of_file: files.and_then(|files| zstd_of(files).ok().flatten()),
            words: account.words,
            other_words: account.other_words,
            bound: match (fidelity, noun) {
                (Fidelity::Code(_), _) => None,
                (Fidelity::Within(ErrorBound::Absolute(bound)), "image") => {
                    Some(format!("bound {bound} levels of 255"))
                }
                (Fidelity::Within(ErrorBound::Share(share)), "image") => {
                    Some(format!("bound {} % of white", 100.0 * share))
                }
                (Fidelity::Within(ErrorBound::Absolute(bound)), _) => {
                    Some(format!("bound {bound} in each column's unit"))
                }
                (Fidelity::Within(ErrorBound::Share(share)), _) => Some(format!("bound {} %", 100.0 * share)),
                (Fidelity::Lossless, _) => Some("lossless".to_owned()),
            },
            noun,
            baselines: Vec::new(),
        }
    }

    /// As JSON on stdout, or in words on stderr: stdout may be the file.
    pub(super) fn tell(&self, common: &Common) -> Result<(), Failure> {
        if common.json {
            return print_json(self);
        }
        self.words(common.talk());
        Ok(())
    }

    fn words(&self, talk: Talk) {
        let ReportInputs { rows, values, bytes, .. } = self;
        let smaller = match (self.original_bytes, self.ratio, self.ratio_with_model) {
            (Some(original), Some(ratio), Some(with_model)) => format!(
                "{} -> {} bytes, {ratio:.2} times smaller ({with_model:.2} with the model's own {})",
                grouped(original),
                grouped(*bytes),
                grouped(self.model_bytes)
            ),
            _ => format!("{} bytes", grouped(*bytes)),
        };
        talk.line(format_args!("{}, {}: {smaller}", count(*rows, self.noun), count(*values, "value")));
        talk.line(format_args!(
            "  {:.3} bits a value: codes {} bytes, what they leave over {}, kept as it is {}; {}",
            self.bits_a_value,
            grouped(self.code_bytes),
            grouped(self.residual_bytes),
            grouped(self.kept_bytes),
            count(self.chunks, "chunk")
        ));
        let of = if self.noun == "image" { "white" } else { "a column's range in training" };
        let bound = self.bound.as_ref().map_or(String::new(), |bound| format!(" ({bound})"));
        if self.largest_error == 0.0 {
            talk.line(format_args!("  no number is off{bound}"));
        } else {
            talk.line(format_args!(
                "  errors in per cent of {of}: median {}, 99 of 100 below {}, largest {}{bound}; PSNR {:.2} dB",
                per_cent(self.median_error),
                per_cent(self.error_99),
                per_cent(self.largest_error),
                self.psnr
            ));
        }
        if self.other_words > 0 {
            let (other, words) = (grouped(self.other_words), grouped(self.words));
            talk.line(format_args!("  {other} of {words} words and flags came out as others"));
        }
        if let Some(cells) = self.zstd_of_cells {
            let (times, ours) = (cells as f64 / self.number_bytes.max(1) as f64, grouped(self.number_bytes));
            let cells = grouped(cells);
            talk.line(format_args!(
                "  the numbers rounded alike by zstd -19: {cells} bytes, {times:.2} times our {ours}"
            ));
        }
        if let Some(file) = self.zstd_of_file {
            let times = file as f64 / *bytes as f64;
            talk.line(format_args!("  the input as it is by zstd -19: {} bytes, {times:.2} times ours", grouped(file)));
        }
        self.baselines.iter().for_each(|baseline| talk.line(format_args!("  {baseline}")));
        match self.break_even_bytes {
            Some(even) => talk.line(format_args!("  model and file pay from {} bytes of such data on", grouped(even))),
            None if self.original_bytes.is_some() => talk.line("  it does not pay: the file is larger than the input"),
            None => {}
        }
    }
}

/// A share as per cent, short however large it is.
fn per_cent(share: f64) -> String {
    let per_cent = 100.0 * share;
    if per_cent < 1e6 { format!("{per_cent:.3}") } else { format!("{per_cent:.2e}") }
}

/// Largest input that is compressed a second time, for comparison.
const COMPARED_BYTES: u64 = 64 << 20;

/// What zstd -19 makes of some files, where they are not too large to try.
fn zstd_of(files: &[PathBuf]) -> std::io::Result<Option<u64>> {
    let mut total = 0;
    for file in files {
        let mut bytes = Vec::new();
        File::open(file)?.take(COMPARED_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > COMPARED_BYTES {
            return Ok(None);
        }
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 19)?;
        encoder.write_all(&bytes)?;
        total += encoder.finish()?.len() as u64;
    }
    Ok(Some(total))
}
