//! What a fit has to say to a person, on stderr: the report in a dozen lines.

use narrows_core::report::{AlbumReport, ColumnReport, GenerationReport, Report, RestorerReport, Role, Stop, Training};
use narrows_core::sample_similarity::Distance;
use narrows_core::{Model, SampleSimilarity};

use crate::failure::Failure;
use crate::flags::Common;
use crate::output;
use crate::talk::{Talk, count, grouped};

/// Most columns named one by one.
const NAMED: usize = 12;

/// Tells what a fit found: as JSON on stdout where that is asked for, and as lines on stderr.
pub(crate) fn tell_model(model: &Model, common: &Common) -> Result<(), Failure> {
    let talk = common.talk();
    match model {
        Model::Restorer(restorer) => {
            if common.json {
                output::print_json(restorer.report())?;
            }
            tell_restorer(restorer.report(), talk);
        }
        Model::Table(model) => tell_report(model.report(), common)?,
        Model::Series(model) => tell_report(model.report(), common)?,
        Model::Images(model) => tell_report(model.report(), common)?,
        Model::Encoder(_) => {}
    }
    Ok(())
}

fn tell_report(report: &Report, common: &Common) -> Result<(), Failure> {
    if common.json {
        output::print_json(report)?;
    }
    tell(report, common.talk());
    Ok(())
}

fn tell(report: &Report, talk: Talk) {
    if talk.is_heard() {
        lines(report).iter().for_each(|line| talk.line(line));
    }
}

/// The summary, line by line.
pub(crate) fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let of = |role: Role| report.columns.iter().filter(move |column| column.role == role);
    if let Some(images) = &report.images {
        lines.push(album(&images.album));
        lines.push(network(report));
        lines.push(format!("kind        {}; sees {}", images.backbone, images.view));
        lines.push(training(&report.training));
        lines.push(threshold(report));
        let quality = &images.quality;
        lines.push(format!(
            "held out    {}: {:.2} dB through the code, {:.2} dB by PCA of the same size",
            count(quality.n, "image"),
            quality.model.psnr,
            quality.pca.psnr
        ));
        lines.extend(bottleneck(report));
        lines.extend(report.generation.iter().flat_map(generation));
        lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
        return lines;
    }
    let features: Vec<String> = of(Role::Feature).map(|column| format!("{} ({})", column.name, column.kind)).collect();
    lines.push(format!("columns     {} used: {}", features.len(), shortened(&features)));
    lines.extend(of(Role::Dropped).take(NAMED).map(|column| format!("dropped     {}: {}", column.name, column.words)));
    if let Some(more) = of(Role::Dropped).count().checked_sub(NAMED).filter(|more| *more > 0) {
        lines.push(format!("dropped     and {more} more"));
    }
    let ignored: Vec<String> = of(Role::Ignored).map(|column: &ColumnReport| column.name.clone()).collect();
    if !ignored.is_empty() {
        lines.push(format!("ignored     {}", shortened(&ignored)));
    }
    lines.extend(of(Role::Label).map(|column| format!("label       {}: {}", column.name, column.words)));
    lines.push(rows(report));
    lines.push(network(report));
    // Dropped columns have had their lines.
    let is_told = |note: &&String| {
        of(Role::Dropped).any(|column| note.starts_with(&format!("column `{}` left out", column.name)))
    };
    lines.extend(report.notes.iter().filter(|note| !is_told(note)).map(|note| format!("note        {note}")));
    lines.push(training(&report.training));
    lines.push(threshold(report));
    lines.push(held_out(report));
    lines.extend(bottleneck(report));
    lines.extend(report.generation.iter().flat_map(generation));
    lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines
}

/// Where new rows come from, and how good they are.
fn generation(report: &GenerationReport) -> Vec<String> {
    let density = &report.density;
    let likelihoods = match (density.held_out, density.one_normal) {
        (Some(held_out), Some(one)) => {
            format!("; held-out log-likelihood {held_out:.3} nats a code, of one full normal distribution {one:.3}")
        }
        _ => String::new(),
    };
    let mut lines = vec![format!("generation  codes from {}{likelihoods}", density.words)];
    if let Some(units) = &report.units {
        lines.push(format!("code        {} of {} active", units.active, count(units.units, "unit")));
    }
    lines.extend(report.negative_elbo.map(negative_elbo));
    lines.extend(report.sample_similarity.as_ref().map(|found| {
        let farthest = found.columns.first().map_or_else(String::new, |column| {
            format!("; farthest column `{}` at {:.3}", column.column, column.distance)
        });
        let copies = found.copies.as_ref().map_or_else(String::new, |copies| {
            let ratio = copies.ratio.map_or_else(String::new, |ratio| format!("; {ratio:.2} times as far from training rows"));
            format!("{ratio}; {}", copied(copies.exact, copies.exact_held_out))
        });
        let correlations = found
            .correlation_difference
            .map_or_else(String::new, |difference| format!("; correlations differ by {difference:.3}"));
        format!(
            "judged      {} generated beside {} held out: told apart with an AUC of {:.3}{farthest}{correlations}{copies}",
            grouped(found.generated),
            grouped(found.held_out),
            found.auc
        )
    }));
    lines
}

/// How alike generated and given rows are, line by line.
pub(crate) fn sample_similarity(found: &SampleSimilarity) -> Vec<String> {
    let space = found.space.as_ref().map_or_else(String::new, |space| format!(", by {space}"));
    let mut lines = vec![
        format!("{} generated beside {} given{space}", count(found.generated, "row"), grouped(found.held_out)),
        String::new(),
        format!("told apart         AUC {:.3} by {}; 0.5 is not at all", found.auc, found.classifier),
    ];
    lines
        .extend(found.correlation_difference.map(|difference| format!("correlations       differ by {difference:.3}")));
    if let Some(copies) = &found.copies {
        if let Some(ratio) = copies.ratio {
            lines.push(format!("nearest training   {ratio:.2} times as far as given rows; far below 1 are copies"));
        }
        lines.push(format!("copies             {}", copied(copies.exact, copies.exact_held_out)));
    }
    lines.extend([String::new(), "distance of columns, 0 alike, 1 nothing in common".to_owned()]);
    for column in &found.columns {
        let by = match column.by {
            Distance::KolmogorovSmirnov => "Kolmogorov-Smirnov",
            Distance::TotalVariation => "total variation",
        };
        let missing = column.missing.map_or_else(String::new, |[given, generated]| {
            format!("; missing {:.1} % beside {:.1} %", 100.0 * generated, 100.0 * given)
        });
        lines.push(format!("  {:.3}  {}  ({by}{missing})", column.distance, column.column));
    }
    lines
}

fn copied(generated: u64, held_out: u64) -> String {
    format!(
        "{} of training rows, {} among the others",
        count(generated, "copy").replace("copys", "copies"),
        grouped(held_out)
    )
}

/// What `evaluate` and `fit` say of a variational model.
pub(crate) fn negative_elbo(nats: f64) -> String {
    format!("-ELBO       {nats:.2} nats a sample")
}

/// Tells the report of a restorer.
fn tell_restorer(report: &RestorerReport, talk: Talk) {
    if talk.is_heard() {
        restorer_lines(report).iter().for_each(|line| talk.line(line));
    }
}

/// The summary of a restorer, line by line.
pub(crate) fn restorer_lines(report: &RestorerReport) -> Vec<String> {
    let mut lines = vec![
        album(&report.album),
        format!("undoes      {}", report.damage),
        format!("network     {}; {}", report.network, count(report.parameters, "parameter")),
        training(std::slice::from_ref(&report.training)),
    ];
    if let Some(quality) = &report.quality {
        let means = &quality.means;
        lines.push(format!(
            "held out    {}: {:.2} dB restored, {:.2} dB as they came, {:.2} dB by {}",
            count(quality.n, "image"),
            means.restored.psnr,
            means.input.psnr,
            means.baseline.similarity.psnr,
            means.baseline.name
        ));
    }
    lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines
}

/// What became of the images.
fn album(report: &AlbumReport) -> String {
    let span = |[least, greatest]: [usize; 2]| {
        if least == greatest { least.to_string() } else { format!("{least} to {greatest}") }
    };
    let mut text = format!(
        "images    {} read, {} x {} pixels, {}: {} train, {} validation",
        grouped(report.read),
        span(report.heights),
        span(report.widths),
        report.channels.name(),
        grouped(report.train),
        grouped(report.validation)
    );
    if report.calibration > 0 {
        text.push_str(&format!(", {} calibration", grouped(report.calibration)));
    }
    if !report.skipped.is_empty() {
        text.push_str(&format!("; {} could not be read, left out", grouped(report.skipped.len() as u64)));
    }
    text
}

fn rows(report: &Report) -> String {
    let rows = &report.rows;
    let mut text = format!(
        "rows        {} read: {} train, {} validation, {} calibration",
        grouped(rows.read),
        grouped(rows.train),
        grouped(rows.validation),
        grouped(rows.calibration)
    );
    for (left_out, why) in [(rows.not_normal, "not normal"), (rows.unlabelled, "without a label")] {
        if left_out > 0 {
            text.push_str(&format!("; {} {why}, left out", grouped(left_out)));
        }
    }
    text
}

fn network(report: &Report) -> String {
    let network = &report.network;
    let widths: Vec<String> = network.layers.iter().map(|layer| layer.width.to_string()).collect();
    let members =
        if network.members > 1 { format!("{} of ", count(network.members as u64, "network")) } else { String::new() };
    format!(
        "network     {members}{}, code {}, {}; loss {}",
        widths.join("-"),
        network.code_size,
        count(network.parameters as u64, "parameter"),
        network.loss
    )
}

fn training(members: &[Training]) -> String {
    let steps: u64 = members.iter().map(|training| training.steps).sum();
    let best: Vec<f64> =
        members.iter().filter_map(|training| Some(training.history.get(training.best)?.validation_loss)).collect();
    let mean = best.iter().sum::<f64>() / best.len().max(1) as f64;
    let ended = |stop: Stop| members.iter().filter(|training| training.stopped == stop).count();
    let how = match (ended(Stop::Interrupted), ended(Stop::Early)) {
        (0, 0) => "all planned steps taken".to_owned(),
        (0, early) if early == members.len() => "stopped early".to_owned(),
        (0, early) => format!("{early} of {} stopped early", members.len()),
        _ => "interrupted; the best so far is kept".to_owned(),
    };
    format!("training    {}, {how}; validation loss {mean:.4}", count(steps, "step"))
}

fn threshold(report: &Report) -> String {
    let detection = &report.detection;
    let promise = match detection.promised_rate {
        Some(rate) => format!("; at most {:.3} % of fresh normal rows score above it, on average", 100.0 * rate),
        None => String::new(),
    };
    format!("threshold   {:.4} by {}{promise}", detection.threshold, detection.rule)
}

fn held_out(report: &Report) -> String {
    let pca = &report.pca;
    let baseline = if report.network.code_size >= report.network.inputs {
        "PCA with as many components as the code would copy its input".to_owned()
    } else {
        format!("PCA with {}: {:.4}", count(pca.components as u64, "component"), pca.pca_error)
    };
    format!("held out    error {:.4}; {baseline}", pca.model_error)
}

/// What passes through the code; a model of an older version does not say.
fn bottleneck(report: &Report) -> Option<String> {
    report.bottleneck.as_ref().map(|bottleneck| format!("bottleneck  {}", bottleneck.describe()))
}

fn shortened(names: &[String]) -> String {
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}
