//! Pixels per length, which files give in different units.

/// Pixels per metre, in thousandths: as printed or scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Density {
    /// Horizontally.
    pub x: u32,
    /// Vertically.
    pub y: u32,
}

/// Metres in an inch.
const INCH: f64 = 0.0254;

impl Density {
    /// Pixels per inch; `None` unless both are above zero and not absurd.
    pub fn per_inch(x: f64, y: f64) -> Option<Density> {
        Density::per_metre(x / INCH, y / INCH)
    }

    /// Pixels per metre.
    pub(crate) fn per_metre(x: f64, y: f64) -> Option<Density> {
        let thousandths = |n: f64| (n * 1000.0).round();
        let fits = |n: f64| n >= 1.0 && n <= f64::from(u32::MAX);
        let (x, y) = (thousandths(x), thousandths(y));
        (fits(x) && fits(y)).then_some(Density { x: x as u32, y: y as u32 })
    }

    /// Whole pixels per metre.
    pub(crate) fn in_metres(self) -> [u32; 2] {
        [self.x, self.y].map(|n| (f64::from(n) / 1000.0).round() as u32)
    }

    /// Pixels per inch.
    pub fn in_inches(self) -> [f64; 2] {
        // To thousandths, which brings back what was given in whole numbers.
        [self.x, self.y].map(|n| (f64::from(n) * INCH).round() / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inches_come_back() {
        for dpi in [72.0, 96.0, 300.0, 600.0, 1200.0] {
            let density = Density::per_inch(dpi, dpi).unwrap();
            assert_eq!(density.in_inches(), [dpi, dpi]);
            let [x, y] = density.in_metres().map(f64::from);
            let rounded = Density::per_metre(x, y).unwrap().in_inches();
            assert!((rounded[0] - dpi).abs() < 0.02, "{rounded:?}");
        }
        assert_eq!(Density::per_inch(0.0, 72.0), None);
        assert_eq!(Density::per_inch(f64::NAN, 72.0), None);
        assert_eq!(Density::per_inch(1e12, 72.0), None);
    }
}
