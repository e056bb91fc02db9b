//! What the model is for, and how it is used from Python and with the command.

use super::CardOptions;
use super::markdown::MarkdownDocument;
use super::subject::CardSubject;
use crate::recipe::DataKind;
use crate::report::SampleLayout;
use crate::report::html::text::shell;

/// How a model of a kind is used.
struct UsageExample {
    /// What it is for, in a sentence.
    purpose: &'static str,
    /// Lines of Python that use `model`.
    python: &'static str,
    /// Words of the command around the model file.
    command: [&'static str; 2],
}

/// The section.
pub(super) fn write(subject: &CardSubject<'_>, options: &CardOptions, document: &mut MarkdownDocument) {
    let UsageExample { purpose, python, command: [verb, data] } = example(subject);
    document.section("Use");
    document.paragraph(purpose);
    let source = match &options.repository {
        Some(repository) => format!("from_pretrained({})", literal(repository)),
        None => format!("load({})", literal(&options.file)),
    };
    document.paragraph("In Python (`pip install narrows`):");
    document.code("python", &format!("import narrows\n\nmodel = narrows.{source}\n{python}"));
    document.paragraph("With the command, on the model file:");
    document.code("sh", &format!("narrows {verb} {} {data}", shell(&options.file)));
}

fn example(subject: &CardSubject<'_>) -> UsageExample {
    match (subject, subject.data_kind()) {
        (CardSubject::Detector(model), DataKind::Series) if model.layout == SampleLayout::Steps => UsageExample {
            purpose: "It finds series that are unlike those of the fit, and says which steps make them so. It needs no labels.",
            python: "scores = model.scores(\"new.csv\")      # score, p-value and verdict of each series, a row each\nreasons = model.explain(\"new.csv\")    # what is unusual in it",
            command: ["score", "new.csv -o scores.csv"],
        },
        (CardSubject::Detector(_), DataKind::Table) => UsageExample {
            purpose: "It finds rows that are unlike those of the fit, and says which columns make them so. It needs no labels.",
            python: "scores = model.scores(\"new.csv\")      # score, p-value and verdict of each row\nreasons = model.explain(\"new.csv\")    # what is unusual in it",
            command: ["score", "new.csv -o scores.csv"],
        },
        (CardSubject::Detector(_), DataKind::Series) => UsageExample {
            purpose: "It finds stretches of time that are unlike those of the fit, and says which channels make them so. It needs no \
                      labels.",
            python: "scores = model.scores(\"new.csv\")      # score, p-value and verdict of each point\nevents = model.events(\"new.csv\")      # anomalous stretches",
            command: ["score", "new.csv -o scores.csv"],
        },
        (CardSubject::Detector(_), DataKind::Images) => UsageExample {
            purpose: "It finds images that are unlike those of the fit, and shows where. It needs no labels.",
            python: "scores = model.scores(\"new/\")         # score, p-value and verdict of each image\nheat = model.heatmaps(\"new/\")         # where it is unusual",
            command: ["score", "new/ -o scores.csv"],
        },
        (CardSubject::Restorer(_), _) => UsageExample {
            purpose: "It restores images that are corrupted in the way that it has learnt to undo.",
            python: "restored = model.restore(\"damaged/\")",
            command: ["restore", "damaged/ restored/"],
        },
        (CardSubject::Encoder(_), kind) => UsageExample {
            purpose: "It maps data to a few numbers each, the code, for other programs to learn from.",
            python: match kind {
                DataKind::Images => "codes = model.transform(\"new/\")",
                DataKind::Table | DataKind::Series => "codes = model.transform(\"new.csv\")",
            },
            command: ["encode", if kind == DataKind::Images { "new/ -o codes.csv" } else { "new.csv -o codes.csv" }],
        },
    }
}

/// Text as a literal of Python, which takes those of JSON.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
