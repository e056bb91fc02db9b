//! Activations, dropout, skip connections and repetition.

use narrows_engine::{Activation, Dropout, Repeat};

use crate::floats::Floats;
use crate::kernel::{self, Kernel};
use crate::operation::Word;
use crate::recorder::Recorder;
use crate::stages::Stage;

use super::{Back, Mode};

/// The number of an activation in `activation.wgsl`.
fn number(activation: Activation) -> usize {
    match activation {
        Activation::Identity => 0,
        Activation::Relu => 1,
        Activation::LeakyRelu => 2,
        Activation::Elu => 3,
        Activation::Gelu => 4,
        Activation::Silu => 5,
        Activation::Tanh => 6,
        Activation::Sigmoid => 7,
    }
}

impl Recorder<'_> {
    pub(super) fn activate(&mut self, activation: Activation, stage: &Stage, input: &Floats, output: &Floats) {
        let fields = [("width", stage.outputs.into()), ("kind", number(activation).into())];
        self.each(&kernel::ACTIVATE, stage.outputs, &fields, &[input, output]);
    }

    pub(super) fn activate_back(&mut self, activation: Activation, back: &Back<'_>) -> Floats {
        let width = back.stage.outputs;
        let to = self.take_rows(width);
        let fields = [("width", width.into()), ("kind", number(activation).into())];
        self.each(&kernel::ACTIVATE_BACK, width, &fields, &[back.input, back.output, back.gradient, &to]);
        to
    }

    pub(super) fn drop_out(&mut self, mode: Mode, dropout: Dropout, stage: &Stage, input: &Floats, output: &Floats) {
        match mode {
            Mode::Training => self.mask(dropout, stage, input, output),
            Mode::Inference => self.activate(Activation::Identity, stage, input, output),
        }
    }

    pub(super) fn drop_out_back(&mut self, dropout: Dropout, back: &Back<'_>) -> Floats {
        let to = self.take_rows(back.stage.outputs);
        self.mask(dropout, back.stage, back.gradient, &to);
        to
    }

    fn mask(&mut self, dropout: Dropout, stage: &Stage, values: &Floats, to: &Floats) {
        let fields: [(&str, Word); 3] =
            [("width", stage.outputs.into()), ("first_block", stage.first_block.into()), ("rate", dropout.rate.into())];
        let ids = self.ids.clone();
        self.each(&kernel::DROP_OUT, stage.outputs, &fields, &[values, &ids, to]);
    }

    pub(super) fn add(&mut self, stage: &Stage, input: &Floats, added: &Floats, output: &Floats) {
        self.sum(stage.outputs, input, added, output);
    }

    /// to = a + b, of `width` values a row.
    pub(crate) fn sum(&mut self, width: usize, a: &Floats, b: &Floats, to: &Floats) {
        self.each(&kernel::ADD, width, &[("width", width.into())], &[a, b, to]);
    }

    /// to = the first `width` of every `of` values.
    pub(crate) fn take_first(&mut self, width: usize, of: usize, values: &Floats, to: &Floats) {
        self.each(&kernel::FIRST_COLUMNS, width, &[("width", width.into()), ("times", of.into())], &[values, to]);
    }

    pub(super) fn repeat(&mut self, repeat: Repeat, input: &Floats, output: &Floats) {
        self.repeated(&kernel::REPEAT, repeat.width * repeat.steps, repeat, &[input, output]);
    }

    pub(super) fn repeat_back(&mut self, repeat: Repeat, back: &Back<'_>) -> Floats {
        let to = self.take_rows(repeat.width);
        self.repeated(&kernel::REPEAT_BACK, repeat.width, repeat, &[back.gradient, &to]);
        to
    }

    fn repeated(&mut self, kernel: &'static Kernel, each: usize, repeat: Repeat, buffers: &[&Floats]) {
        self.each(kernel, each, &[("width", repeat.width.into()), ("times", repeat.steps.into())], buffers);
    }
}
