//! `narrows inspect`: prints the content of a model file.

use clap::Args as ClapArgs;
use narrows_core::data::Schema;
use narrows_core::report::Report;
use narrows_core::{Encoder, Model, Recipe, Restorer, TabularModel};
use serde::Serialize;

use super::summary::{self, Detail, Judged};
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::output;
use crate::talk::count;

/// Show a model: columns, preprocessing, network, threshold and recipe
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows inspect m.narrows",
    before_long_help = "Example: narrows inspect m.narrows --json | jq .recipe"
)]
pub(crate) struct Inspect {
    #[command(flatten)]
    model: ModelArg,
}

/// Output of `--json`.
#[derive(Serialize)]
struct Inspection<'a> {
    /// Input columns of the model.
    schema: &'a Schema,
    /// Rows with a score above it are anomalies.
    threshold: f64,
    /// The report of the fit, including the recipe, and its verdict.
    #[serde(flatten)]
    report: Judged<'a, Report>,
}

impl Inspect {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        match self.model.load(common)? {
            Model::Table(model) => inspect(model.schema(), model.threshold(), model.report(), common),
            Model::Series(model) => inspect(model.schema(), model.threshold(), model.report(), common),
            Model::Images(model) => inspect(&Schema::default(), model.threshold(), model.report(), common),
            Model::Restorer(restorer) => inspect_restorer(&restorer, common),
            Model::Encoder(encoder) => inspect_encoder(&encoder, common),
        }
    }
}

fn inspect(schema: &Schema, threshold: f64, report: &Report, common: &Common) -> Result<Outcome, Failure> {
    if common.json {
        output::print_json(&Inspection { schema, threshold, report: Judged::fit(report) })?;
    } else {
        output::print(&for_people(report))?;
    }
    Ok(Outcome::Done)
}

fn inspect_restorer(restorer: &Restorer, common: &Common) -> Result<Outcome, Failure> {
    let report = restorer.report();
    if common.json {
        output::print_json(&Judged::restorer(report))?;
        return Ok(Outcome::Done);
    }
    let mut lines = vec![format!("fitted with narrows {} on {}", report.version, report.album.source)];
    lines.extend(summary::restorer_lines(report, Detail::Full));
    lines.extend([String::new(), "recipe".to_owned()]);
    lines.extend(restorer.recipe().to_toml().lines().map(|line| format!("  {line}").trim_end().to_owned()));
    output::print(&lines.join("\n"))?;
    Ok(Outcome::Done)
}

/// Output of `--json` for an encoder.
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
        let (source, recipe) = (encoder.source(), encoder.recipe());
        let no_columns = Schema::default();
        let schema = encoder.schema().unwrap_or(&no_columns);
        let (code_size, parameters) = (encoder.code_size(), encoder.n_parameters());
        let layers = encoder.layers();
        output::print_json(&EncoderInspection { source, schema, code_size, parameters, layers, recipe })?;
        return Ok(Outcome::Done);
    }
    let columns: Vec<String> = encoder
        .schema()
        .into_iter()
        .flat_map(|schema| &schema.columns)
        .map(|column| format!("{} ({})", column.name, column.kind))
        .collect();
    let mean = if encoder.is_gaussian() { ", the mean of a Gaussian latent" } else { "" };
    let mut lines = vec![
        format!("encoder only, fitted on {}; for narrows encode", encoder.source()),
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

fn for_people(report: &Report) -> String {
    let mut lines = vec![format!("fitted with narrows {} on {}", report.version, report.source)];
    lines.extend(summary::lines(report, Detail::Full));
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
    lines.extend(report.recipe.to_toml().lines().map(|line| format!("  {line}").trim_end().to_owned()));
    lines.join("\n")
}
