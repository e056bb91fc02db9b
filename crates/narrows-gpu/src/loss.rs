//! The loss of an output row and its gradient, group by group, and the links to predictions.

use narrows_engine::{Group, Loss, Output, Pixels, Similarity};

use crate::floats::Floats;
use crate::kernel;
use crate::loss_buffers::LossBuffers;
use crate::operation::{Count, Grid, Word};
use crate::recorder::Recorder;

/// The numbers of losses in `loss.wgsl`.
const HUBER: usize = 2;
const BCE: usize = 3;

fn of_pixels(pixels: Pixels) -> usize {
    match pixels {
        Pixels::Mse => 4,
        Pixels::Mae => 5,
        Pixels::Bce => BCE,
    }
}

fn columns_of(group: &Group, width: usize) -> [(&'static str, Word); 3] {
    [("width", width.into()), ("first", group.columns.start.into()), ("columns", group.columns.len().into())]
}

/// Records the losses of all rows.
pub(crate) fn evaluate(recorder: &mut Recorder<'_>, output: &Output, buffers: LossBuffers<'_>) {
    let LossBuffers { values, targets, gradient, losses } = buffers;
    let width = output.width();
    for (i, group) in output.groups.iter().enumerate() {
        let (kind, share, delta) = match group.loss {
            Loss::Mse => (0, 1.0, 0.0),
            Loss::Mae => (1, 1.0, 0.0),
            Loss::Huber { delta } => (HUBER, 1.0, delta),
            Loss::Bce => (BCE, 1.0, 0.0),
            Loss::CrossEntropy => (0, 1.0, 0.0),
            Loss::Similarity(Similarity { pixels, share, .. }) => (of_pixels(pixels), 1.0 - share, 0.0),
        };
        let is_elementwise = group.loss != Loss::CrossEntropy;
        let weight = if is_elementwise { share * group.weight / group.columns.len() as f32 } else { group.weight };
        let mut fields = columns_of(group, width).to_vec();
        fields.extend([
            ("kind", kind.into()),
            ("weight", weight.into()),
            ("delta", delta.into()),
            ("begins", (i == 0).into()),
        ]);
        let kernel = if is_elementwise { &kernel::LOSS } else { &kernel::CROSS_ENTROPY };
        let rows = Grid::Groups(Count::PerRow(1));
        recorder.run(kernel, &fields, &[values, targets, gradient, losses], rows);
        if let Loss::Similarity(similarity) = group.loss
            && similarity.share > 0.0
        {
            crate::similarity::add(recorder, &similarity, group, width, buffers);
        }
    }
}

/// Records the predictions of pre-activations.
pub(crate) fn link(recorder: &mut Recorder<'_>, output: &Output, values: &Floats, to: &Floats) {
    for group in &output.groups {
        let columns = Grid::Threads(Count::PerRow(group.columns.len()));
        let (kernel, grid) = match group.loss {
            Loss::Mse | Loss::Mae | Loss::Huber { .. } => (&kernel::LINK_IDENTITY, columns),
            Loss::Bce | Loss::Similarity(_) => (&kernel::LINK_SIGMOID, columns),
            Loss::CrossEntropy => (&kernel::LINK_SOFTMAX, Grid::Groups(Count::PerRow(1))),
        };
        recorder.run(kernel, &columns_of(group, output.width()), &[values, to], grid);
    }
}
