//! `narrows open`: the page of a model in the browser, with what it finds in new data.

use std::path::Path;

use clap::{Args as ClapArgs, value_parser};
use narrows_core::Error;
use narrows_core::error::Place;
use narrows_core::report::html::page_address;
use narrows_serve::{LogSink, OpenedData, ServeOptions, Server};
use serde_json::json;

use super::new_data::{NewDataArgs, NewDataFindings};
use crate::failure::{Failure, Outcome};
use crate::flags::Common;
use crate::{interrupt, output};

/// Show a model in the browser, with what it finds in new data
///
/// The page is that of `narrows report`, and scores whatever is dropped on it. It is served from this machine, and to this
/// machine alone, until Ctrl-C.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows open m.narrows new.csv",
    before_long_help = "Examples:\n  narrows open m.narrows\n  narrows open m.narrows new.csv --label is_fraud\n  \
                        narrows open m.narrows new/ --no-browser --port 8081"
)]
pub(crate) struct Open {
    #[command(flatten)]
    data: NewDataArgs,
    /// Port to listen on; by default any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0, value_parser = value_parser!(u16))]
    port: u16,
    /// Print the address and leave the browser alone
    #[arg(long)]
    no_browser: bool,
}

impl Open {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let Open { data, port, no_browser } = self;
        let talk = common.talk();
        let model = data.model(common)?;
        // A model without a page is refused here.
        model.report_html()?;
        let name = name_of(&data.model.path)?;
        // A server reads files: one with the threshold asked for.
        let folder = tempfile::tempdir().map_err(|error| Error::write("a temporary folder", error))?;
        let path = folder.path().join(format!("{name}.narrows"));
        model.save(&path)?;
        let opened = match data.is_given() {
            true => {
                let NewDataFindings { found, rows, .. } = data.findings(&model, common)?;
                let share = 100.0 * found.anomaly_share();
                talk.line(format_args!("{} of {} anomalous ({share:.2} %)", found.anomalies, found.scored));
                Some(OpenedData { model: name.clone(), found, data: rows })
            }
            false => None,
        };
        let _grace = interrupt::grace("");
        // What goes wrong is told; requests are not.
        let log = LogSink::new(move |line| {
            if line.contains("\"level\":\"error\"") {
                talk.warn(line);
            }
        });
        let (models, compute) = (vec![path], common.compute()?);
        let server = Server::start(ServeOptions { models, port, compute, log, opened, ..ServeOptions::default() })?;
        let address = format!("http://{}{}", server.address(), page_address(&name));
        if common.json {
            output::print_json(&json!({ "address": address }))?;
        }
        talk.line(format_args!("page        {address}"));
        talk.line(format_args!("            Ctrl-C ends it"));
        if !no_browser && let Err(error) = open::that_detached(&address) {
            talk.warn(format_args!("no browser could be started ({error}): open the address yourself"));
        }
        interrupt::wait();
        server.stop();
        server.wait();
        Ok(Outcome::Done)
    }
}

/// The name of the model of a file.
fn name_of(path: &Path) -> Result<String, Failure> {
    let name = path.file_stem().and_then(|stem| stem.to_str());
    name.map(str::to_owned).ok_or_else(|| {
        let place = Place::source(path.display().to_string());
        Error::data(place, "expected a file name in UTF-8, which names the model").into()
    })
}
