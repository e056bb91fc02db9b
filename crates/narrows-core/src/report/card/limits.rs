//! What the model is not for: where its scores say little, when they no longer hold, and what its file gives away.

use super::markdown::{MarkdownDocument, sentence};
use super::subject::{CardSubject, DetectorSubject, KeptSamples};
use crate::report::Role;
use crate::report::number::count;

/// The section.
pub(super) fn write(subject: &CardSubject<'_>, document: &mut MarkdownDocument) {
    document.section("Limits");
    let items = match subject {
        CardSubject::Detector(model) => of_detector(model),
        CardSubject::Restorer(report) => {
            let mut items = vec![
                format!(
                    "It undoes {}: other corruptions, stronger ones and other kinds of images come back worse or changed.",
                    sentence(&format!("`{}`", report.damage.replace('`', "'")))
                ),
                "What it puts in the place of lost content is likely, not true: nothing can be proved by a restored image."
                    .to_owned(),
            ];
            items.extend(report.warnings.iter().map(|warning| sentence(warning)));
            items
        }
        CardSubject::Encoder(_) => vec![
            "Codes of data unlike those of the fit mean little, and nothing says so: an encoder has no scores."
                .to_owned(),
            "Codes are not anonymous: similar samples have similar codes.".to_owned(),
        ],
    };
    document.list(items);
}

fn of_detector(model: &DetectorSubject<'_>) -> Vec<String> {
    let report = model.report;
    let many = model.layout.noun().many;
    let mut items: Vec<String> = report.warnings.iter().map(|warning| sentence(warning)).collect();
    items.push(format!(
        "What scores above the threshold is unusual beside the {many} of the fit. That is no proof of a fault, a fraud or a danger, \
         and what scores below it is not proved good: somebody has to decide what follows, above all where it concerns people."
    ));
    items.push(
        "Whatever was frequent in the data of the fit counts as normal, anomalies among them included; what was rare counts as \
         unusual."
            .to_owned(),
    );
    if report.detection.promised_rate.is_some() {
        items.push(format!(
            "The false-alarm rate holds on average, for {many} from the distribution of the calibration {many}. It says nothing of the \
             share of anomalies that are found."
        ));
    }
    items.push(
        "When data drift, the threshold no longer holds: `narrows drift` compares new data with those of the fit and says what \
         has changed. Then fit again, or set the threshold anew on normal data."
            .to_owned(),
    );
    let of = |role: Role| report.columns.iter().filter(|column| column.role == role).count() as u64;
    if of(Role::Invariant) > 0 {
        items.push(format!(
            "{} of the columns never changed in training rows. The network does not see them: a row with anything else there has \
             its score raised.",
            count(of(Role::Invariant))
        ));
    }
    if model.columns.iter().any(|panel| panel.range.is_some()) {
        items.push(
            "Where most rows have numbers beyond the range seen in training (see the columns above), scores say little."
                .to_owned(),
        );
    }
    let unseen = of(Role::Dropped) + of(Role::Ignored);
    if unseen > 0 {
        items.push(format!("Anomalies in dropped and ignored columns ({}) are not seen.", count(unseen)));
    }
    items.push(kept(model));
    items
}

/// What of the training data is in the file.
fn kept(model: &DetectorSubject<'_>) -> String {
    let values = match model.report.images {
        Some(_) => {
            "percentiles of measures of the training images, and small copies of some held-out images (its contact sheets)"
        }
        None => {
            "single values of training rows: percentiles of numbers, names of categories, and reasons of the rows with the highest scores"
        }
    };
    match model.kept {
        KeptSamples::None => format!("The model file contains no training samples, but {values}."),
        KeptSamples::Rows(n) => {
            let noun = if model.report.images.is_some() { "images" } else { model.layout.noun().many };
            format!(
                "**The model file contains training data**: {} prepared {noun}, which new ones are compared with; also {values}.",
                count(n)
            )
        }
        KeptSamples::PatchCodes(n) => format!(
            "**The model file contains training data**: the codes of {} small patches of training images; also {values}.",
            count(n)
        ),
    }
}
