//! Codes: how they are drawn in training, and their penalties.

use narrows_engine::Latent;

use crate::back::Back;
use crate::floats::Floats;
use crate::kernel;
use crate::operation::{Count, Grid};
use crate::recorder::Recorder;
use crate::stages::Stage;

/// The number of a latent in `latent.wgsl`.
fn number(latent: Latent) -> usize {
    match latent {
        Latent::Point => 0,
        Latent::Gaussian => 1,
        Latent::Quantised => 2,
    }
}

/// Records the code, drawn around the encoder's output.
pub(crate) fn draw(recorder: &mut Recorder<'_>, latent: Latent, stage: &Stage, input: &Floats, code: &Floats) {
    let fields = [("width", stage.outputs.into()), ("kind", number(latent).into())];
    let ids = recorder.ids.clone();
    recorder.each(&kernel::DRAW, stage.outputs, &fields, &[input, &ids, code]);
}

/// Records the gradient for the encoder's output, that of the penalty included.
pub(crate) fn draw_back(recorder: &mut Recorder<'_>, latent: Latent, back: &Back<'_>) -> Floats {
    let Back { stage, input, output, gradient, .. } = *back;
    let to = recorder.take_rows(stage.inputs);
    let fields = [("width", stage.outputs.into()), ("kind", number(latent).into())];
    let values = if latent == Latent::Gaussian { input } else { output };
    let ids = recorder.ids.clone();
    recorder.each(&kernel::DRAW_BACK, stage.outputs, &fields, &[values, &ids, gradient, &to]);
    to
}

/// Records the penalty of every row's code of `width` units, into `to` from value `first` on. A Gaussian's is computed from
/// `[mean | log-variance]`.
pub(crate) fn penalty(
    recorder: &mut Recorder<'_>,
    latent: Latent,
    width: usize,
    values: &Floats,
    (to, first): (&Floats, usize),
) {
    let row = if latent == Latent::Gaussian { 2 * width } else { width };
    let fields =
        [("width", width.into()), ("row", row.into()), ("kind", number(latent).into()), ("to_first", first.into())];
    recorder.run(&kernel::PENALTY, &fields, &[values, to], Grid::Groups(Count::PerRow(1)));
}
