//! Layers that change the size of a map: pooling, upsampling, pixel shuffle.

use narrows_engine::{Map, PixelShuffle, Pool, PoolKind, Upsample, UpsampleKind};

use crate::floats::Floats;
use crate::kernel::{self, Kernel};
use crate::operation::Word;
use crate::recorder::Recorder;

use super::Back;

fn pool_fields(pool: &Pool) -> [(&'static str, Word); 12] {
    let Pool { input, kind, size, stride, padding } = *pool;
    let output = pool.output();
    [
        ("height", input.height.into()),
        ("width", input.width.into()),
        ("channels", input.channels.into()),
        ("out_height", output.height.into()),
        ("out_width", output.width.into()),
        ("down", size.0.into()),
        ("across", size.1.into()),
        ("stride_down", stride.0.into()),
        ("stride_across", stride.1.into()),
        ("top", padding.top.into()),
        ("left", padding.left.into()),
        ("is_max", (kind == PoolKind::Max).into()),
    ]
}

impl Recorder<'_> {
    pub(super) fn pool(&mut self, pool: Pool, input: &Floats, output: &Floats) {
        self.each(&kernel::POOL, pool.output().size(), &pool_fields(&pool), &[input, output]);
    }

    pub(super) fn pool_back(&mut self, pool: Pool, back: &Back<'_>) -> Floats {
        let to = self.take_rows(pool.input.size());
        let buffers = [back.input, back.gradient, &to];
        self.each(&kernel::POOL_BACK, pool.input.size(), &pool_fields(&pool), &buffers);
        to
    }

    pub(super) fn upsample(&mut self, up: Upsample, input: &Floats, output: &Floats) {
        let kernel = match up.kind {
            UpsampleKind::Nearest => &kernel::NEAREST,
            UpsampleKind::Bilinear => &kernel::BILINEAR,
        };
        self.enlarge(kernel, up.output().size(), up.input, up.factor, [input, output]);
    }

    pub(super) fn upsample_back(&mut self, up: Upsample, back: &Back<'_>) -> Floats {
        let kernel = match up.kind {
            UpsampleKind::Nearest => &kernel::NEAREST_BACK,
            UpsampleKind::Bilinear => &kernel::BILINEAR_BACK,
        };
        let to = self.take_rows(up.input.size());
        self.enlarge(kernel, up.input.size(), up.input, up.factor, [back.gradient, &to]);
        to
    }

    pub(super) fn shuffle(&mut self, shuffle: PixelShuffle, input: &Floats, output: &Floats) {
        let PixelShuffle { input: map, factor } = shuffle;
        self.enlarge(&kernel::SHUFFLE, map.size(), map, factor, [input, output]);
    }

    pub(super) fn shuffle_back(&mut self, shuffle: PixelShuffle, back: &Back<'_>) -> Floats {
        let PixelShuffle { input: map, factor } = shuffle;
        let to = self.take_rows(map.size());
        self.enlarge(&kernel::SHUFFLE_BACK, map.size(), map, factor, [back.gradient, &to]);
        to
    }

    fn enlarge(
        &mut self,
        kernel: &'static Kernel,
        each: usize,
        small: Map,
        factor: (usize, usize),
        [from, to]: [&Floats; 2],
    ) {
        let fields: [(&str, Word); 5] = [
            ("height", small.height.into()),
            ("width", small.width.into()),
            ("channels", small.channels.into()),
            ("down", factor.0.into()),
            ("across", factor.1.into()),
        ];
        self.each(kernel, each, &fields, &[from, to]);
    }
}
