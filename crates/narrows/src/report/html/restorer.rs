//! The page of a restorer.

use askama::Template;

use super::super::RestorerReport;
use crate::error::{Error, Result};

/// The page.
#[derive(Template)]
#[template(
    source = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{{ title }}</title></head><body><h1>{{ title }}</h1><p>{{ network }}</p><img alt=\"contact sheet\" src=\"data:image/png;base64,{{ sheet }}\"></body></html>",
    ext = "html"
)]
struct Page<'a> {
    title: &'a str,
    network: &'a str,
    sheet: &'a str,
}

/// Draws the report of a restorer as one self-contained HTML file. The same report gives the same bytes.
///
/// # Errors
/// Where the page cannot be formatted, which a page in memory never is.
pub fn render_restorer(report: &RestorerReport) -> Result<String> {
    let page = Page { title: &report.damage, network: &report.network, sheet: &report.sheet };
    page.render().map_err(|error| Error::write("report.html", std::io::Error::other(error)))
}
