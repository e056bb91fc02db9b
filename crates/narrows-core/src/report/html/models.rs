//! The front page of a server: its models, and data to score with several of them.

use askama::Template;
use serde::Serialize;

use super::scripts;
use super::text::{DisplayName, cut};
use crate::error::{Error, Result};

/// A model that a server has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServedEntry {
    /// Its name, which is its address under `/models/`.
    pub name: String,
    /// Hash of its file.
    pub version: String,
    /// The kind of its data: `table`, `series`, `images`, or another that has no scores.
    pub kind: String,
    /// What it was fitted to.
    pub source: String,
    /// Its threshold, if it has scores.
    pub threshold: Option<f64>,
    /// The guaranteed false-alarm rate, if there is one.
    pub promised_rate: Option<f64>,
    /// Whether it has a page.
    pub has_page: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "report/models.html", whitespace = "minimize")]
struct ModelsPage {
    title: String,
    kind: &'static str,
    version: &'static str,
    host: String,
    models: Vec<ModelLine>,
}

struct ModelLine {
    name: DisplayName,
    address: String,
    kind: String,
    source: String,
    has_page: bool,
}

#[derive(Serialize)]
struct ModelsDocument<'a> {
    host: &'static str,
    page: &'static str,
    version: &'static str,
    models: &'a [ServedEntry],
}

/// Renders the front page of a server.
///
/// # Errors
/// If formatting fails, which cannot happen in memory.
pub fn render_models(models: &[ServedEntry]) -> Result<String> {
    let version = env!("CARGO_PKG_VERSION");
    let document = ModelsDocument { host: "server", page: "models", version, models };
    let line = |model: &ServedEntry| ModelLine {
        name: DisplayName::new(&model.name),
        address: page_address(&model.name),
        kind: model.kind.clone(),
        source: cut(&model.source, 120),
        has_page: model.has_page,
    };
    let page = ModelsPage {
        title: "Models".to_owned(),
        kind: "server",
        version,
        host: scripts::embedded(&document).map_err(|error| Error::write("index.html", error.into()))?,
        models: models.iter().map(line).collect(),
    };
    page.render().map_err(|error| Error::write("index.html", std::io::Error::other(error)))
}

/// The address of a model's page on its server.
pub fn page_address(name: &str) -> String {
    let mut segment = "/models/".to_owned();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => segment.push(char::from(byte)),
            _ => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_text_in_addresses_and_in_the_document() {
        let name = "</script><b>a b".to_owned();
        let entry = ServedEntry {
            name: name.clone(),
            version: "1".to_owned(),
            kind: "table".to_owned(),
            source: name,
            threshold: Some(1.5),
            promised_rate: None,
            has_page: true,
        };
        let html = render_models(&[entry]).unwrap();
        assert!(html.contains("href=\"/models/%3C%2Fscript%3E%3Cb%3Ea%20b\"") && !html.contains("<b>a b"), "{html}");
        assert!(html.contains("\\u003c/script>"));
    }
}
