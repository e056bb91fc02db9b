//! The strength of a corruption: one value or a range.

use std::fmt;

use narrows_engine::rng::Stream;

/// A strength: one value, or a range from which each image draws its own; `25` or `5-50` in text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Minimum.
    pub low: f32,
    /// Maximum; equal to `low` for one value.
    pub high: f32,
}

impl Span {
    /// One value.
    pub const fn of(value: f32) -> Span {
        Span { low: value, high: value }
    }

    /// The range from `low` to `high`.
    pub const fn between(low: f32, high: f32) -> Span {
        Span { low, high }
    }

    /// The middle of the range.
    pub fn middle(self) -> f32 {
        0.5 * (self.low + self.high)
    }

    /// A uniform draw from the range; a single value consumes no random numbers.
    pub(crate) fn draw(self, stream: &mut Stream) -> f32 {
        if self.low == self.high {
            return self.low;
        }
        (self.low + (self.high - self.low) * stream.uniform()).min(self.high)
    }

    /// Parses the text form; `None` if it is neither a number nor an ascending range.
    pub(super) fn read(text: &str) -> Option<Span> {
        if let Some(value) = number(text) {
            return Some(Span::of(value));
        }
        // The dash may be part of a number, as in 1e-3-1e-2.
        text.match_indices('-').find_map(|(at, _)| {
            let (low, high) = (number(&text[..at])?, number(&text[at + 1..])?);
            (low <= high).then_some(Span::between(low, high))
        })
    }
}

impl Span {
    /// Parses the text form of a share: numbers, or per cent as in `20%` and `5%-50%`.
    pub(super) fn read_share(text: &str) -> Option<Span> {
        if !text.trim_end().ends_with('%') {
            return Span::read(text);
        }
        let percent = Span::read(&text.replace('%', ""))?;
        Some(Span::between(percent.low / 100.0, percent.high / 100.0))
    }
}

/// A finite number, or per cent of one.
pub(super) fn share(text: &str) -> Option<f32> {
    match text.trim().strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| percent / 100.0),
        None => number(text),
    }
}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f32> {
    text.trim().parse().ok().filter(|x: &f32| x.is_finite())
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high { write!(f, "{}", self.low) } else { write!(f, "{}-{}", self.low, self.high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use narrows_engine::rng::Purpose;

    #[test]
    fn shares_may_be_written_as_per_cent() {
        for (text, low, high) in [("20%", 0.2, 0.2), ("5%-50 %", 0.05, 0.5), ("5-50%", 0.05, 0.5), ("0.3", 0.3, 0.3)] {
            assert_eq!(Span::read_share(text), Some(Span::between(low, high)), "{text}");
        }
        assert_eq!((share("10%"), share("0.1"), share("%")), (Some(0.1), Some(0.1), None));
    }

    #[test]
    fn spans_are_read_and_written() {
        for (text, want) in [
            ("25", Span::of(25.0)),
            ("5-50", Span::between(5.0, 50.0)),
            (" 5 - 50 ", Span::between(5.0, 50.0)),
            ("1e-3", Span::of(0.001)),
            ("1e-3-1e-2", Span::between(0.001, 0.01)),
            ("-3", Span::of(-3.0)),
        ] {
            assert_eq!(Span::read(text), Some(want), "{text}");
            assert_eq!(Span::read(&want.to_string()), Some(want), "{want}");
        }
        for text in ["", "-", "x", "5-", "50-5", "nan", "inf", "1-2-3", "5 50", "NaN-3"] {
            assert_eq!(Span::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_range_is_drawn_from_all_over() {
        let mut stream = Stream::new(1, Purpose::Demo, 0, 0);
        let draws: Vec<f32> = (0..1000).map(|_| Span::between(2.0, 4.0).draw(&mut stream)).collect();
        assert!(draws.iter().all(|x| (2.0..=4.0).contains(x)));
        assert!(draws.iter().any(|&x| x < 2.05) && draws.iter().any(|&x| x > 3.95));
        let before = stream.clone().next_u32();
        assert_eq!(Span::of(7.0).draw(&mut stream), 7.0);
        assert_eq!(stream.next_u32(), before);
    }
}
