//! The front matter: YAML that the Hugging Face Hub reads.
//!
//! Text is always in double quotes, with anything unusual as an escape, so that it is one line and nothing but text.

use super::subject::{CardSubject, CardTask};
use super::{CardOptions, figures};

/// The front matter of a card, with its fences.
pub(super) fn front_matter(subject: &CardSubject<'_>, options: &CardOptions) -> String {
    let license = options.license.clone().unwrap_or_default();
    let mut lines = vec!["---".to_owned(), "library_name: narrows".to_owned(), format!("license: {license}")];
    lines.extend(pipeline_tag(subject.task(), subject).map(|tag| format!("pipeline_tag: {tag}")));
    lines.push("tags:".to_owned());
    lines.extend(subject.tags().iter().map(|tag| format!("- {tag}")));
    let results = figures::measured(subject);
    if !results.is_empty() {
        lines.push("model-index:".to_owned());
        lines.push(format!("- name: {}", quoted(&options.name(subject))));
        lines.push("  results:".to_owned());
    }
    for result in results {
        lines.extend([
            "  - task:".to_owned(),
            format!("      type: {}", result.task),
            "    dataset:".to_owned(),
            format!("      name: {}", quoted(&result.data)),
            format!("      type: {}", result.data_kind),
            "    metrics:".to_owned(),
        ]);
        for metric in result.metrics {
            lines.push(format!("    - type: {}", metric.identifier));
            lines.push(format!("      name: {}", quoted(metric.name)));
            lines.push(format!("      value: {:?}", (metric.value * 1e6).round() / 1e6));
        }
    }
    lines.push("---\n".to_owned());
    lines.join("\n")
}

/// The Hub's task, where one fits; it has none for anomaly detection.
fn pipeline_tag(task: CardTask, subject: &CardSubject<'_>) -> Option<&'static str> {
    match task {
        CardTask::Detection => None,
        CardTask::Restoration => Some("image-to-image"),
        CardTask::Encoding if subject.has_images() => Some("image-feature-extraction"),
        CardTask::Encoding => Some("feature-extraction"),
    }
}

/// Text as a scalar of YAML in double quotes, whatever it has.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_alphanumeric() || (' '..='~').contains(&c) => out.push(c),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_line_in_quotes() {
        assert_eq!(quoted("käse: #1 \"x\" \\"), "\"käse: #1 \\\"x\\\" \\\\\"");
        assert_eq!(quoted("a\n---\u{2028}"), "\"a\\U0000000a---\\U00002028\"");
    }
}
