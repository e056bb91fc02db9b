//! The layers: each file records the operations of some layers, forward and, beside them, backward.

mod conv;
mod dense;
mod elementwise;
mod lstm;
mod maps;
mod norm;

use narrows_engine::{GroupNorm, Layer, Map, MapNorm};

use crate::back::Back;
use crate::floats::Floats;
use crate::recorder::Recorder;
use crate::stages::{Stage, Work};

/// How a pass goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// With random numbers and the batch's own statistics; what the way back needs is kept.
    Training,
    /// Nothing is drawn, and rows do not meet.
    Inference,
}

/// Buffers that a layer's forward pass keeps for its backward pass.
pub(crate) type Kept = Vec<Floats>;

/// Records output = layer(input). `added` is what a skip connection adds.
pub(crate) fn forward(
    recorder: &mut Recorder<'_>,
    mode: Mode,
    stage: &Stage,
    input: &Floats,
    added: Option<&Floats>,
    output: &Floats,
) -> Kept {
    let layer = match stage.work {
        Work::Layer(layer) => layer,
        Work::Draw(latent) => {
            crate::latent::draw(recorder, latent, stage, input, output);
            return vec![];
        }
    };
    match layer {
        Layer::Dense(dense) => recorder.dense(&dense, 1, stage, input, output),
        Layer::TimeDense(time) => recorder.dense(&time.dense, time.steps, stage, input, output),
        Layer::Activation(activation) => recorder.activate(activation, stage, input, output),
        Layer::Dropout(dropout) => recorder.drop_out(mode, dropout, stage, input, output),
        Layer::Add(_) => recorder.add(stage, input, added.expect("a value that is added is kept"), output),
        Layer::Repeat(repeat) => recorder.repeat(repeat, input, output),
        Layer::Lstm(lstm) => return recorder.lstm(lstm, stage, input, output),
        Layer::Conv(conv) => recorder.conv(&conv, stage, input, output),
        Layer::ConvTranspose(conv) => recorder.conv_transpose(&conv, stage, input, output),
        Layer::Pool(pool) => recorder.pool(pool, input, output),
        Layer::Upsample(up) => recorder.upsample(up, input, output),
        Layer::PixelShuffle(shuffle) => recorder.shuffle(shuffle, input, output),
        Layer::MapNorm(norm) => return recorder.batch_norm(mode, norm, stage, input, output),
        Layer::BatchNorm(norm) => return recorder.batch_norm(mode, as_map_norm(norm), stage, input, output),
        Layer::GroupNorm(norm) => return recorder.group_norm(norm, stage, input, output),
        Layer::LayerNorm(norm) => return recorder.group_norm(as_group_norm(norm), stage, input, output),
        Layer::Lapped(_) | Layer::Rounding(_) => unreachable!("such layers are refused"),
    }
    vec![]
}

/// Records the gradients for the parameters, and that for the input, which it returns; none if nothing needs it.
pub(crate) fn backward(recorder: &mut Recorder<'_>, back: Back<'_>) -> Option<Floats> {
    let layer = match back.stage.work {
        Work::Layer(layer) => layer,
        Work::Draw(latent) => return Some(crate::latent::draw_back(recorder, latent, &back)),
    };
    match layer {
        Layer::Dense(dense) => recorder.dense_back(&dense, 1, &back),
        Layer::TimeDense(time) => recorder.time_dense_back(time, &back),
        Layer::Lstm(lstm) => recorder.lstm_back(lstm, &back),
        Layer::Conv(conv) => recorder.conv_back(&conv, &back),
        Layer::ConvTranspose(conv) => recorder.conv_transpose_back(&conv, &back),
        Layer::MapNorm(norm) => recorder.batch_norm_back(norm, &back),
        Layer::BatchNorm(norm) => recorder.batch_norm_back(as_map_norm(norm), &back),
        Layer::GroupNorm(norm) => recorder.group_norm_back(norm, &back),
        Layer::LayerNorm(norm) => recorder.group_norm_back(as_group_norm(norm), &back),
        _ if !back.wants_input => None,
        Layer::Activation(activation) => Some(recorder.activate_back(activation, &back)),
        Layer::Dropout(dropout) => Some(recorder.drop_out_back(dropout, &back)),
        // The gradient goes on as it is; the passes bring it to the other value, too.
        Layer::Add(_) => Some(back.gradient.clone()),
        Layer::Repeat(repeat) => Some(recorder.repeat_back(repeat, &back)),
        Layer::Pool(pool) => Some(recorder.pool_back(pool, &back)),
        Layer::Upsample(up) => Some(recorder.upsample_back(up, &back)),
        Layer::PixelShuffle(shuffle) => Some(recorder.shuffle_back(shuffle, &back)),
        Layer::Lapped(_) | Layer::Rounding(_) => unreachable!("such layers are refused"),
    }
}

/// A row of columns is a map of one pixel.
fn as_map_norm(norm: narrows_engine::BatchNorm) -> MapNorm {
    MapNorm { map: Map::new(1, 1, norm.features), eps: norm.eps, momentum: norm.momentum }
}

/// A row is one group of one pixel.
fn as_group_norm(norm: narrows_engine::LayerNorm) -> GroupNorm {
    GroupNorm { map: Map::new(1, 1, norm.features), groups: 1, eps: norm.eps }
}
