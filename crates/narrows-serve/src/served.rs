//! A model that is served: its name, its version, and what it reads.

use std::path::Path;
use std::time::{Duration, SystemTime};

use narrows_core::data::{Column, ColumnKind, Table};
use narrows_core::drift::DriftReport;
use narrows_core::recipe::DataKind;
use narrows_core::report::html::ServedEntry;
use narrows_core::{Compute, Error, ImageModel, Model, Restorer, Scores, SeriesModel, TabularModel};
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::refusal::Refusal;
use crate::statistics::ModelStatistics;
use crate::watch::DriftWatch;

/// Rows from which on a request is computed by all threads instead of one.
const MANY_ROWS: usize = 4096;

/// A loaded model.
#[derive(Debug)]
pub(crate) struct ServedModel {
    pub(crate) name: String,
    /// A hash of the file: another content is another version.
    pub(crate) version: String,
    pub(crate) loaded: SystemTime,
    model: Model,
    pub(crate) statistics: ModelStatistics,
    form: ServedForm,
}

/// What can be asked of a model.
#[derive(Debug)]
enum ServedForm {
    Rows {
        alone: Box<dyn TabularModel>,
        shared: Box<dyn TabularModel>,
        watch: Option<Box<DriftWatch>>,
        /// The same model, if its rows are points of series.
        points: Option<Box<SeriesModel>>,
    },
    Images(Box<ImageModel>),
    Restorer(Box<Restorer>),
    /// Answers nothing.
    Unscored(&'static str),
}

impl ServedModel {
    /// Loads a file.
    pub(crate) fn load(name: &str, path: &Path, compute: &Compute) -> Result<ServedModel, Error> {
        let bytes = std::fs::read(path).map_err(|error| {
            let message = format!("cannot be read: {error}");
            Error::model_file(path, message)
        })?;
        ServedModel::of_bytes(name, &bytes, compute).map_err(|message| Error::model_file(path, message))
    }

    /// Loads the bytes of a file.
    pub(crate) fn of_bytes(name: &str, bytes: &[u8], compute: &Compute) -> Result<ServedModel, String> {
        let tabular = |model: Model| model.into_tabular().map_err(|error| error.to_string());
        let model = Model::from_bytes(bytes).map_err(|message| message.to_string())?;
        let form = match model.clone() {
            model @ (Model::Table(_) | Model::Series(_)) => {
                let alone = tabular(model.clone().with_compute(&Compute::serial()))?;
                let watch = DriftWatch::new(alone.as_ref()).map(Box::new);
                let points = match &model {
                    Model::Series(model) => Some(Box::new(model.clone())),
                    _ => None,
                };
                ServedForm::Rows { alone, shared: tabular(model.with_compute(compute))?, watch, points }
            }
            Model::Images(model) => ServedForm::Images(Box::new(model.with_compute(compute))),
            Model::Restorer(model) => ServedForm::Restorer(Box::new(model.with_compute(compute))),
            Model::Encoder(_) => ServedForm::Unscored("an encoder without its decoder"),
        };
        let version = format!("{:016x}", xxh3_64(bytes));
        Ok(ServedModel {
            name: name.to_owned(),
            version,
            loaded: SystemTime::now(),
            statistics: ModelStatistics::default(),
            model,
            form,
        })
    }

    /// The model as it was loaded.
    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// What the front page says of it.
    pub(crate) fn entry(&self) -> ServedEntry {
        let (report, decision) = match &self.model {
            Model::Table(model) => (Some(model.report()), Some(model.decision())),
            Model::Series(model) => (Some(model.report()), Some(model.decision())),
            Model::Images(model) => (Some(model.report()), Some(model.decision())),
            Model::Restorer(_) | Model::Encoder(_) => (None, None),
        };
        ServedEntry {
            name: self.name.clone(),
            version: self.version.clone(),
            kind: self.kind().to_owned(),
            source: report.map(|report| report.source.clone()).unwrap_or_default(),
            threshold: decision.map(|decision| decision.threshold),
            promised_rate: decision.and_then(|decision| decision.promised_rate),
            has_page: !matches!(self.model, Model::Encoder(_)),
        }
    }

    /// The model, if it scores rows.
    pub(crate) fn tabular(&self) -> Result<&dyn TabularModel, Refusal> {
        match &self.form {
            ServedForm::Rows { alone, .. } => Ok(alone.as_ref()),
            _ => Err(self.is_not("a model of tables or series")),
        }
    }

    /// The model, computing with as many threads as so many rows are worth.
    pub(crate) fn tabular_for(&self, rows: usize) -> Result<&dyn TabularModel, Refusal> {
        match &self.form {
            ServedForm::Rows { shared, .. } if rows >= MANY_ROWS => Ok(shared.as_ref()),
            _ => self.tabular(),
        }
    }

    /// The model, if it is of series.
    pub(crate) fn points(&self) -> Option<&SeriesModel> {
        match &self.form {
            ServedForm::Rows { points, .. } => points.as_deref(),
            _ => None,
        }
    }

    /// The last full window of rows, compared with those of the fit, or the rows so far, if it scores rows.
    pub(crate) fn drift(&self) -> Result<DriftReport, Refusal> {
        self.watched().map(|(watch, model)| watch.latest(model))
    }

    /// Both windows, if it scores rows.
    pub(crate) fn drift_document(&self) -> Result<Value, Refusal> {
        self.watched().map(|(watch, model)| watch.document(model))
    }

    /// The missing cells of each of its first columns since this was last asked.
    pub(crate) fn new_missing(&self, most: usize) -> Vec<(String, u64)> {
        self.watched().map(|(watch, model)| watch.new_missing(model, most)).unwrap_or_default()
    }

    fn watched(&self) -> Result<(&DriftWatch, &dyn TabularModel), Refusal> {
        match &self.form {
            ServedForm::Rows { watch: Some(watch), alone, .. } => Ok((watch, alone.as_ref())),
            _ => Err(self.is_not("a model of tables or series")),
        }
    }

    /// Rows were scored.
    pub(crate) fn scored(&self, table: &Table, scores: &Scores, took: Duration) {
        self.statistics.scored(table.n_rows(), took);
        if let Ok((watch, model)) = self.watched() {
            watch.scored(model, table, scores);
        }
    }

    /// The model, if it scores images.
    pub(crate) fn images(&self) -> Result<&ImageModel, Refusal> {
        match &self.form {
            ServedForm::Images(model) => Ok(model),
            _ => Err(self.is_not("a model of images")),
        }
    }

    /// The model, if it is nothing but one that restores images.
    pub(crate) fn restorer(&self) -> Option<&Restorer> {
        match &self.form {
            ServedForm::Restorer(model) => Some(model),
            _ => None,
        }
    }

    /// An error for a model that was not fitted to remove a corruption.
    pub(crate) fn check_restores(&self) -> Result<(), Refusal> {
        match &self.form {
            ServedForm::Restorer(_) => Ok(()),
            ServedForm::Images(model) if !model.recipe().damages().is_empty() => Ok(()),
            ServedForm::Images(_) => {
                let message = "expected one fitted with a corruption, got one fitted without; POST .../reconstruct";
                Err(Refusal::bad(format!("model `{}`: {message}", self.name)))
            }
            _ => Err(self.is_not("a model that restores images")),
        }
    }

    /// Whether it reads images.
    pub(crate) fn reads_images(&self) -> bool {
        matches!(self.form, ServedForm::Images(_) | ServedForm::Restorer(_))
    }

    /// Whether requests may be gathered.
    pub(crate) fn rows_are_independent(&self) -> bool {
        self.tabular().is_ok_and(TabularModel::rows_are_independent)
    }

    pub(crate) fn is_not(&self, expected: &str) -> Refusal {
        let got = match &self.form {
            ServedForm::Rows { alone, .. } if alone.recipe().data.kind() == DataKind::Series => "one of series",
            ServedForm::Rows { .. } => "one of tables",
            ServedForm::Images(_) => "one of images",
            ServedForm::Restorer(_) => "a model that restores images",
            ServedForm::Unscored(what) => what,
        };
        Refusal::bad(format!("model `{}`: expected {expected}, got {got}; GET /v2/models lists all models", self.name))
    }

    /// The columns that a request has, in order.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let Ok(model) = self.tabular() else { return Vec::new() };
        let mut columns = model.columns_read().columns;
        let index = model.index_columns().into_iter();
        let added: Vec<Column> = index
            .filter(|name| columns.iter().all(|column| column.name != *name))
            .map(|name| Column::new(name, ColumnKind::Text))
            .collect();
        columns.extend(added);
        columns
    }

    /// The outputs of `infer`, with their datatypes.
    pub(crate) fn outputs(&self) -> Vec<(&'static str, &'static str)> {
        let mut outputs = vec![("score", "FP64"), ("p_value", "FP64"), ("is_anomaly", "BOOL")];
        if self.tabular().is_ok_and(|model| model.recipe().data.kind() == DataKind::Series) {
            outputs.push(("flag", "BYTES"));
        }
        outputs
    }

    /// The metadata of the Open Inference Protocol.
    pub(crate) fn metadata(&self) -> Value {
        let mut inputs: Vec<Value> = self.columns().iter().map(input).collect();
        if let ServedForm::Images(_) = &self.form {
            // UINT8 of the shape [height, width, channels] is another way.
            inputs.push(json!({"name": "image", "datatype": "BYTES", "shape": [-1]}));
        }
        let output = |(name, datatype)| json!({"name": name, "datatype": datatype, "shape": [-1]});
        let outputs: Vec<Value> = match &self.form {
            ServedForm::Rows { .. } | ServedForm::Images(_) => self.outputs().into_iter().map(output).collect(),
            _ => Vec::new(),
        };
        let mut metadata = json!({
            "name": self.name,
            "versions": [self.version],
            "platform": "narrows",
            "inputs": inputs,
            "outputs": outputs,
            "parameters": {"kind": self.kind()},
        });
        if let Ok(model) = self.tabular() {
            metadata["parameters"]["threshold"] = json!(model.threshold());
            metadata["parameters"]["content_type"] = json!("pd");
        }
        if let ServedForm::Images(model) = &self.form {
            metadata["parameters"]["threshold"] = json!(model.threshold());
            metadata["parameters"]["channels"] = json!(model.channels().count());
            metadata["parameters"]["size"] = json!(model.training_size().map(|(height, width)| [height, width]));
        }
        metadata
    }

    /// The configuration, as Triton's clients read it.
    pub(crate) fn config(&self) -> Value {
        // A type of Triton is a datatype of the protocol, but for text.
        let data_type = |datatype: &str| match datatype {
            "BYTES" => "TYPE_STRING".to_owned(),
            other => format!("TYPE_{other}"),
        };
        let metadata = self.metadata();
        let tensors = |field: &str| -> Vec<Value> {
            let all = metadata[field].as_array().into_iter().flatten();
            let tensor = |tensor: &Value| {
                let datatype = tensor["datatype"].as_str().unwrap_or_default();
                json!({"name": tensor["name"], "data_type": data_type(datatype), "dims": tensor["shape"]})
            };
            all.map(tensor).collect()
        };
        json!({
            "name": self.name,
            "platform": "narrows",
            "backend": "narrows",
            "version_policy": {"latest": {"num_versions": 1}},
            // Shapes are whole: their first dimension is the number of rows.
            "max_batch_size": 0,
            "input": tensors("inputs"),
            "output": tensors("outputs"),
        })
    }

    /// The fields that stand beside rows in an answer.
    pub(crate) fn heading(&self, warnings: &[String]) -> Map<String, Value> {
        Map::from_iter([
            ("model_name".to_owned(), json!(self.name)),
            ("model_version".to_owned(), json!(self.version)),
            ("warnings".to_owned(), json!(warnings)),
        ])
    }

    /// The kind of its data.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.form {
            ServedForm::Rows { alone, .. } if alone.recipe().data.kind() == DataKind::Series => "series",
            ServedForm::Rows { .. } => "table",
            ServedForm::Images(_) => "images",
            ServedForm::Restorer(_) => "restorer",
            ServedForm::Unscored(_) => "unscored",
        }
    }
}

/// A column as a tensor, as MLServer describes columns of frames.
fn input(column: &Column) -> Value {
    let tensor = |datatype: &str| json!({"name": column.name, "datatype": datatype, "shape": [-1, 1]});
    match column.kind {
        ColumnKind::Numeric => tensor("FP64"),
        ColumnKind::Boolean => tensor("BOOL"),
        ColumnKind::Category | ColumnKind::Datetime | ColumnKind::Text => {
            let mut tensor = tensor("BYTES");
            tensor["parameters"] = json!({"content_type": "str"});
            tensor
        }
    }
}
