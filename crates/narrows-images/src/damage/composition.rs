//! Compositions of image corruptions.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Damage, Fill};
use crate::{Channels, Error, Result};

/// Corruptions applied in sequence; in text separated by commas, `blur:1.5,gaussian:10`, in files a list of texts.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct Damages(Vec<Damage>);

/// Maximum number of steps.
const MOST: usize = 16;

impl Damages {
    /// These corruptions, in this order.
    ///
    /// # Errors
    /// [`Error::Setting`] if one is out of range, or if they are incompatible: `grayscale` and `downscale`
    /// at most once, and `grayscale` first.
    pub fn new(damages: Vec<Damage>) -> Result<Damages> {
        damages.iter().try_for_each(Damage::check)?;
        let made = Damages(damages);
        let places = |name| made.0.iter().enumerate().filter(move |(_, damage)| damage.name() == name).map(|(i, _)| i);
        for name in ["grayscale", "downscale"] {
            if places(name).count() > 1 {
                return Err(Error::setting(format!("corruption `{made}`: expected `{name}` at most once")));
            }
        }
        if places("grayscale").next() > places("downscale").next() && places("downscale").next().is_some() {
            return Err(Error::setting(format!("corruption `{made}`: expected `grayscale` before `downscale`")));
        }
        if made.0.len() > MOST {
            let n = made.0.len();
            return Err(Error::setting(format!("corruption: expected at most {MOST} steps, got {n}")));
        }
        Ok(made)
    }

    /// The corruptions in order.
    pub fn as_slice(&self) -> &[Damage] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The channels of the corrupted image if the clean one has `target`.
    pub fn input_channels(&self, target: Channels) -> Channels {
        if self.0.contains(&Damage::Grayscale) { Channels::Grey } else { target }
    }

    /// What lost pixels look like, if a step loses some: those of the last one.
    pub fn fill(&self) -> Option<Fill> {
        self.0.iter().rev().find_map(Damage::fill)
    }

    /// With what is not said made explicit, as a fit does.
    #[must_use]
    pub fn settled(self) -> Damages {
        Damages(self.0.into_iter().map(Damage::settled).collect())
    }

    /// The total downscaling factor.
    pub fn scale(&self) -> usize {
        self.0
            .iter()
            .find_map(|damage| if let Damage::Downscale { factor } = damage { Some(*factor) } else { None })
            .unwrap_or(1)
    }
}

impl FromStr for Damages {
    type Err = Error;

    fn from_str(text: &str) -> Result<Damages> {
        if text.trim().is_empty() {
            return Ok(Damages::default());
        }
        Damages::new(steps(text).into_iter().map(str::parse).collect::<Result<_>>()?)
    }
}

/// The parts of a text between its commas; a comma in double quotes is text.
fn steps(text: &str) -> Vec<&str> {
    let (mut steps, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                steps.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    steps.push(&text[start..]);
    steps
}

impl fmt::Display for Damages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, damage) in self.0.iter().enumerate() {
            write!(f, "{}{damage}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Damages {
    /// A list of texts, or one text with commas.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Damages, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Damages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("corruptions such as \"gaussian:25\" or [\"blur:1.5\", \"gaussian:10\"]")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Damages, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Damages, A::Error> {
                let mut damages = Vec::new();
                while let Some(damage) = list.next_element()? {
                    damages.push(damage);
                }
                Damages::new(damages).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compositions_are_read_and_written() {
        for text in
            ["", "grayscale", "blur:1.5,gaussian:10", "watermark:\"a, \\\"b,\":0.5,grayscale,downscale:2,jpeg:10-40"]
        {
            let damages: Damages = text.parse().unwrap();
            assert_eq!(damages.to_string(), text);
            let json = serde_json::to_string(&damages).unwrap();
            assert_eq!(serde_json::from_str::<Damages>(&json).unwrap(), damages);
            assert_eq!(serde_json::from_value::<Damages>(text.into()).unwrap(), damages);
        }
        let damages: Damages = " blur , grayscale , downscale:3 ".parse().unwrap();
        assert_eq!(serde_json::to_string(&damages).unwrap(), r#"["blur:1.5","grayscale","downscale:3"]"#);
        assert_eq!((damages.scale(), damages.input_channels(Channels::Rgb)), (3, Channels::Grey));
        assert_eq!(Damages::default().scale(), 1);
        assert_eq!(Damages::default().input_channels(Channels::Rgb), Channels::Rgb);
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        for (text, part) in [
            ("grayscale,grayscale", "expected `grayscale` at most once"),
            ("downscale:2,downscale:3", "expected `downscale` at most once"),
            ("downscale,grayscale", "expected `grayscale` before `downscale`"),
            ("blur,,jpeg", "expected one of"),
            ("blur,jpg", "did you mean `jpeg`?"),
            (&["blur"; 17].join(","), "at most 16 steps, got 17"),
        ] {
            let error = text.parse::<Damages>().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let error = serde_json::from_str::<Damages>(r#"["gaussian:-1"]"#).unwrap_err().to_string();
        assert!(error.contains("at most 255"), "{error}");
        assert!(serde_json::from_str::<Damages>("3").unwrap_err().to_string().contains("corruptions such as"));
    }
}
