//! The model card: Markdown with the front matter of the Hugging Face Hub, as a README beside a model file.
//!
//! Its sections are those of Mitchell et al. 2019, "Model Cards for Model Reporting": details, intended use, data, training,
//! decision rule, measured quality, limits, use. It is written from the report and from what a model keeps of its columns, so
//! it tells no more of the training data than the model file does, and no row of them. The same model gives the same bytes.

mod data;
mod details;
mod evaluation;
mod figures;
mod front_matter;
mod license;
mod limits;
mod markdown;
mod subject;
mod usage;

pub use license::License;
pub(crate) use subject::{CardSubject, DetectorSubject, EncoderSubject, KeptSamples};

use front_matter::front_matter;
use markdown::MarkdownDocument;

/// What a card says that a model does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardOptions {
    /// The licence of the model; `unknown` without.
    pub license: Option<License>,
    /// Its repository on the Hub, as `owner/name`.
    pub repository: Option<String>,
    /// The name of the model file, for the examples.
    pub file: String,
}

impl Default for CardOptions {
    fn default() -> CardOptions {
        CardOptions { license: None, repository: None, file: "model.safetensors".to_owned() }
    }
}

impl CardOptions {
    /// The name of the model, for tables of results.
    fn name(&self, subject: &CardSubject<'_>) -> String {
        match &self.repository {
            Some(repository) => repository.rsplit('/').next().unwrap_or_default().to_owned(),
            None => subject.plain_title(),
        }
    }
}

/// Writes the card of a model.
pub(crate) fn render(subject: &CardSubject<'_>, options: &CardOptions) -> String {
    let mut document = MarkdownDocument::opening(front_matter(subject, options));
    details::write(subject, options, &mut document);
    usage::write(subject, options, &mut document);
    data::write(subject, &mut document);
    details::write_training(subject, &mut document);
    evaluation::write(subject, &mut document);
    limits::write(subject, &mut document);
    details::write_recipe(subject, &mut document);
    document.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{DataKind, Preset, Recipe};
    use crate::report::html::sample;
    use crate::report::{ColumnPanel, NewDataReport, Report, SampleLayout};

    fn panel(name: &str) -> ColumnPanel {
        ColumnPanel {
            name: name.to_owned(),
            kind: "number",
            edges: Vec::new(),
            counts: Vec::new(),
            quartiles: None,
            range: Some([1.5, 980.0]),
            always: None,
            levels: Vec::new(),
            others: None,
            missing: None,
        }
    }

    fn card_of(report: &Report, found: Option<&NewDataReport>) -> String {
        let layout = match (&report.images, &report.series) {
            (Some(_), _) => SampleLayout::Images,
            (None, Some(_)) => SampleLayout::Points,
            (None, None) => SampleLayout::Table,
        };
        let columns: Vec<ColumnPanel> = report.columns.first().map(|column| panel(&column.name)).into_iter().collect();
        let subject = DetectorSubject { report, layout, columns: &columns, kept: KeptSamples::Rows(1566), found };
        render(&CardSubject::Detector(subject), &CardOptions::default())
    }

    /// The card, checked for what holds for all: one front matter, sections in order, tables that are whole.
    fn check(card: &str, sections: &[&str]) {
        let mut parts = card.splitn(3, "---\n");
        assert_eq!(parts.next(), Some(""));
        assert!(parts.next().unwrap().lines().all(|line| !line.is_empty() && !line.starts_with('\t')), "{card}");
        let found: Vec<&str> = card.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(found, sections);
        let text = without_code(card);
        assert_eq!(text.lines().filter(|line| line.starts_with("# ")).count(), 1, "{card}");
        let bars = |line: &str| line.matches('|').count();
        let rows: Vec<&str> = card.lines().collect();
        for pair in rows.windows(2).filter(|pair| pair[0].starts_with('|') && pair[1].starts_with('|')) {
            assert_eq!(bars(pair[0]), bars(pair[1]), "{pair:?}");
        }
    }

    const DETECTOR: [&str; 8] =
        ["Model details", "Use", "Data of the fit", "Training", "Threshold", "Evaluation", "Limits", "Reproduction"];

    #[test]
    fn a_table_has_its_columns_its_threshold_and_its_limits() {
        let card = card_of(&sample::report(), None);
        check(&card, &DETECTOR);
        let plain = card.replace('\u{a0}', " ");
        for words in [
            "---\nlibrary_name: narrows\nlicense: unknown\ntags:\n- narrows\n- autoencoder\n- anomaly-detection\n",
            "# Autoencoder of `payments.csv`",
            "| `amount` | numeric | feature |",
            "1.5 to 980",
            "29 features, 1 label, 1 ignored, 2 dropped",
            "`false_alarm_rate=0.01`",
            "at most 1 %, on average",
            "1,566 prepared rows",
            "narrows fit payments.csv --label is_fraud --normal 0 ",
            "model = narrows.load(\"model.safetensors\")",
        ] {
            assert!(plain.contains(words), "`{words}` is missing in {plain}");
        }
        assert!(!card.contains("model-index") && !card.contains("pipeline_tag"), "{card}");
        assert_eq!(card, card_of(&sample::report(), None));
    }

    #[test]
    fn what_was_measured_on_labelled_data_is_in_the_front_matter_and_in_the_text() {
        let card = card_of(&sample::report(), Some(&sample::new_data()));
        check(&card, &DETECTOR);
        let front = card.split("---\n").nth(1).unwrap();
        for line in [
            "model-index:\n- name: \"payments.csv\"\n  results:\n  - task:\n      type: anomaly-detection\n",
            "      name: \"payments-2026.csv\"\n      type: tabular\n",
            "    - type: roc_auc\n      name: \"AUC-ROC\"\n      value: 0.94\n",
            "    - type: recall\n      name: \"recall at the threshold\"\n      value: 0.7\n",
        ] {
            assert!(front.contains(line), "`{line}` is missing in {front}");
        }
        assert!(card.contains("| AUC-ROC | 0.940 | 0.910 to 0.970 |"), "{card}");
        // Without labels nothing is measured.
        let unlabelled = NewDataReport { metrics: None, ..sample::new_data() };
        let card = card_of(&sample::report(), Some(&unlabelled));
        assert!(!card.contains("model-index") && card.contains("are above the threshold"), "{card}");
    }

    #[test]
    fn series_images_restorers_and_encoders_have_cards() {
        let mut report = sample::report();
        report.series = Some(sample::series());
        report.recipe = Recipe::preset_for(Preset::Auto, DataKind::Series);
        let card = card_of(&report, None);
        check(&card, &DETECTOR);
        assert!(card.contains("- time-series\n") && card.contains("model.events("), "{card}");

        let mut report = sample::report();
        (report.columns, report.images) = (Vec::new(), Some(sample::images()));
        report.recipe = Recipe::preset_for(Preset::Auto, DataKind::Images);
        let card = card_of(&report, None);
        check(&card, &DETECTOR);
        assert!(card.contains("type: psnr") && card.contains("held-out images of payments.csv"), "{card}");
        assert!(card.contains("model.heatmaps(") && !card.contains("### Columns"), "{card}");

        let card = render(&CardSubject::Restorer(&sample::restorer()), &CardOptions::default());
        let restorer = ["Model details", "Use", "Data of the fit", "Training", "Evaluation", "Limits", "Reproduction"];
        check(&card, &restorer);
        assert!(
            card.contains("pipeline_tag: image-to-image") && card.contains("# Restorer for `gaussian:25`"),
            "{card}"
        );

        let columns = [("a|b".to_owned(), "numeric".to_owned())];
        let subject = EncoderSubject {
            source: "train.csv",
            recipe: &sample::report().recipe,
            columns: &columns,
            layers: &["dense 8, relu".to_owned()],
            code_size: 4,
            parameters: 1234,
        };
        let options = CardOptions { repository: Some("me/codes".to_owned()), ..CardOptions::default() };
        let card = render(&CardSubject::Encoder(subject), &options);
        check(&card, &["Model details", "Use", "Data of the fit", "Limits", "Reproduction"]);
        assert!(card.contains("| a&#124;b | numeric |") && card.contains("from_pretrained(\"me/codes\")"), "{card}");
    }

    #[test]
    fn hostile_names_stay_text() {
        let hostile =
            || "---\n# x | `y` <script>alert(1)</script> [l](javascript:x) ![i](http://x) **b** \"' {{7}}".to_owned();
        let mut report = sample::report();
        (report.source, report.version) = (hostile(), hostile());
        for column in &mut report.columns {
            (column.name, column.kind, column.words) = (hostile(), hostile(), hostile());
        }
        report.label.as_mut().unwrap().column = hostile();
        report.label.as_mut().unwrap().normal = Some(hostile());
        (report.notes, report.warnings, report.network.loss) = (vec![hostile()], vec![hostile()], hostile());
        report.training.iter_mut().for_each(|training| training.corruption = hostile());
        report.network.layers.iter_mut().for_each(|layer| layer.words = hostile());
        let mut found = sample::new_data();
        found.source = hostile();
        let card = card_of(&report, Some(&found));
        check(&card, &DETECTOR);
        // Fenced code may have anything in it, and the front matter is quoted.
        let text = without_code(&card);
        for markup in ["<script", "](", "**b**", "| `y`", "\n# x"] {
            assert!(!text.contains(markup), "`{markup}` in {text}");
        }
        assert_eq!(card.matches("\n---\n").count(), 1, "{card}");
    }

    /// The card without front matter, fenced code, code spans and characters that a backslash has made text.
    fn without_code(card: &str) -> String {
        let body = card.splitn(3, "---\n").nth(2).unwrap();
        let mut fence: Option<String> = None;
        let mut kept = String::new();
        for line in body.lines() {
            let ticks: String = line.chars().take_while(|c| *c == '`').collect();
            match &fence {
                Some(open) if line == open => fence = None,
                Some(_) => {}
                None if ticks.len() > 2 => fence = Some(ticks),
                None => {
                    let mut characters = line.chars();
                    let mut text = String::new();
                    while let Some(c) = characters.next() {
                        match c {
                            '\\' => drop(characters.next()),
                            c => text.push(c),
                        }
                    }
                    kept.extend(text.split('`').step_by(2).chain(["\n"]));
                }
            }
        }
        kept
    }

    #[test]
    fn two_thousand_columns_and_notes_stay_readable() {
        let mut report = sample::report();
        report.columns = vec![report.columns[1].clone(); 2000];
        report.notes = vec![report.notes[0].clone(); 500];
        let card = card_of(&report, None);
        assert!(card.contains("And 1,800 more columns.") && card.contains("And 460 more."), "{card}");
        assert!(card.len() < 100_000, "{} bytes", card.len());
    }
}
