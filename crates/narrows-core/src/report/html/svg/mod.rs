//! The plots: geometry here, markup in `templates/report/svg`, colours and fonts in the page's stylesheet.
//!
//! Each plot is one inline `<svg role="img">` in viewBox coordinates.

pub(super) mod histogram;
pub(super) mod hourglass;
pub(super) mod loss_curve;
mod scale;
pub(super) mod scatter;
mod time_axis;
pub(super) mod timeline;
mod trace;
pub(super) mod window;

use std::fmt;

pub(super) use scale::{AxisScale, Tick};

/// Width of a full-width plot.
pub(super) const WIDE: f64 = 720.0;

/// A coordinate with one decimal. Non-finite coordinates become 0, which keeps the SVG valid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Px(pub(super) f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round();
        if !tenths.is_finite() || tenths == 0.0 {
            f.write_str("0")
        } else if tenths % 10.0 == 0.0 {
            write!(f, "{:.0}", tenths / 10.0)
        } else {
            write!(f, "{:.1}", tenths / 10.0)
        }
    }
}

/// A polyline path with gaps at non-finite points.
pub(super) fn line(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    let mut pen_down = false;
    for (x, y) in points {
        if x.is_finite() && y.is_finite() {
            path.push_str(&format!("{}{} {}", if pen_down { "L" } else { "M" }, Px(x), Px(y)));
        }
        pen_down = x.is_finite() && y.is_finite();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_never_nan() {
        for (x, expected) in
            [(12.04, "12"), (12.06, "12.1"), (-0.01, "0"), (f64::NAN, "0"), (f64::INFINITY, "0"), (-3.55, "-3.6")]
        {
            assert_eq!(Px(x).to_string(), expected);
        }
    }

    #[test]
    fn lines_break_at_non_finite_points() {
        assert_eq!(line([(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0), (3.0, 4.0)]), "M0 1M2 3L3 4");
        assert_eq!(line([]), "");
    }
}
