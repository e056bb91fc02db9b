//! `narrows inspect`: what a model file holds.

use clap::Args as ClapArgs;
use narrows_core::data::Schema;
use narrows_core::file::Model;
use narrows_core::report::Report;
use narrows_core::{Encoder, Fitted, Recipe, Restorer};
use serde::Serialize;

use super::summary;
use crate::args::{Common, ModelArg};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::talk::count;

/// Show what a model is: columns, preparation, network, threshold, recipe
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows inspect m.narrows",
    before_long_help = "Example: narrows inspect m.narrows --json | jq .recipe"
)]
pub(crate) struct Inspect {
    #[command(flatten)]
    model: ModelArg,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Inspection<'a> {
    /// The columns that the model reads.
    schema: &'a Schema,
    /// Rows that score above it are anomalies.
    threshold: f64,
    /// All that the fit had to say, the recipe included.
    #[serde(flatten)]
    report: &'a Report,
}

impl Inspect {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let fitted = match self.model.load_any()? {
            Model::Fitted(fitted) => fitted,
            Model::Restorer(restorer) => return inspect_restorer(&restorer, common),
            Model::Encoder(encoder) => return inspect_encoder(&encoder, common),
        };
        if common.json {
            let inspection =
                Inspection { schema: fitted.schema(), threshold: fitted.threshold(), report: fitted.report() };
            output::print_json(&inspection)?;
        } else {
            output::print(&for_people(&fitted))?;
        }
        Ok(Outcome::Done)
    }
}

fn inspect_restorer(restorer: &Restorer, common: &Common) -> Result<Outcome, Failure> {
    let report = restorer.report();
    if common.json {
        output::print_json(report)?;
        return Ok(Outcome::Done);
    }
    let mut lines = vec![format!("fitted with narrows {} on {}", report.version, report.album.source)];
    lines.extend(summary::restorer_lines(report));
    lines.extend([String::new(), "recipe".to_owned()]);
    lines.extend(restorer.recipe().to_toml().lines().map(|line| format!("  {line}").trim_end().to_owned()));
    output::print(&lines.join("\n"))?;
    Ok(Outcome::Done)
}

/// What `--json` prints of an encoder.
#[derive(Serialize)]
struct EncoderInspection<'a> {
    source: &'a str,
    schema: &'a Schema,
    code_size: usize,
    parameters: usize,
    layers: Vec<String>,
    recipe: &'a Recipe,
}

fn inspect_encoder(encoder: &Encoder, common: &Common) -> Result<Outcome, Failure> {
    if common.json {
        let (source, schema, recipe) = (encoder.source(), encoder.schema(), encoder.recipe());
        let (code_size, parameters) = (encoder.code_size(), encoder.n_parameters());
        let layers = encoder.layers();
        output::print_json(&EncoderInspection { source, schema, code_size, parameters, layers, recipe })?;
        return Ok(Outcome::Done);
    }
    let columns: Vec<String> =
        encoder.schema().columns.iter().map(|column| format!("{} ({})", column.name, column.kind)).collect();
    let mean = if encoder.is_gaussian() { ", the mean of a gaussian" } else { "" };
    let mut lines = vec![
        format!("encoder alone, fitted on {}: for narrows encode", encoder.source()),
        format!("code        {}{mean}", count(encoder.code_size() as u64, "unit")),
        format!("network     {}", count(encoder.n_parameters() as u64, "parameter")),
    ];
    if !columns.is_empty() {
        lines.push(format!("columns     {}", columns.join(", ")));
    }
    lines.push(String::new());
    lines.extend(encoder.layers().iter().map(|layer| format!("  {layer}")));
    lines.extend([String::new(), "recipe".to_owned()]);
    lines.extend(encoder.recipe().to_toml().lines().map(|line| format!("  {line}").trim_end().to_owned()));
    output::print(&lines.join("\n"))?;
    Ok(Outcome::Done)
}

fn for_people(fitted: &Fitted) -> String {
    let report = fitted.report();
    let mut lines = vec![format!("fitted with narrows {} on {}", report.version, report.source)];
    lines.extend(summary::lines(report));
    lines.push(String::new());
    let widest = report.columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
    for column in &report.columns {
        lines.push(format!("  {:<widest$}  {:<8}  {}", column.name, column.kind, column.words));
    }
    lines.push(String::new());
    lines.extend(
        report
            .network
            .layers
            .iter()
            .map(|layer| format!("  {:<8} {}", format!("{:?}", layer.part).to_lowercase(), layer.words)),
    );
    lines.push(String::new());
    lines.push("recipe".to_owned());
    lines.extend(fitted.recipe().to_toml().lines().map(|line| format!("  {line}").trim_end().to_owned()));
    lines.join("\n")
}
