//! The encoder alone: from rows to codes, without the way back. It scores nothing and holds no training row, and it is
//! what a program needs that wants the codes as features.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use narrows_engine::{Latent, Layer, Loss, Network, Output, Params, Repeat, Threads};
use narrows_images::Image;

use super::Fitted;
use super::adapter::{Adapter, ImageAdapter, SeriesAdapter};
use super::images::{not_a_table, not_images};
use crate::data::{Layout, Schema, Table};
use crate::error::{Error, Result};
use crate::prep::Prepared;
use crate::recipe::Recipe;

/// Windows encoded together.
const CHUNK: usize = 4096;

/// A model without its decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoder {
    pub(crate) recipe: Recipe,
    /// How raw tables become what is encoded.
    pub(crate) adapter: Adapter,
    /// The encoder's layers; what stands in the decoder's place hands the code on.
    pub(crate) network: Network,
    /// The weights of the first member, whose code is the model's.
    pub(crate) params: Params,
    /// What the model was fitted on, as given.
    pub(crate) source: String,
}

impl Encoder {
    /// The encoder of a network with another decoder, or of one whose decoder is not there.
    ///
    /// # Errors
    /// Where the layers do not fit together, which those of a network do.
    pub(crate) fn network(whole: &Network) -> Result<Network> {
        let k = whole.code_size();
        let hand_on = vec![Layer::Repeat(Repeat { width: k, steps: 1 })];
        Network::new(whole.encoder.clone(), whole.latent, hand_on, Output::single(k, Loss::Mse))
            .map_err(|error| Error::mismatch(error.to_string()))
    }

    /// Every choice that made the model.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The columns, as they must come.
    pub fn schema(&self) -> &Schema {
        self.adapter.schema()
    }

    /// Units of the code.
    pub fn code_size(&self) -> usize {
        self.network.code_size()
    }

    /// Numbers that were trained.
    pub fn n_parameters(&self) -> usize {
        self.network.n_params()
    }

    /// What the model was fitted on, as given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The layers, in words, from the input to the code.
    pub fn layers(&self) -> Vec<String> {
        self.network.encoder.iter().map(|layer| layer.to_string().to_lowercase()).collect()
    }

    /// Whether the code is a distribution, of which the mean is given.
    pub fn is_gaussian(&self) -> bool {
        self.network.latent == Latent::Gaussian
    }

    /// Whether it reads images.
    pub fn reads_images(&self) -> bool {
        matches!(self.adapter, Adapter::Images(_))
    }

    /// Whether a sample is a piece of an image and not all of it.
    pub fn sees_pieces(&self) -> bool {
        self.adapter.sees_pieces()
    }

    /// Whether a row's code depends on no other row, so that rows may be given piece by piece.
    pub fn rows_stand_alone(&self) -> bool {
        self.adapter.rows_stand_alone()
    }

    /// As [`Fitted::encode`], to the bit.
    ///
    /// # Errors
    /// As for [`Fitted::encode`].
    pub fn encode(&self, table: &Table, threads: &Threads) -> Result<Table> {
        self.encoding().table(table, threads)
    }

    /// As [`Fitted::encode_image`], to the bit.
    ///
    /// # Errors
    /// As for [`Fitted::encode_image`].
    pub fn encode_image(&self, image: &Image, threads: &Threads) -> Result<Vec<Vec<f32>>> {
        self.encoding().image(image, threads)
    }

    fn encoding(&self) -> Encoding<'_> {
        Encoding { adapter: &self.adapter, network: &self.network, params: &self.params }
    }
}

impl Fitted {
    /// The model without its decoder.
    pub fn encoder(&self) -> Encoder {
        let network = Encoder::network(&self.scorer.network).expect("the layers of a network");
        let mut params = network.init(0);
        for entry in self.scorer.members[0].entries().filter(|entry| entry.name.starts_with("encoder.")) {
            params.set(entry.name, entry.shape, entry.data).expect("the encoder's own weights");
        }
        let mut adapter = self.adapter.clone();
        if let Adapter::Table(table) = &mut adapter {
            // What numbers look like is for those that are made anew.
            table.grains.clear();
        }
        Encoder { recipe: self.recipe.clone(), adapter, network, params, source: self.report.source.clone() }
    }

    pub(super) fn encoding(&self) -> Encoding<'_> {
        Encoding { adapter: &self.adapter, network: &self.scorer.network, params: &self.scorer.members[0] }
    }
}

/// The way from raw rows to codes, of a model that is whole or not.
pub(super) struct Encoding<'a> {
    adapter: &'a Adapter,
    network: &'a Network,
    params: &'a Params,
}

impl Encoding<'_> {
    /// The code of each row as columns `code_0`, `code_1` and so on; in the long layout a row a window, after columns that
    /// say which one it is.
    pub(super) fn table(&self, table: &Table, threads: &Threads) -> Result<Table> {
        let codes = match self.adapter {
            Adapter::Table(adapter) => self.codes(&adapter.prepare(table)?.prepared, threads),
            Adapter::Series(adapter) if adapter.layout == Layout::Rows => {
                self.codes(&adapter.whole(&adapter.prepare(table)?).prepared, threads)
            }
            Adapter::Series(adapter) => return self.windows(adapter, table, threads),
            Adapter::Images(_) => return Err(not_a_table()),
        };
        Table::from_columns(self.columns(&codes))
    }

    /// The codes of an image's samples.
    pub(super) fn image(&self, image: &Image, threads: &Threads) -> Result<Vec<Vec<f32>>> {
        let adapter = images(self.adapter)?;
        let codes = self.codes(&adapter.prepared(adapter.values(image)), threads);
        Ok(codes.chunks_exact(self.network.code_size()).map(<[f32]>::to_vec).collect())
    }

    /// Codes of prepared rows, `[n, code_size]`.
    pub(super) fn codes(&self, prepared: &Prepared, threads: &Threads) -> Vec<f32> {
        let mut codes = vec![0.0; prepared.n * self.network.code_size()];
        self.network.encode(self.params, &prepared.input, &mut codes, threads);
        codes
    }

    /// The code of each window of the long layout, one after the other without overlap.
    fn windows(&self, adapter: &SeriesAdapter, table: &Table, threads: &Threads) -> Result<Table> {
        let samples = adapter.prepare(table)?;
        let mut codes = Vec::new();
        let (mut ids, mut starts, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (series, signal) in samples.set.series.iter().zip(&samples.signals) {
            let firsts = adapter.firsts(signal.n, adapter.pipeline.window());
            for firsts in firsts.chunks(CHUNK) {
                let mut windows = adapter.pipeline.no_windows(firsts.len());
                adapter.pipeline.cut(signal, firsts.iter().copied(), &mut windows);
                codes.extend(self.codes(&windows.prepared, threads));
            }
            for first in firsts {
                ids.push(series.id.clone());
                starts.push(series.time(first).to_string());
                rows.push(series.rows[first..].iter().flatten().next().map(|row| u64::from(*row)));
            }
        }
        let mut arrays: Vec<(String, ArrayRef)> = vec![("row".to_owned(), Arc::new(UInt64Array::from(rows)))];
        if let Some(id) = &adapter.columns.id {
            arrays.push((id.clone(), Arc::new(StringArray::from(ids))));
        }
        if let Some(time) = &adapter.columns.time {
            arrays.push((time.clone(), Arc::new(StringArray::from(starts))));
        }
        for (name, values) in self.columns(&codes) {
            arrays.push((name, Arc::new(Float64Array::from(values))));
        }
        Table::from_arrays(arrays, "codes")
    }

    /// Codes `[n, code_size]` as columns.
    fn columns(&self, codes: &[f32]) -> Vec<(String, Vec<f64>)> {
        let k = self.network.code_size();
        let column = |j: usize| codes.chunks_exact(k).map(|code| f64::from(code[j])).collect();
        (0..k).map(|j| (code_name(j), column(j))).collect()
    }
}

/// The adapter of a model of images.
pub(super) fn images(adapter: &Adapter) -> Result<&ImageAdapter> {
    match adapter {
        Adapter::Images(adapter) => Ok(adapter),
        Adapter::Table(_) => Err(not_images("tables")),
        Adapter::Series(_) => Err(not_images("series")),
    }
}

/// The column of a unit of the code.
pub(super) fn code_name(unit: usize) -> String {
    format!("code_{unit}")
}
