//! A window as a small multiple: original and reconstruction, one panel per channel.

use askama::Template;

use super::super::number::counted;
use super::super::text::{DisplayName, cut};
use super::{Px, Tick, trace};
use crate::report::ChannelTrace;

/// Height of a channel's title and of its panel.
const TITLE: f64 = 22.0;
const PANEL: f64 = 64.0;
/// Room above the first panel and for the axis.
const EDGE: f64 = 4.0;
const AXIS: f64 = 24.0;
/// Bins of thinned lines.
const BINS: usize = 200;

/// The plot.
#[derive(Template)]
#[template(path = "report/svg/window.svg", whitespace = "minimize")]
pub(in super::super) struct WindowPlot {
    description: String,
    height: Px,
    n: usize,
    panels: Vec<WindowPanel>,
    bottom: Px,
}

struct WindowPanel {
    name: Option<DisplayName>,
    name_y: Px,
    top: Px,
    bottom: Px,
    y_ticks: Vec<Tick>,
    reconstruction: String,
    signal: String,
}

impl WindowPlot {
    /// Plots the channels, optionally with their names; `None` without points.
    pub(in super::super) fn new(channels: &[&ChannelTrace], is_named: bool) -> Option<WindowPlot> {
        let n = channels.iter().map(|trace| trace.signal.len().max(trace.reconstruction.len())).max()?;
        if n == 0 {
            return None;
        }
        let title = if is_named { TITLE } else { EDGE };
        let panel = |(i, channel): (usize, &&ChannelTrace)| {
            let top = i as f64 * (title + PANEL) + title;
            let scale = trace::scale(channel, top + PANEL, top);
            WindowPanel {
                name: is_named.then(|| DisplayName::new(&cut(&channel.name, 24))),
                name_y: Px(top - 6.0),
                top: Px(top),
                bottom: Px(top + PANEL),
                y_ticks: scale.ticks(2),
                reconstruction: trace::path(&channel.reconstruction, &scale, BINS),
                signal: trace::path(&channel.signal, &scale, BINS),
            }
        };
        let bottom = channels.len() as f64 * (title + PANEL);
        Some(WindowPlot {
            description: format!(
                "Original and reconstruction of {} over {}",
                counted(channels.len() as u64, "channel"),
                counted(n as u64, "point")
            ),
            height: Px(bottom + AXIS),
            n,
            panels: channels.iter().enumerate().map(panel).collect(),
            bottom: Px(bottom),
        })
    }
}

impl WindowPanel {
    fn view(&self, n: &usize) -> String {
        format!("-0.5 {} {n} {}", self.top, Px(PANEL))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    #[test]
    fn channels_stand_above_each_other() {
        let window = sample::series().windows.swap_remove(0);
        let channels: Vec<&ChannelTrace> = window.channels.iter().collect();
        let svg = WindowPlot::new(&channels, true).unwrap().render().unwrap();
        assert_eq!(svg.matches("preserveAspectRatio").count(), 3);
        assert!(svg.contains(">pressure<") && svg.contains(">95<"), "{svg}");
        assert!(!WindowPlot::new(&channels[..1], false).unwrap().render().unwrap().contains(">temperature<"));
    }

    #[test]
    fn nothing_one_point_and_no_number() {
        let trace = |signal: Vec<Option<f64>>| ChannelTrace { name: String::new(), signal, reconstruction: vec![] };
        assert!(WindowPlot::new(&[], true).is_none());
        assert!(WindowPlot::new(&[&trace(vec![])], true).is_none());
        for signal in [vec![Some(1.0)], vec![Some(f64::NAN), None], vec![Some(f64::MAX), Some(-f64::MAX)]] {
            let svg = WindowPlot::new(&[&trace(signal)], true).unwrap().render().unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
