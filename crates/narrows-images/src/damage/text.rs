//! The text form of an image corruption: name and parameters, `name:parameter:parameter`; omitted ones have defaults.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::span::share;
use super::{Damage, Fill, Mark, Side, Span};
use crate::{Error, Result};

/// A kind of corruption, for help texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The name.
    pub name: &'static str,
    /// The name with its default parameters or an example.
    pub example: &'static str,
    /// Description of effect and parameters.
    pub meaning: &'static str,
}

const fn kind(name: &'static str, example: &'static str, meaning: &'static str) -> Kind {
    Kind { name, example, meaning }
}

const KINDS: [Kind; 9] = [
    kind(
        "gaussian",
        "gaussian:25",
        "noise of this standard deviation, in steps of 0 to 255; `:clip` holds it in range",
    ),
    kind("salt_pepper", "salt_pepper:0.1", "this share of the pixels black or white"),
    kind(
        "blocks",
        "blocks:0.2:8px",
        "square holes over this share of the area, of this side (8px, or a share: 0.1); of any colour, or of a third parameter: \
         black, grey, white, or from 0 to 1",
    ),
    kind(
        "masking",
        "masking:0.3",
        "this share of the pixels lost: mid-grey, or of a second parameter: any, black, white, or from 0 to 1",
    ),
    kind("blur", "blur:1.5", "out of focus, by this standard deviation in pixels"),
    kind("jpeg", "jpeg:10-40", "saved as JPEG of this quality, 1 to 100"),
    kind("watermark", "watermark:\"SAMPLE\":0.4", "words, or the image of a file, over it, with this opacity"),
    kind("grayscale", "grayscale", "colour lost"),
    kind("downscale", "downscale:2", "so many times smaller"),
];

/// Maximum length of a watermark text, in letters.
const LONGEST_TEXT: usize = 64;

impl Damage {
    /// All kinds.
    pub const KINDS: &'static [Kind] = &KINDS;

    /// The name of its kind.
    pub fn name(&self) -> &'static str {
        match self {
            Damage::Gaussian { .. } => "gaussian",
            Damage::SaltPepper { .. } => "salt_pepper",
            Damage::Blocks { .. } => "blocks",
            Damage::Masking { .. } => "masking",
            Damage::Blur { .. } => "blur",
            Damage::Jpeg { .. } => "jpeg",
            Damage::Watermark { .. } => "watermark",
            Damage::Grayscale => "grayscale",
            Damage::Downscale { .. } => "downscale",
        }
    }

    /// Checks that every parameter is in its range.
    ///
    /// # Errors
    /// [`Error::Setting`] with the parameter, its valid values and its value.
    pub fn check(&self) -> Result<()> {
        match self {
            Damage::Gaussian { sigma, .. } => self.within("sigma", *sigma, 0.0, 255.0),
            Damage::SaltPepper { rate } => self.within("rate", *rate, 0.0, 1.0),
            Damage::Blocks { rate, side, fill } => {
                self.within("rate", *rate, 0.0, 1.0)?;
                self.fills(*fill)?;
                match *side {
                    Side::Pixels(n) if (1..=4096).contains(&n) => Ok(()),
                    Side::Share(x) if x > 0.0 && x <= 1.0 => Ok(()),
                    _ => Err(self.refused("side", "pixels from 1px to 4096px or a share above 0, at most 1", side)),
                }
            }
            Damage::Masking { rate, fill } => {
                self.within("rate", *rate, 0.0, 1.0)?;
                self.fills(*fill)
            }
            Damage::Blur { sigma } => self.within("sigma", *sigma, 0.0, 50.0),
            Damage::Jpeg { quality } => {
                let whole = |x: f32| x.fract() == 0.0 && (1.0..=100.0).contains(&x);
                if whole(quality.low) && whole(quality.high) && quality.low <= quality.high {
                    return Ok(());
                }
                Err(self.refused("quality", "a whole number from 1 to 100, or a range such as 10-40", quality))
            }
            Damage::Watermark { mark, opacity } => {
                self.within("opacity", *opacity, 0.0, 1.0)?;
                match mark {
                    Mark::Text(text) if text.trim().is_empty() || text.chars().count() > LONGEST_TEXT => {
                        Err(self.refused("text", &format!("1 to {LONGEST_TEXT} letters"), mark))
                    }
                    Mark::Image(path) if path.as_os_str().is_empty() => {
                        Err(self.refused("mark", "a file or words in double quotes", &"nothing"))
                    }
                    _ => Ok(()),
                }
            }
            Damage::Grayscale => Ok(()),
            Damage::Downscale { factor } if (2..=8).contains(factor) => Ok(()),
            Damage::Downscale { factor } => Err(self.refused("factor", "a whole number from 2 to 8", factor)),
        }
    }

    fn within(&self, parameter: &str, span: Span, low: f32, high: f32) -> Result<()> {
        if low <= span.low && span.low <= span.high && span.high <= high && span.high > 0.0 {
            return Ok(());
        }
        Err(self.refused(parameter, &format!("a number above {low}, at most {high}, or a range of them"), &span))
    }

    fn fills(&self, fill: Fill) -> Result<()> {
        if fill.is_in_range() {
            return Ok(());
        }
        Err(self.refused("fill", Fill::EXPECTED, &fill))
    }

    fn refused(&self, parameter: &str, expected: &str, got: &dyn fmt::Display) -> Error {
        refused(&self.to_string(), parameter, expected, got)
    }
}

fn refused(text: &str, parameter: &str, expected: &str, got: &dyn fmt::Display) -> Error {
    Error::setting(format!("corruption `{text}`: {parameter}: expected {expected}, got `{got}`"))
}

fn unknown(text: &str, name: &str) -> Error {
    let kinds: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    let near = kinds.iter().map(|&kind| (strsim::jaro_winkler(kind, name), kind));
    let near = near.filter(|near| near.0 > 0.75).max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = near.map(|near| format!("; did you mean `{}`?", near.1)).unwrap_or_default();
    Error::setting(format!("corruption `{text}`: expected one of {}, got `{name}`{hint}", kinds.join(", ")))
}

/// The parameters of a corruption, read in order.
struct Parameters<'t> {
    whole: &'t str,
    left: Option<&'t str>,
}

impl<'t> Parameters<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let left = self.left?;
        let (first, rest) = match left.split_once(':') {
            Some((first, rest)) => (first, Some(rest)),
            None => (left, None),
        };
        self.left = rest;
        Some(first.trim())
    }

    fn span(&mut self, parameter: &str, default: f32) -> Result<Span> {
        let Some(text) = self.next() else { return Ok(Span::of(default)) };
        Span::read(text).ok_or_else(|| refused(self.whole, parameter, "a number or a range such as 5-50", &text))
    }

    fn share(&mut self, parameter: &str, default: f32) -> Result<Span> {
        let Some(text) = self.next() else { return Ok(Span::of(default)) };
        Span::read_share(text).ok_or_else(|| {
            refused(self.whole, parameter, "a share such as 0.2 or 20%, or a range such as 0.1-0.3", &text)
        })
    }

    fn fill(&mut self) -> Result<Fill> {
        let Some(text) = self.next() else { return Ok(Fill::Unsaid) };
        Fill::read(text).ok_or_else(|| refused(self.whole, "fill", Fill::EXPECTED, &text))
    }

    fn side(&mut self) -> Result<Side> {
        let Some(text) = self.next() else { return Ok(Side::Pixels(8)) };
        let side = match text.strip_suffix("px") {
            Some(pixels) => pixels.trim().parse().ok().map(Side::Pixels),
            None => share(text).map(Side::Share),
        };
        side.ok_or_else(|| refused(self.whole, "side", "pixels such as 8px or a share such as 0.1", &text))
    }

    /// The rest: a file or quoted text, and an opacity. File names may contain colons, so the opacity is
    /// the part after the last one, if that is a number.
    fn mark(&mut self) -> Result<(Mark, Span)> {
        const OPACITY: Span = Span::of(0.4);
        let Some(left) = self.left.take().map(str::trim) else { return Ok((Mark::Text("SAMPLE".into()), OPACITY)) };
        if !left.starts_with('"') {
            let with_opacity =
                left.rsplit_once(':').and_then(|(file, opacity)| Some((file, Span::read_share(opacity)?)));
            let (file, opacity) = with_opacity.unwrap_or((left, OPACITY));
            return Ok((Mark::Image(PathBuf::from(file.trim())), opacity));
        }
        let Some((words, rest)) = unquoted(left) else {
            return Err(refused(self.whole, "mark", "a closing double quote", &left));
        };
        self.left = match rest.trim() {
            "" => None,
            rest => match rest.strip_prefix(':') {
                Some(rest) => Some(rest),
                None => return Err(refused(self.whole, "mark", "`:` and an opacity after the words", &rest)),
            },
        };
        Ok((Mark::Text(words), self.share("opacity", OPACITY.low)?))
    }

    fn end(mut self, damage: Damage) -> Result<Damage> {
        if let Some(text) = self.next() {
            return Err(refused(self.whole, "parameters", &format!("no more than in `{damage}`"), &text));
        }
        damage.check()?;
        Ok(damage)
    }
}

/// The quoted text at the start of `text`, and the rest; `\"` and `\\` stand for `"` and `\`.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut words = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((words, &text[at + 1..])),
            '\\' => words.push(letters.next()?.1),
            letter => words.push(letter),
        }
    }
    None
}

impl FromStr for Damage {
    type Err = Error;

    fn from_str(text: &str) -> Result<Damage> {
        let text = text.trim();
        let mut parameters = Parameters { whole: text, left: Some(text) };
        let name = parameters.next().unwrap_or_default();
        let damage = match name {
            "gaussian" => {
                let sigma = parameters.span("sigma", 25.0)?;
                let clip = match parameters.next() {
                    None => false,
                    Some("clip") => true,
                    Some(other) => return Err(refused(text, "second parameter", "clip or nothing", &other)),
                };
                Damage::Gaussian { sigma, clip }
            }
            "salt_pepper" => Damage::SaltPepper { rate: parameters.share("rate", 0.1)? },
            "blocks" => Damage::Blocks {
                rate: parameters.share("rate", 0.2)?,
                side: parameters.side()?,
                fill: parameters.fill()?,
            },
            "masking" => Damage::Masking { rate: parameters.share("rate", 0.3)?, fill: parameters.fill()? },
            "blur" => Damage::Blur { sigma: parameters.span("sigma", 1.5)? },
            "jpeg" => Damage::Jpeg { quality: parameters.span("quality", 20.0)? },
            "watermark" => {
                let (mark, opacity) = parameters.mark()?;
                Damage::Watermark { mark, opacity }
            }
            "grayscale" => Damage::Grayscale,
            "downscale" => {
                let factor = parameters.next().unwrap_or("2");
                let whole = || refused(text, "factor", "a whole number from 2 to 8", &factor);
                Damage::Downscale { factor: factor.parse().map_err(|_| whole())? }
            }
            name => return Err(unknown(text, name)),
        };
        parameters.end(damage)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Damage::Gaussian { sigma, clip } => write!(f, ":{sigma}{}", if *clip { ":clip" } else { "" }),
            Damage::SaltPepper { rate } => write!(f, ":{rate}"),
            Damage::Blocks { rate, side, fill: Fill::Unsaid } => write!(f, ":{rate}:{side}"),
            Damage::Blocks { rate, side, fill } => write!(f, ":{rate}:{side}:{fill}"),
            Damage::Masking { rate, fill: Fill::Unsaid } => write!(f, ":{rate}"),
            Damage::Masking { rate, fill } => write!(f, ":{rate}:{fill}"),
            Damage::Blur { sigma } => write!(f, ":{sigma}"),
            Damage::Jpeg { quality } => write!(f, ":{quality}"),
            Damage::Watermark { mark, opacity } => write!(f, ":{mark}:{opacity}"),
            Damage::Grayscale => Ok(()),
            Damage::Downscale { factor } => write!(f, ":{factor}"),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Side::Pixels(n) => write!(f, "{n}px"),
            Side::Share(x) => write!(f, "{x}"),
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mark::Image(path) => write!(f, "{}", path.display()),
            Mark::Text(text) => write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        }
    }
}

impl TryFrom<String> for Damage {
    type Error = Error;

    fn try_from(text: String) -> Result<Damage> {
        text.parse()
    }
}

impl From<Damage> for String {
    fn from(damage: Damage) -> String {
        damage.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: Damage, written: &str) {
        let damage: Damage = text.parse().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(damage, want);
        assert_eq!(damage.to_string(), written);
        assert_eq!(written.parse::<Damage>().unwrap(), want);
        let json = serde_json::to_string(&damage).unwrap();
        assert_eq!(serde_json::from_str::<Damage>(&json).unwrap(), want);
    }

    #[test]
    fn texts_become_damages_and_texts_again() {
        let gaussian = |low, high, clip| Damage::Gaussian { sigma: Span::between(low, high), clip };
        check("gaussian", gaussian(25.0, 25.0, false), "gaussian:25");
        check(" gaussian : 5-50 ", gaussian(5.0, 50.0, false), "gaussian:5-50");
        check("gaussian:0-55", gaussian(0.0, 55.0, false), "gaussian:0-55");
        check("gaussian:127.5:clip", gaussian(127.5, 127.5, true), "gaussian:127.5:clip");
        check("salt_pepper", Damage::SaltPepper { rate: Span::of(0.1) }, "salt_pepper:0.1");
        let blocks = |side, fill: Fill| Damage::Blocks { rate: Span::of(0.2), side, fill };
        check("blocks", blocks(Side::Pixels(8), Fill::Unsaid), "blocks:0.2:8px");
        check("blocks:0.2:8px:any", blocks(Side::Pixels(8), Fill::Any), "blocks:0.2:8px:any");
        check("blocks:0.2:0.1:0", blocks(Side::Share(0.1), Fill::Value(0.0)), "blocks:0.2:0.1:0");
        check("blocks:0.2:0.1:black", blocks(Side::Share(0.1), Fill::Value(0.0)), "blocks:0.2:0.1:0");
        check("blocks:0.2:8px:grey", blocks(Side::Pixels(8), Fill::Value(0.5)), "blocks:0.2:8px:0.5");
        check("masking:0.3:white", Damage::Masking { rate: Span::of(0.3), fill: Fill::Value(1.0) }, "masking:0.3:1");
        check("masking:0.3:1", Damage::Masking { rate: Span::of(0.3), fill: Fill::Value(1.0) }, "masking:0.3:1");
        let unsaid = "masking:0.3".parse::<Damage>().unwrap();
        assert_eq!(unsaid.clone().settled(), unsaid);
        assert_eq!("blocks".parse::<Damage>().unwrap().settled().to_string(), "blocks:0.2:8px:any");
        check("blur:1.5", Damage::Blur { sigma: Span::of(1.5) }, "blur:1.5");
        check("jpeg:10-40", Damage::Jpeg { quality: Span::between(10.0, 40.0) }, "jpeg:10-40");
        let words =
            |text: &str, opacity| Damage::Watermark { mark: Mark::Text(text.into()), opacity: Span::of(opacity) };
        check("watermark", words("SAMPLE", 0.4), "watermark:\"SAMPLE\":0.4");
        check(
            "watermark:\"a: \\\"b\\\", \\\\c\":1",
            words("a: \"b\", \\c", 1.0),
            "watermark:\"a: \\\"b\\\", \\\\c\":1",
        );
        let file = |path: &str| Damage::Watermark { mark: Mark::Image(path.into()), opacity: Span::of(0.4) };
        check("watermark:logo.png", file("logo.png"), "watermark:logo.png:0.4");
        check("watermark:C:\\logo.png", file("C:\\logo.png"), "watermark:C:\\logo.png:0.4");
        check("grayscale", Damage::Grayscale, "grayscale");
        check("downscale:4", Damage::Downscale { factor: 4 }, "downscale:4");
        for kind in Damage::KINDS {
            assert_eq!(kind.name.parse::<Damage>().unwrap().name(), kind.name);
            assert_eq!(kind.example.parse::<Damage>().unwrap().to_string(), kind.example);
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, parts) in [
            ("gausian:25", &["expected one of gaussian, salt_pepper,", "`gausian`; did you mean `gaussian`?"][..]),
            ("greyscale", &["did you mean `grayscale`?"]),
            ("", &["expected one of", "got ``"]),
            ("gaussian:nan", &["`gaussian:nan`: sigma: expected a number", "got `nan`"]),
            ("gaussian:-5", &["sigma: expected a number above 0, at most 255", "got `-5`"]),
            ("gaussian:0", &["got `0`"]),
            ("gaussian:300", &["got `300`"]),
            ("gaussian:50-5", &["got `50-5`"]),
            ("gaussian:25:clips", &["expected clip or nothing, got `clips`"]),
            ("gaussian:25:clip:1", &["expected no more than in `gaussian:25:clip`, got `1`"]),
            ("salt_pepper:1.5", &["rate: expected a number above 0, at most 1", "got `1.5`"]),
            ("blocks:0.2:0px", &["side: expected pixels from 1px", "got `0px`"]),
            ("blocks:0.2:2", &["or a share", "got `2`"]),
            ("blocks:0.2:8px:7", &["fill: expected any, black, grey, white or a number from 0 to 1, got `7`"]),
            ("masking:0.2:red", &["got `red`"]),
            ("masking:x", &["got `x`"]),
            ("blur:99", &["at most 50"]),
            ("jpeg:0", &["quality: expected a whole number from 1 to 100", "got `0`"]),
            ("jpeg:10.5", &["got `10.5`"]),
            ("watermark:", &["expected a file or words in double quotes"]),
            ("watermark:\"open", &["closing double quote"]),
            ("watermark:\"\"", &["text: expected 1 to 64 letters"]),
            ("watermark:\"a\"b", &["expected `:` and an opacity"]),
            ("watermark:a.png:1.5", &["opacity: expected a number above 0, at most 1"]),
            ("grayscale:2", &["got `2`"]),
            ("downscale:1", &["factor: expected a whole number from 2 to 8, got `1`"]),
            ("downscale:2.5", &["got `2.5`"]),
        ] {
            let error = text.parse::<Damage>().unwrap_err().to_string();
            parts.iter().for_each(|part| assert!(error.contains(part), "{text}: {error}"));
        }
    }
}
