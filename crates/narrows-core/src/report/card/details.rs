//! What the model is, how it was trained, and how it can be fitted again.

use super::CardOptions;
use super::markdown::{MarkdownDocument, name, sentence};
use super::subject::CardSubject;
use crate::recipe::DataKind;
use crate::report::html::{reproduce, restorer, summary, training};
use crate::report::number::{count, number, percent};
use crate::report::{NetworkReport, Training};

/// The head: title, verdict, and the model in a table.
pub(super) fn write(subject: &CardSubject<'_>, options: &CardOptions, document: &mut MarkdownDocument) {
    match &options.repository {
        Some(_) => document.title(&sentence(&options.name(subject))),
        None => document.title(&subject.title()),
    }
    match subject {
        CardSubject::Detector(model) => {
            let report = model.report;
            document.paragraph(&sentence(&format!("{} {}", summary::network(report), summary::decision(report))));
            verdict(&report.verdict().sentence, document);
        }
        CardSubject::Restorer(report) => {
            document.paragraph(&sentence(&restorer::lead(report)));
            verdict(&report.verdict().sentence, document);
        }
        CardSubject::Encoder(_) => document.paragraph(
            "An encoder without its decoder: it maps data to codes, for programs that use them as features. It computes no \
             scores and contains no training samples.",
        ),
    }
    document.section("Model details");
    let recipe = subject.recipe();
    let mut rows = vec![
        ("kind", kind(subject).to_owned()),
        ("fitted to", name(subject.source())),
        ("preset", name(&recipe.preset.to_string())),
        ("seed", recipe.seed.to_string()),
    ];
    match subject {
        CardSubject::Detector(model) => {
            rows.extend(network(&model.report.network));
            rows.push(("library", format!("narrows {}", sentence(&model.report.version))));
        }
        CardSubject::Restorer(report) => {
            rows.push(("network", sentence(&report.network)));
            rows.push(("parameters", count(report.parameters)));
            rows.push(("library", format!("narrows {}", sentence(&report.version))));
        }
        CardSubject::Encoder(encoder) => {
            rows.push(("layers", sentence(&encoder.layers.join("; "))));
            rows.push(("code", format!("{} units", count(encoder.code_size as u64))));
            rows.push(("parameters", count(encoder.parameters as u64)));
        }
    }
    document.table(&["", ""], rows.into_iter().map(|(of, value)| vec![of.to_owned(), value]));
}

fn kind(subject: &CardSubject<'_>) -> &'static str {
    match (subject, subject.data_kind()) {
        (CardSubject::Detector(_), DataKind::Table) => "autoencoder of the rows of a table",
        (CardSubject::Detector(_), DataKind::Series) => "autoencoder of windows of time series",
        (CardSubject::Detector(_), DataKind::Images) => "autoencoder of images",
        (CardSubject::Restorer(_), _) => "network that restores images",
        (CardSubject::Encoder(_), DataKind::Table) => "encoder of the rows of a table",
        (CardSubject::Encoder(_), DataKind::Series) => "encoder of windows of time series",
        (CardSubject::Encoder(_), DataKind::Images) => "encoder of images",
    }
}

fn verdict(words: &str, document: &mut MarkdownDocument) {
    document.paragraph(&format!("**Verdict on the fit**: {}.", sentence(words)));
}

fn network(network: &NetworkReport) -> Vec<(&'static str, String)> {
    let layers: Vec<&str> = network.layers.iter().map(|layer| layer.words.as_str()).collect();
    vec![
        ("networks", count(network.members as u64)),
        ("layers", sentence(&layers.join("; "))),
        ("inputs and code", format!("{} → {}", count(network.inputs as u64), count(network.code_size as u64))),
        ("parameters", format!("{} in each network", count(network.parameters as u64))),
        ("loss", sentence(&network.loss)),
    ]
}

/// How it was trained.
pub(super) fn write_training(subject: &CardSubject<'_>, document: &mut MarkdownDocument) {
    let members = match subject {
        CardSubject::Detector(model) => model.report.training.as_slice(),
        CardSubject::Restorer(report) => std::slice::from_ref(&report.training),
        CardSubject::Encoder(_) => return,
    };
    document.section("Training");
    document.paragraph(&training::outcome(members));
    let head = ["network", "corruption", "steps", "epochs", "validation loss of the weights kept"];
    document.table(&head, members.iter().enumerate().map(|(i, member)| member_row(i, member)));
    if let CardSubject::Detector(model) = subject {
        let rows = &model.report.rows;
        if rows.not_normal > 0 {
            let share = percent(rows.not_normal as f64 / rows.read.max(1) as f64);
            let (noun, n) = (model.layout.noun(), count(rows.not_normal));
            document.paragraph(&format!("{n} {} ({share}) are labelled anomalous and trained nothing.", noun.many));
        }
    }
}

fn member_row(i: usize, member: &Training) -> Vec<String> {
    let loss = member.history.get(member.best).map_or(f64::NAN, |check| check.validation_loss);
    let corruption = if member.corruption.trim().is_empty() { "none" } else { &member.corruption };
    let epochs = number((member.epochs * 10.0).round() / 10.0);
    vec![(i + 1).to_string(), name(corruption), count(member.steps), epochs, number(loss)]
}

/// The command that fits it again, and every setting.
pub(super) fn write_recipe(subject: &CardSubject<'_>, document: &mut MarkdownDocument) {
    document.section("Reproduction");
    document.paragraph(
        "Same data, recipe and version of narrows give the same model, to the byte, with any number of threads. With the recipe \
         below as `recipe.toml`:",
    );
    let command = match subject {
        CardSubject::Detector(model) => reproduce::command(model.report),
        CardSubject::Restorer(_) | CardSubject::Encoder(_) => reproduce::fit(subject.source(), Vec::new()),
    };
    document.code("sh", &command);
    document.code("toml", &subject.recipe().to_toml());
}
