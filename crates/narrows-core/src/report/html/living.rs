//! What makes a page interactive: its scripts, and the data that they show.

use askama::Template;
use serde::Serialize;

use super::scripts;
use crate::error::{Error, Result};
use crate::report::{ColumnPanel, SampleLayout, ScoredData};

/// Who shows an interactive page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageHost<'a> {
    /// A file, which contains the scripts and requests nothing.
    File,
    /// A server, which hands out the scripts under `/ui/` and scores what is dropped on the page.
    Server {
        /// The name of the model there.
        model: &'a str,
    },
}

/// What the scripts are told about their page.
#[derive(Debug, Serialize)]
struct HostDocument<'a> {
    host: &'static str,
    page: &'static str,
    model: &'a str,
    layout: SampleLayout,
    version: &'static str,
    columns: &'a [ColumnPanel],
}

/// The documents and scripts at the end of a page.
#[derive(Template)]
#[template(path = "report/living.html", whitespace = "minimize")]
pub(super) struct LivingPart {
    host: String,
    data: Option<String>,
    is_file: bool,
    import_map: String,
    pub(super) can_zoom: bool,
}

/// A page of a file may run what it contains and request nothing.
const FILE_POLICY: &str = "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'";

impl LivingPart {
    /// For a page about a model whose columns are `columns`.
    pub(super) fn new(
        host: PageHost<'_>,
        layout: SampleLayout,
        columns: &[ColumnPanel],
        data: Option<&ScoredData>,
    ) -> Result<LivingPart> {
        let failed = |error: serde_json::Error| Error::write("report.html", error.into());
        let is_file = host == PageHost::File;
        let document = HostDocument {
            host: if is_file { "file" } else { "server" },
            page: "model",
            model: match host {
                PageHost::File => "",
                PageHost::Server { model } => model,
            },
            layout,
            version: env!("CARGO_PKG_VERSION"),
            columns,
        };
        Ok(LivingPart {
            host: scripts::embedded(&document).map_err(failed)?,
            data: data.map(scripts::embedded).transpose().map_err(failed)?,
            is_file,
            import_map: if is_file { scripts::import_map() } else { String::new() },
            can_zoom: false,
        })
    }

    /// The policy that the page itself states; a server sends its own.
    pub(super) fn policy(&self) -> Option<&'static str> {
        self.is_file.then_some(FILE_POLICY)
    }

    /// What the foot of the page says about it.
    pub(super) fn note(&self) -> &'static str {
        if self.is_file {
            "This page is self-contained: its scripts are in it, and it requests nothing."
        } else {
            "Served by the model's server; nothing comes from elsewhere."
        }
    }
}
