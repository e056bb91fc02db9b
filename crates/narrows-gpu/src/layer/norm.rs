//! Normalisations: of a channel over the batch, and of groups of channels within a row. A row of columns is a map of one
//! pixel.

use narrows_engine::{GroupNorm, MapNorm};

use crate::floats::Floats;
use crate::kernel::{self, Kernel};
use crate::operation::{Count, Grid, Word};
use crate::recorder::{ColumnSums, Recorder};
use crate::stages::Stage;

use super::{Back, Kept, Mode};

/// What the kernels of `norm.wgsl` know of a layer.
#[derive(Clone, Copy)]
struct Normalisation {
    positions: usize,
    channels: usize,
    /// Groups of a row; 0 for a channel over the batch.
    groups: usize,
    gamma: usize,
    running: usize,
    eps: f32,
    momentum: f32,
}

impl Normalisation {
    fn of_batch(norm: MapNorm, stage: &Stage) -> Self {
        let MapNorm { map, eps, momentum } = norm;
        let (positions, channels) = (map.positions(), map.channels);
        let (gamma, running) = (stage.trainable.start, stage.running);
        Self { positions, channels, groups: 0, gamma, running, eps, momentum }
    }

    fn of_groups(norm: GroupNorm, stage: &Stage) -> Self {
        let GroupNorm { map, groups, eps } = norm;
        let (positions, channels) = (map.positions(), map.channels);
        Self { positions, channels, groups, gamma: stage.trainable.start, running: 0, eps, momentum: 0.0 }
    }

    fn size(&self) -> usize {
        self.positions * self.channels
    }

    fn fields(&self) -> [(&'static str, Word); 9] {
        [
            ("positions", self.positions.into()),
            ("channels", self.channels.into()),
            ("groups", self.groups.into()),
            ("gamma", self.gamma.into()),
            ("beta", (self.gamma + self.channels).into()),
            ("running", self.running.into()),
            ("eps", self.eps.into()),
            ("momentum", self.momentum.into()),
            // Gradients of parameters lie as the parameters do.
            ("d_gamma", self.gamma.into()),
        ]
    }

    fn sums<'a>(&self, kernel: &'static Kernel, buffers: &'a [&'a Floats], is_mean: bool) -> ColumnSums<'a> {
        let Self { positions, channels: columns, groups, .. } = *self;
        ColumnSums { kernel, positions, columns, groups, buffers, is_mean }
    }
}

impl Recorder<'_> {
    pub(super) fn batch_norm(
        &mut self,
        mode: Mode,
        norm: MapNorm,
        stage: &Stage,
        input: &Floats,
        output: &Floats,
    ) -> Kept {
        let norm = Normalisation::of_batch(norm, stage);
        let statistics = self.take(2 * norm.channels);
        let params = self.params.clone();
        let channels = Grid::Threads(Count::Fixed(norm.channels));
        match mode {
            Mode::Training => {
                self.columns(norm.sums(&kernel::COLUMN_SUMS, &[input], true), (&statistics, 0), 0);
                let buffers = [input, &statistics];
                let sums = norm.sums(&kernel::COLUMN_DEVIATIONS, &buffers, true);
                self.columns(sums, (&statistics, norm.channels), 0);
                self.run(&kernel::FOLLOW_BATCH, &norm.fields(), &[&statistics, &params], channels);
            }
            Mode::Inference => {
                self.run(&kernel::RUNNING_STATISTICS, &norm.fields(), &[&params, &statistics], channels);
            }
        }
        self.normalise(norm, input, &statistics, output);
        vec![statistics]
    }

    pub(super) fn group_norm(&mut self, norm: GroupNorm, stage: &Stage, input: &Floats, output: &Floats) -> Kept {
        let norm = Normalisation::of_groups(norm, stage);
        let statistics = self.take_rows(2 * norm.groups);
        let groups = Grid::Groups(Count::PerRow(norm.groups));
        self.run(&kernel::GROUP_STATISTICS, &norm.fields(), &[input, &statistics], groups);
        self.normalise(norm, input, &statistics, output);
        vec![statistics]
    }

    fn normalise(&mut self, norm: Normalisation, input: &Floats, statistics: &Floats, output: &Floats) {
        let params = self.params.clone();
        self.each(&kernel::NORMALISE, norm.size(), &norm.fields(), &[input, &params, statistics, output]);
    }

    pub(super) fn batch_norm_back(&mut self, norm: MapNorm, back: &Back<'_>) -> Option<Floats> {
        let norm = Normalisation::of_batch(norm, back.stage);
        self.affine_gradient(norm, back);
        back.wants_input.then(|| self.normalise_back(norm, back, back.d_params))
    }

    pub(super) fn group_norm_back(&mut self, norm: GroupNorm, back: &Back<'_>) -> Option<Floats> {
        let norm = Normalisation::of_groups(norm, back.stage);
        self.affine_gradient(norm, back);
        back.wants_input.then(|| {
            let means = self.take_rows(2 * norm.groups);
            let params = self.params.clone();
            let groups = Grid::Groups(Count::PerRow(norm.groups));
            let buffers = [back.input, &params, &back.kept[0], back.gradient, &means];
            self.run(&kernel::GROUP_SLOPES, &norm.fields(), &buffers, groups);
            let to = self.normalise_back(norm, back, &means);
            self.give(means);
            to
        })
    }

    /// The gradients of gamma and beta.
    fn affine_gradient(&mut self, norm: Normalisation, back: &Back<'_>) {
        let buffers = [back.input, &back.kept[0], back.gradient];
        self.columns(norm.sums(&kernel::COLUMN_PRODUCTS, &buffers, false), (back.d_params, norm.gamma), 0);
        let to = (back.d_params, norm.gamma + norm.channels);
        self.bias_gradient(norm.positions, norm.channels, back.gradient, to, 0);
    }

    fn normalise_back(&mut self, norm: Normalisation, back: &Back<'_>, sums: &Floats) -> Floats {
        let to = self.take_rows(norm.size());
        let params = self.params.clone();
        let buffers = [back.input, &params, &back.kept[0], back.gradient, sums, &to];
        self.each(&kernel::NORMALISE_BACK, norm.size(), &norm.fields(), &buffers);
        to
    }
}
