//! What a fit has to say to a person, on stderr: the report in a dozen lines.

use narrows::report::{ColumnReport, PicturesReport, Report, RestorerReport, Role, Stop, Training};

use crate::talk::{Talk, count, grouped};

/// Most columns named one by one.
const NAMED: usize = 12;

/// Tells the report.
pub(crate) fn tell(report: &Report, talk: Talk) {
    if talk.is_heard() {
        lines(report).iter().for_each(|line| talk.line(line));
    }
}

/// The summary, line by line.
pub(crate) fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let of = |role: Role| report.columns.iter().filter(move |column| column.role == role);
    if let Some(images) = &report.images {
        lines.push(pictures(&images.pictures));
        lines.push(network(report));
        lines.push(format!("kind        {}; sees {}", images.backbone, images.view));
        lines.push(training(&report.training));
        lines.push(threshold(report));
        let quality = &images.quality;
        lines.push(format!(
            "held out    {}: {:.2} dB through the code, {:.2} dB by PCA of the same size",
            count(quality.n, "picture"),
            quality.model.psnr,
            quality.pca.psnr
        ));
        lines.extend(bottleneck(report));
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
    lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines
}

/// Tells the report of a restorer.
pub(crate) fn tell_restorer(report: &RestorerReport, talk: Talk) {
    if talk.is_heard() {
        restorer_lines(report).iter().for_each(|line| talk.line(line));
    }
}

/// The summary of a restorer, line by line.
pub(crate) fn restorer_lines(report: &RestorerReport) -> Vec<String> {
    let mut lines = vec![
        pictures(&report.pictures),
        format!("undoes      {}", report.damage),
        format!("network     {}; {}", report.network, count(report.parameters, "parameter")),
        training(std::slice::from_ref(&report.training)),
    ];
    if let Some(quality) = &report.quality {
        let means = &quality.means;
        lines.push(format!(
            "held out    {}: {:.2} dB restored, {:.2} dB as they came, {:.2} dB by {}",
            count(quality.n, "picture"),
            means.restored.psnr,
            means.input.psnr,
            means.rival.similarity.psnr,
            means.rival.name
        ));
    }
    lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines
}

/// What became of the pictures.
fn pictures(report: &PicturesReport) -> String {
    let span = |[least, greatest]: [usize; 2]| {
        if least == greatest { least.to_string() } else { format!("{least} to {greatest}") }
    };
    let mut text = format!(
        "pictures    {} read, {} x {} pixels, {}: {} train, {} validation",
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
    let rival = if report.network.code_size >= report.network.inputs {
        "PCA with as many components as the code would copy its input".to_owned()
    } else {
        format!("PCA with {}: {:.4}", count(pca.components as u64, "component"), pca.pca_error)
    };
    format!("held out    error {:.4}; {rival}", pca.model_error)
}

/// What passes through the code; a model of an older version does not say.
fn bottleneck(report: &Report) -> Option<String> {
    report.bottleneck.as_ref().map(|bottleneck| format!("bottleneck  {}", bottleneck.in_words()))
}

fn shortened(names: &[String]) -> String {
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}
