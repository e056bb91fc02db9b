//! The graph of a model of images.
//!
//! Images have one size: that of the training where all its images had it, else what the network reads, which is then an
//! image resized before, or a patch of one. The patches of images of a known size are cut in the graph.

use narrows_engine::Map;
use narrows_images::Filter;
use narrows_onnx::{Dim, Element, Graph, OperatorSet, Reduction, Samples, Value};
use serde_json::json;

use super::metadata::Metadata;
use super::patches::patches;
use super::pixels::{Size, Tiles, resized, within};
use super::samples::SampleNodes;
use super::scorer::{ScoreNodes, codes, mean, scorer};
use super::threshold::{output_score, output_verdict};
use crate::detect::MemberScale;
use crate::ensemble::Ensemble;
use crate::error::{Error, Hint, Result};
use crate::fitted::{ImageAdapter, ImageLayout, ImageModel};
use crate::patches::TileGrid;

/// The bytes of a file with the model's graph.
pub(super) fn graph(model: &ImageModel) -> Result<Vec<u8>> {
    let (adapter, core) = (&model.adapter, &model.core);
    let ImageGraph { mut graph, mut metadata, images, rows, cut } = ImageGraph::of(adapter, size(model)?, "images");
    let samples = SampleNodes { input: rows, observed: None };
    let ScoreNodes { score, embedding, outputs, reconstruction, .. } = scorer(&mut graph, &core.scorer, samples)?;
    // Beside local patches, the errors of larger ones tell nothing more.
    let memory = adapter.memory.as_deref();
    let by_networks = (memory.is_none() || !adapter.sees_patches()).then(|| {
        let heat = cut.heat(&mut graph, (rows, &outputs), &core.scorer.detector.members);
        (cut.highest(&mut graph, score), heat)
    });
    let by_patches = memory.map(|memory| {
        let found = patches(&mut graph, memory, images, cut.size);
        (found.score, found.heat)
    });
    graph.scope("score/highest");
    let (score, heat) = match (by_networks, by_patches) {
        (Some(networks), Some(patches)) => {
            (graph.op("Max", &[networks.0, patches.0]), graph.op("Max", &[networks.1, patches.1]))
        }
        (networks, patches) => networks.or(patches).expect("networks have a say where there is no memory"),
    };
    let reconstruction = cut.image(&mut graph, reconstruction);
    let heat = graph.reshape(heat, &[-1, cut.size.0 as i64, cut.size.1 as i64]);
    output_score(&mut graph, score);
    output_verdict(&mut graph, &mut metadata, &core.threshold, score);
    graph.output("reconstruction", reconstruction, Element::Float, &cut.dims());
    cut.output_embedding(&mut graph, embedding, core.code_size());
    let [batch, _, height, width] = cut.dims();
    graph.output("feature_score", heat, Element::Float, &[batch, height, width]);
    metadata.encode(graph)
}

/// The bytes of a file with the graph of an encoder of images, which reads what its network does.
pub(super) fn encoder(adapter: &ImageAdapter, ensemble: &Ensemble) -> Result<Vec<u8>> {
    let ImageGraph { mut graph, metadata, rows, cut, .. } = ImageGraph::of(adapter, sample_size(adapter), "encoder");
    let code = codes(&mut graph, ensemble, rows)?;
    cut.output_embedding(&mut graph, code, ensemble.code_size());
    metadata.encode(graph)
}

/// The size of the images of a graph.
pub(super) fn size(model: &ImageModel) -> Result<Size> {
    match (model.album_size(), &model.adapter.memory) {
        (Some(size), _) => Ok(size),
        (None, None) => Ok(sample_size(&model.adapter)),
        (None, Some(_)) => {
            let message = "cannot be exported to ONNX: expected images of one size in training, as local patches are \
                           compared at the size of each image, got images of several";
            Err(Error::mismatch(message).with_hint(Hint::of("fit one with [detect.score=residual]")))
        }
    }
}

/// The size of what the network reads.
pub(super) fn sample_size(adapter: &ImageAdapter) -> Size {
    (adapter.layout.height, adapter.layout.width)
}

/// A graph that cuts images into samples.
struct ImageGraph {
    graph: Graph,
    metadata: Metadata,
    /// `[N, C, height, width]`
    images: Value,
    /// The samples of all images, `[N * samples, width]`, channels fastest.
    rows: Value,
    cut: Cut,
}

impl ImageGraph {
    fn of(adapter: &ImageAdapter, size: Size, kind: &'static str) -> ImageGraph {
        let cut = Cut::of(adapter, size);
        let mut graph = Graph::new("narrows", OperatorSet::V17);
        let images = graph.input("images", Element::Float, &cut.dims());
        graph.scope("prepare");
        let rows = cut.rows(&mut graph, images);
        let mut metadata = Metadata::of(kind);
        let sample = match (&cut.tiles, cut.size == sample_size(adapter)) {
            (None, _) => "image",
            (Some(_), true) => "patch",
            (Some(_), false) => "patches",
        };
        metadata.add(
            "narrows.inputs",
            &[json!({
                "input": "images", "element": "float", "height": size.0, "width": size.1,
                "channels": adapter.layout.channels.name(), "sample": sample, "stride": adapter.layout.stride,
            })],
        );
        ImageGraph { graph, metadata, images, rows, cut }
    }
}

/// How images of one size become samples, and samples images.
struct Cut {
    layout: ImageLayout,
    size: Size,
    /// `None` if a sample is a whole image.
    tiles: Option<Tiles>,
}

impl Cut {
    fn of(adapter: &ImageAdapter, size: Size) -> Cut {
        let layout = adapter.layout;
        let grid = |stride| TileGrid::new((layout.height, layout.width), stride, size);
        Cut { layout, size, tiles: layout.stride.map(|stride| Tiles::new(&grid(stride), size)) }
    }

    /// The dimensions of images.
    fn dims(&self) -> [Dim; 4] {
        let (height, width) = self.size;
        [Dim::BATCH, Dim::Fixed(self.channels()), Dim::Fixed(height), Dim::Fixed(width)]
    }

    fn channels(&self) -> usize {
        self.layout.channels.count()
    }

    /// The samples of an image.
    fn n_samples(&self) -> i64 {
        self.tiles.as_ref().map_or(1, Tiles::len) as i64
    }

    /// `ImageAdapter::values`.
    fn rows(&self, graph: &mut Graph, images: Value) -> Value {
        match &self.tiles {
            Some(tiles) => tiles.cut(graph, images, self.channels()),
            None => {
                let ImageLayout { height, width, .. } = self.layout;
                let is_smaller = self.size.0 > height || self.size.1 > width;
                let filter = if is_smaller { Filter::Area } else { Filter::Bicubic };
                let samples = resized(graph, images, self.size, (height, width), filter);
                let samples = within(graph, samples);
                Samples::Maps(samples, Map::new(height, width, self.channels())).rows(graph)
            }
        }
    }

    /// `ImageAdapter::image` in the model's channels, `[N, C, height, width]`.
    fn image(&self, graph: &mut Graph, rows: Value) -> Value {
        graph.scope("reconstruction");
        let images = match &self.tiles {
            Some(tiles) => tiles.merged(graph, rows, self.channels()),
            None => {
                let ImageLayout { height, width, .. } = self.layout;
                let is_smaller = height > self.size.0 || width > self.size.1;
                let filter = if is_smaller { Filter::Area } else { Filter::Bicubic };
                let samples = Samples::Rows(rows).maps(graph, Map::new(height, width, self.channels()));
                resized(graph, samples, (height, width), self.size, filter)
            }
        };
        within(graph, images)
    }

    /// `ImageAdapter::heat` of the members' errors, `[N, 1, height, width]`.
    fn heat(&self, graph: &mut Graph, (rows, outputs): (Value, &[Value]), scales: &[MemberScale]) -> Value {
        graph.scope("heat");
        let ImageLayout { height, width, .. } = self.layout;
        let values = (height * width * self.channels()) as f64;
        let mut errors = Vec::new();
        for (output, scale) in outputs.iter().zip(scales) {
            let error = graph.sub(rows, *output);
            let square = graph.mul(error, error);
            // The median is that of a sum over all values.
            let relative = graph.float((values / scale.ratio.typical()) as f32);
            errors.push(graph.mul(square, relative));
        }
        let errors = mean(graph, &errors);
        let pixels = graph.reshape(errors, &[-1, (height * width) as i64, self.channels() as i64]);
        let plane = graph.reduce(Reduction::Mean, pixels, &[2], false);
        match &self.tiles {
            Some(tiles) => tiles.merged(graph, plane, 1),
            None => {
                let maps = graph.reshape(plane, &[-1, 1, height as i64, width as i64]);
                resized(graph, maps, (height, width), self.size, Filter::Bicubic)
            }
        }
    }

    /// The score of an image is that of its worst patch, `[N, 1]`.
    fn highest(&self, graph: &mut Graph, scores: Value) -> Value {
        if self.n_samples() == 1 {
            return scores;
        }
        let of_images = graph.reshape(scores, &[-1, self.n_samples()]);
        graph.reduce(Reduction::Max, of_images, &[1], true)
    }

    /// The codes of images, `[N, code_size]`, or of their patches, `[N, patches, code_size]`.
    fn output_embedding(&self, graph: &mut Graph, codes: Value, code_size: usize) {
        let (n, units) = (self.n_samples(), Dim::Fixed(code_size));
        if n == 1 {
            return graph.output("embedding", codes, Element::Float, &[Dim::BATCH, units]);
        }
        let of_images = graph.reshape(codes, &[-1, n, code_size as i64]);
        graph.output("embedding", of_images, Element::Float, &[Dim::BATCH, Dim::Fixed(n as usize), units]);
    }
}
