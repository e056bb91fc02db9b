//! A restoring network run over a picture of any size: in tiles that overlap by what a pixel depends on, so that no seam
//! can be seen and the result does not depend on where the tiles lie.

use narrows_engine::Threads;
use narrows_pictures::Picture;

use super::Restorer;

/// Side of the part of a tile that is kept, in damaged pixels, at most.
pub(super) const TILE: usize = 192;

/// What the network adds to a damaged picture: `[height * scale, width * scale, channels of the output]`.
pub(super) fn added(restorer: &Restorer, damaged: &Picture, tile: usize, threads: &Threads) -> Vec<f32> {
    let (ends, backbone) = (restorer.ends(), &restorer.backbone);
    let reach = backbone.reach(ends).next_multiple_of(ends.step());
    let (tall, rows) = tiles(damaged.height, tile, ends.step());
    let (wide, columns) = tiles(damaged.width, tile, ends.step());
    let (height, width) = (tall + 2 * reach, wide + 2 * reach);
    let padded = damaged.padded_reflect(reach, reach, rows * tall + 2 * reach, columns * wide + 2 * reach);
    let network =
        backbone.build(ends, (height, width), &restorer.recipe.loss).expect("a restorer that was built before");
    let ready = network.ready(&restorer.params, threads);

    let (scale, c) = (ends.scale, ends.output);
    let (full_height, full_width) = (damaged.height * scale, damaged.width * scale);
    let mut added = vec![0.0; full_height * full_width * c];
    let places: Vec<(usize, usize)> =
        (0..rows).flat_map(|row| (0..columns).map(move |column| (row * tall, column * wide))).collect();
    // As many at once as there are threads: each tile is a row of the batch.
    for places in places.chunks(threads.n()) {
        let mut input = Vec::with_capacity(places.len() * network.inputs());
        places.iter().for_each(|(top, left)| input.extend(padded.crop(*top, *left, height, width).pixels));
        let mut code = vec![0.0; places.len() * network.code_size()];
        let mut output = vec![0.0; places.len() * network.outputs()];
        ready.reconstruct(&input, &mut code, &mut output, threads);
        for ((top, left), output) in places.iter().zip(output.chunks_exact(network.outputs())) {
            let (top, left) = (top * scale, left * scale);
            let kept = (wide * scale).min(full_width - left) * c;
            for y in 0..(tall * scale).min(full_height - top) {
                let from = ((reach * scale + y) * width * scale + reach * scale) * c;
                let to = ((top + y) * full_width + left) * c;
                added[to..to + kept].copy_from_slice(&output[from..from + kept]);
            }
        }
    }
    added
}

/// The side of equal tiles over `length`, a multiple of `step`, and how many there are.
fn tiles(length: usize, most: usize, step: usize) -> (usize, usize) {
    let side = length.div_ceil(length.div_ceil(most)).next_multiple_of(step);
    (side, length.div_ceil(side))
}
