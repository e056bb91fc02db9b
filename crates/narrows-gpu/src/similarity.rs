//! Structural similarity of images, at one scale or five; see `similarity.wgsl`.

use narrows_engine::{Group, Map, Similarity, Structure};

use crate::floats::Floats;
use crate::kernel;
use crate::loss_buffers::LossBuffers;
use crate::operation::{Count, Grid, Word};
use crate::recorder::Recorder;

/// A side of a window, less one.
const REACH: usize = 10;

/// The buffers of one scale.
struct ScaleBuffers {
    map: Map,
    /// (x + t, x - t) of every pixel.
    pixels: Floats,
    /// Distance and slopes of every window.
    windows: Floats,
    /// Slopes of the pixels; of the finest scale nothing, as they go to the gradient.
    slopes: Floats,
}

fn windows(map: Map) -> Map {
    Map::new(map.height - REACH, map.width - REACH, map.channels)
}

/// The maps, the finest first.
fn maps(similarity: &Similarity) -> Vec<Map> {
    let n = match similarity.structure {
        Structure::Ssim => 1,
        Structure::MsSsim => 5,
    };
    let half = |map: &Map| Some(Map::new(map.height.div_ceil(2), map.width.div_ceil(2), map.channels));
    std::iter::successors(Some(similarity.map), half).take(n).collect()
}

/// What the kernels know of scale `scale`.
fn fields(similarity: &Similarity, group: &Group, width: usize, scale: usize) -> Vec<(&'static str, Word)> {
    const WINDOWS: [&str; 5] = ["windows_0", "windows_1", "windows_2", "windows_3", "windows_4"];
    let maps = maps(similarity);
    let map = maps[scale];
    let mut fields: Vec<(&'static str, Word)> = vec![
        ("height", map.height.into()),
        ("width", map.width.into()),
        ("channels", map.channels.into()),
        ("row", width.into()),
        ("first", group.columns.start.into()),
        ("with_luminance", (scale + 1 == maps.len()).into()),
        ("scale", scale.into()),
        ("scales", maps.len().into()),
        ("weight", (group.weight * similarity.share).into()),
    ];
    fields.extend(WINDOWS.iter().zip(&maps).map(|(&name, &map)| (name, Word::from(windows(map).positions()))));
    fields
}

/// Records the loss by structure, and adds it and its gradient to those of the group.
pub(crate) fn add(
    recorder: &mut Recorder<'_>,
    similarity: &Similarity,
    group: &Group,
    width: usize,
    buffers: LossBuffers<'_>,
) {
    let LossBuffers { values, targets, gradient, losses } = buffers;
    let maps = maps(similarity);
    let sums = recorder.take_rows(maps.len() * similarity.map.channels);
    let mut scales: Vec<ScaleBuffers> = vec![];
    for (i, &map) in maps.iter().enumerate() {
        let pixels = recorder.take_rows(2 * map.size());
        match scales.last() {
            None => {
                let of_scale = fields(similarity, group, width, 0);
                recorder.each(&kernel::SIMILARITY_BEGIN, map.size(), &of_scale, &[values, targets, &pixels]);
            }
            Some(finer) => {
                let of_finer = fields(similarity, group, width, i - 1);
                recorder.each(&kernel::SIMILARITY_HALVE, map.size(), &of_finer, &[&finer.pixels, &pixels]);
            }
        }
        let (found, slopes) = (recorder.take_rows(4 * windows(map).size()), recorder.take_rows(map.size()));
        let of_scale = fields(similarity, group, width, i);
        recorder.each(&kernel::SIMILARITY_MEASURE, windows(map).size(), &of_scale, &[&pixels, &found]);
        let channels = Grid::Groups(Count::PerRow(map.channels));
        recorder.run(&kernel::SIMILARITY_SUM, &of_scale, &[&found, &sums], channels);
        scales.push(ScaleBuffers { map, pixels, windows: found, slopes });
    }
    let finest = fields(similarity, group, width, 0);
    recorder.each(&kernel::SIMILARITY_WEIGH, 1, &finest, &[targets, &sums, losses]);
    for (i, scale) in scales.iter().enumerate().rev() {
        // The last scale reads nothing of a coarser one.
        let coarser = scales.get(i + 1).map_or(values, |coarser| &coarser.slopes);
        let (of_scale, size) = (fields(similarity, group, width, i), scale.map.size());
        if i > 0 {
            let buffers = [&scale.pixels, &scale.windows, coarser, &sums, &scale.slopes];
            recorder.each(&kernel::SIMILARITY_COARSE, size, &of_scale, &buffers);
        } else {
            let buffers = [targets, &scale.pixels, &scale.windows, coarser, &sums, gradient];
            recorder.each(&kernel::SIMILARITY_BACK, size, &of_scale, &buffers);
        }
    }
    recorder.give(sums);
    for scale in scales {
        [scale.pixels, scale.windows, scale.slopes].into_iter().for_each(|floats| recorder.give(floats));
    }
}
