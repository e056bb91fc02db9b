//! The network as an hourglass: one bar per layer with the layer width as its height, the code highlighted.

use askama::Template;

use super::super::number::{count, counted};
use super::super::text::cut;
use super::{Px, WIDE};
use crate::report::{LayerReport, NetworkPart};

const TOP: f64 = 26.0;
const BOTTOM: f64 = 216.0;
/// The same with feature map sizes below the bars.
const BOTTOM_WITH_MAPS: f64 = 200.0;
const SIDE: f64 = 52.0;
/// Minimum distance between width labels, also for the large type on phones.
const LABEL_ROOM: f64 = 72.0;
/// Above this ratio of widths heights are logarithmic, so that narrow layers stay visible.
const SQRT_RATIO: f64 = 400.0;

/// The drawing.
#[derive(Template)]
#[template(path = "report/svg/hourglass.svg", whitespace = "minimize")]
pub(in super::super) struct Hourglass {
    description: String,
    bars: Vec<LayerBar>,
    flows: Vec<String>,
    parts: Vec<PartLabel>,
    /// The function from widths to heights.
    pub(in super::super) heights: &'static str,
    pub(in super::super) has_maps: bool,
}

struct LayerBar {
    class: &'static str,
    x: Px,
    y: Px,
    w: Px,
    h: Px,
    middle: Px,
    /// Empty without room.
    label: String,
    /// Height, width and channels of the feature map; empty without one.
    map: String,
    below: Px,
    title: String,
}

struct PartLabel {
    class: &'static str,
    x: Px,
    name: &'static str,
    from: Px,
    to: Px,
}

impl Hourglass {
    /// Draws the layers; `None` without layers.
    pub(in super::super) fn new(layers: &[LayerReport]) -> Option<Hourglass> {
        let widest = layers.iter().map(|layer| layer.width.max(1)).max()? as f64;
        let narrowest = layers.iter().map(|layer| layer.width.max(1)).min()? as f64;
        let bottom = if layers.iter().any(|layer| layer.map.is_some()) { BOTTOM_WITH_MAPS } else { BOTTOM };
        let log = widest / narrowest > SQRT_RATIO;
        let height = |width: usize| {
            let width = width.max(1) as f64;
            let share = if log {
                0.06 + 0.94 * (width / narrowest).ln() / (widest / narrowest).ln()
            } else {
                (width / widest).sqrt()
            };
            (share * (bottom - TOP)).max(6.0)
        };
        let gap = (WIDE - 2.0 * SIDE) / (layers.len().max(2) - 1) as f64;
        let place = |i: usize| if layers.len() == 1 { WIDE / 2.0 } else { SIDE + i as f64 * gap };
        let thick = (gap * 0.3).clamp(2.0, 14.0);
        let middle = (TOP + bottom) / 2.0;
        let labelled = labelled(layers, gap);
        let bars: Vec<LayerBar> = layers
            .iter()
            .enumerate()
            .map(|(i, layer)| {
                let h = height(layer.width);
                LayerBar {
                    class: class(layer.part),
                    x: Px(place(i) - thick / 2.0),
                    y: Px(middle - h / 2.0),
                    w: Px(thick),
                    h: Px(h),
                    middle: Px(place(i)),
                    label: if labelled[i] { count(layer.width as u64) } else { String::new() },
                    map: layer.map.filter(|_| labelled[i]).map_or_else(String::new, |[height, width, channels]| {
                        if channels == 1 {
                            format!("{height}×{width}")
                        } else {
                            format!("{height}×{width}×{channels}")
                        }
                    }),
                    below: Px(middle + h / 2.0),
                    title: format!(
                        "{}: {}, {}",
                        name(layer.part),
                        cut(&layer.words, 200),
                        counted(layer.width as u64, "unit")
                    ),
                }
            })
            .collect();
        let flows = bars
            .windows(2)
            .map(|pair| {
                let (a, b) = (&pair[0], &pair[1]);
                let (left, right) = (a.x.0 + a.w.0, b.x.0);
                let low = |bar: &LayerBar| Px(bar.y.0 + bar.h.0);
                format!("M{} {}L{} {}L{} {}L{} {}Z", Px(left), a.y, Px(right), b.y, Px(right), low(b), Px(left), low(a))
            })
            .collect();
        Some(Hourglass {
            description: description(layers),
            flows,
            parts: parts(layers, &bars, gap),
            bars,
            has_maps: layers.iter().any(|layer| layer.map.is_some()),
            heights: if log { "logarithm" } else { "square root" },
        })
    }
}

/// Which layers get a width label: the code and both ends first, then others that fit.
fn labelled(layers: &[LayerReport], gap: f64) -> Vec<bool> {
    let last = layers.len() - 1;
    let code = layers.iter().position(|layer| layer.part == NetworkPart::Code);
    let mut chosen: Vec<usize> = Vec::new();
    for i in code.into_iter().chain([0, last]).chain(1..last) {
        if chosen.iter().all(|other| other.abs_diff(i) as f64 * gap >= LABEL_ROOM) {
            chosen.push(i);
        }
    }
    (0..layers.len()).map(|i| chosen.contains(&i)).collect()
}

/// One label under each run of layers of the same part, if it fits.
fn parts(layers: &[LayerReport], bars: &[LayerBar], gap: f64) -> Vec<PartLabel> {
    let mut parts = Vec::new();
    let mut start = 0;
    for end in 1..=layers.len() {
        if end < layers.len() && layers[end].part == layers[start].part {
            continue;
        }
        let (from, to) = (bars[start].x.0, bars[end - 1].x.0 + bars[end - 1].w.0);
        let part = layers[start].part;
        // Input, code and output are always named; encoder and decoder if there is room.
        let room = to - from + 2.0 * gap;
        if room >= 2.0 * LABEL_ROOM || layers.len() <= 9 || !matches!(part, NetworkPart::Encoder | NetworkPart::Decoder)
        {
            parts.push(PartLabel {
                class: class(part),
                x: Px((from + to) / 2.0),
                name: name(part),
                from: Px(from),
                to: Px(to),
            });
        }
        start = end;
    }
    parts
}

fn class(part: NetworkPart) -> &'static str {
    if part == NetworkPart::Code { "code" } else { "layer" }
}

fn name(part: NetworkPart) -> &'static str {
    match part {
        NetworkPart::Input => "input",
        NetworkPart::Encoder => "encoder",
        NetworkPart::Code => "code",
        NetworkPart::Decoder => "decoder",
        NetworkPart::Output => "output",
    }
}

fn description(layers: &[LayerReport]) -> String {
    let widths: Vec<String> =
        layers.iter().take(64).map(|layer| format!("{} {}", name(layer.part), layer.width)).collect();
    format!("Widths of the layers from input to output: {}", widths.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(widths: &[usize]) -> Vec<LayerReport> {
        let code = widths.len() / 2;
        let part = |i: usize| match i {
            0 => NetworkPart::Input,
            _ if i + 1 == widths.len() => NetworkPart::Output,
            _ if i == code => NetworkPart::Code,
            _ if i < code => NetworkPart::Encoder,
            _ => NetworkPart::Decoder,
        };
        widths
            .iter()
            .enumerate()
            .map(|(i, width)| LayerReport { part: part(i), width: *width, words: format!("dense {width}"), map: None })
            .collect()
    }

    fn check(widths: &[usize]) {
        let drawing = Hourglass::new(&layers(widths)).unwrap();
        for bar in &drawing.bars {
            assert!(bar.y.0 >= TOP - 0.1 && bar.y.0 + bar.h.0 <= BOTTOM + 0.1, "{widths:?}");
            assert!(bar.x.0 >= 0.0 && bar.x.0 + bar.w.0 <= WIDE && bar.h.0 >= 6.0, "{widths:?}");
        }
        assert!(drawing.bars.windows(2).all(|pair| pair[0].x.0 + pair[0].w.0 < pair[1].x.0), "{widths:?}");
        let labels: Vec<f64> =
            drawing.bars.iter().filter(|bar| !bar.label.is_empty()).map(|bar| bar.middle.0).collect();
        assert!(labels.windows(2).all(|pair| pair[1] - pair[0] >= LABEL_ROOM - 0.1), "{widths:?} {labels:?}");
        assert_eq!(drawing.render().unwrap().matches("<rect").count(), widths.len());
    }

    #[test]
    fn every_shape_stays_in_its_frame() {
        check(&[29, 58, 8, 58, 29]);
        check(&[29, 256, 256, 256, 29]);
        check(&[1, 1, 1]);
        check(&[65_536, 1, 65_536]);
        check(&[7]);
        check(&[0, 0]);
        check(&(0..64).map(|i: i32| 1 << (i - 32).abs().min(16)).collect::<Vec<usize>>());
        assert!(Hourglass::new(&[]).is_none());
    }

    #[test]
    fn map_sizes_are_written_below_their_bars() {
        let mut layers = layers(&[784, 3136, 32, 3136, 784]);
        (layers[0].map, layers[1].map) = (Some([28, 28, 1]), Some([14, 14, 16]));
        let drawing = Hourglass::new(&layers).unwrap();
        let maps: Vec<&str> = drawing.bars.iter().map(|bar| bar.map.as_str()).collect();
        assert_eq!(maps, ["28×28", "14×14×16", "", "", ""]);
        assert!(drawing.bars.iter().all(|bar| bar.below.0 <= BOTTOM_WITH_MAPS + 0.1));
        assert_eq!(drawing.render().unwrap().matches("class=\"soft map-size\"").count(), 2);
    }
}
