//! Threshold rules, as written in recipes, model files and on the command line.
//!
//! `decision.rs` applies them. On the command line a rule is its name and, after an equals
//! sign, its parameter: `quantile=0.99`, `max`, `pot=0.001,tail=0.95`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, nearest};
use crate::range::{Contamination, Finite, Rate, lit};

/// The threshold rule; a row is an anomaly if its score is above the threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum Threshold {
    /// At most this share of normal rows is flagged, whatever the model: split-conformal, on held-out rows.
    FalseAlarmRate {
        /// Target false-alarm rate among normal rows.
        #[serde(default = "default_rate")]
        rate: Rate,
    },
    /// A quantile of the held-out scores.
    Quantile {
        /// The quantile.
        q: Rate,
    },
    /// The mean of the held-out scores plus `k` standard deviations.
    MeanStd {
        /// Number of standard deviations.
        #[serde(default = "default_k")]
        k: Finite,
    },
    /// The maximum held-out score.
    Max,
    /// The share of training rows to flag: contamination as defined by scikit-learn.
    Contamination {
        /// Share of anomalies among the training rows.
        share: Contamination,
    },
    /// Peaks over threshold: a generalised Pareto tail fitted to the highest held-out scores, for rates too low to count.
    Pot {
        /// Target false-alarm rate; below `1 - tail`.
        #[serde(default = "default_risk")]
        rate: Rate,
        /// Quantile at which the tail starts.
        #[serde(default = "default_tail")]
        tail: Rate,
    },
    /// A fixed threshold.
    Fixed {
        /// The threshold.
        value: Finite,
    },
    /// The threshold with the best F1 on labelled rows; metrics on the same rows are optimistic.
    BestF1,
}

/// The rules as written on the command line.
pub const CHOICES: [&str; 8] = [
    "false_alarm_rate=0.01",
    "quantile=0.99",
    "mean_std=3",
    "max",
    "contamination=0.05",
    "pot=0.001",
    "fixed=3.2",
    "best_f1",
];

fn default_rate() -> Rate {
    lit!(Rate, 0.01)
}

fn default_k() -> Finite {
    lit!(Finite, 3.0)
}

fn default_risk() -> Rate {
    lit!(Rate, 0.001)
}

fn default_tail() -> Rate {
    lit!(Rate, 0.98)
}

impl Default for Threshold {
    fn default() -> Threshold {
        Threshold::FalseAlarmRate { rate: default_rate() }
    }
}

impl Threshold {
    /// The rule's name in recipes.
    pub fn name(&self) -> &'static str {
        match self {
            Threshold::FalseAlarmRate { .. } => "false_alarm_rate",
            Threshold::Quantile { .. } => "quantile",
            Threshold::MeanStd { .. } => "mean_std",
            Threshold::Max => "max",
            Threshold::Contamination { .. } => "contamination",
            Threshold::Pot { .. } => "pot",
            Threshold::Fixed { .. } => "fixed",
            Threshold::BestF1 => "best_f1",
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Threshold::FalseAlarmRate { rate } => write!(f, "={rate}"),
            Threshold::Quantile { q } => write!(f, "={q}"),
            Threshold::MeanStd { k } => write!(f, "={k}"),
            Threshold::Contamination { share } => write!(f, "={share}"),
            Threshold::Pot { rate, tail } if *tail == default_tail() => write!(f, "={rate}"),
            Threshold::Pot { rate, tail } => write!(f, "={rate},tail={tail}"),
            Threshold::Fixed { value } => write!(f, "={value}"),
            Threshold::Max | Threshold::BestF1 => Ok(()),
        }
    }
}

impl FromStr for Threshold {
    type Err = Error;

    /// Parses `name` or `name=number`; the number is optional if the rule has a default.
    fn from_str(text: &str) -> Result<Threshold> {
        let (name, number) = match text.split_once('=') {
            Some((name, number)) => (name.trim(), Some(number.trim())),
            None => (text.trim(), None),
        };
        let number = Number { rule: name, text: number };
        match name {
            "false_alarm_rate" => Ok(Threshold::FalseAlarmRate { rate: number.or(default_rate())? }),
            "quantile" => Ok(Threshold::Quantile { q: number.needed()? }),
            "mean_std" => Ok(Threshold::MeanStd { k: number.or(default_k())? }),
            "max" => number.none(Threshold::Max),
            "contamination" => Ok(Threshold::Contamination { share: number.needed()? }),
            "pot" => match number.text.and_then(|both| both.split_once(',')) {
                Some((rate, tail)) => {
                    let tail = tail.trim().strip_prefix("tail=").ok_or_else(|| {
                        Error::recipe("threshold", format!("pot: expected `pot=0.001,tail=0.98`, got `{text}`"))
                    })?;
                    let rate = Number { rule: name, text: Some(rate) }.needed()?;
                    Ok(Threshold::Pot { rate, tail: Number { rule: "pot tail", text: Some(tail) }.needed()? })
                }
                None => Ok(Threshold::Pot { rate: number.or(default_risk())?, tail: default_tail() }),
            },
            "fixed" => Ok(Threshold::Fixed { value: number.needed()? }),
            "best_f1" => number.none(Threshold::BestF1),
            _ => Err(unknown(text, name)),
        }
    }
}

/// The text after the equals sign.
struct Number<'a> {
    rule: &'a str,
    text: Option<&'a str>,
}

impl Number<'_> {
    fn needed<T: FromStr<Err = String>>(&self) -> Result<T> {
        let text = self.text.filter(|text| !text.is_empty());
        let parsed = text
            .ok_or_else(|| format!("expected a number, as in `{}`, got none", self.example()))
            .and_then(|text| text.trim().parse());
        parsed.map_err(|message| Error::recipe("threshold", format!("{}: {message}", self.rule)))
    }

    fn or<T: FromStr<Err = String>>(&self, usual: T) -> Result<T> {
        if self.text.is_none() { Ok(usual) } else { self.needed() }
    }

    fn none(&self, rule: Threshold) -> Result<Threshold> {
        match self.text {
            None => Ok(rule),
            Some(text) => Err(Error::recipe("threshold", format!("{rule}: expected no number, got `{text}`"))),
        }
    }

    fn example(&self) -> &'static str {
        CHOICES.into_iter().find(|choice| choice.starts_with(self.rule)).unwrap_or("pot=0.001,tail=0.98")
    }
}

fn unknown(text: &str, name: &str) -> Error {
    let error = Error::recipe("threshold", format!("expected one of {}, got `{text}`", CHOICES.join(", ")));
    if let Some(number) = text.trim().strip_suffix('%').filter(|number| number.trim().parse::<f64>().is_ok()) {
        return error.with_hint(format!("name the rule of this rate, such as `false_alarm_rate={number}%`"));
    }
    if text.trim().parse::<f64>().is_ok() {
        let number = text.trim();
        return error.with_hint(format!("name the rule of this number, such as `quantile={number}`, `fixed={number}`"));
    }
    let names = CHOICES.map(|choice| choice.split('=').next().unwrap_or(choice));
    let near = nearest(name, names);
    if near.is_empty() { error } else { error.with_hint(format!("did you mean `{}`?", near.join("`, `"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str, canonical: &str) {
        let rule: Threshold = text.parse().unwrap();
        assert_eq!(rule.to_string(), canonical);
        assert_eq!(canonical.parse::<Threshold>().unwrap(), rule);
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<Threshold>(&json).unwrap(), rule);
        let toml = toml::to_string(&rule).unwrap();
        assert_eq!(toml::from_str::<Threshold>(&toml).unwrap(), rule);
    }

    fn check_refused(text: &str, message: &str, hint: Option<&str>) {
        let error = text.parse::<Threshold>().unwrap_err();
        assert_eq!(error.to_string(), format!("threshold: {message}"));
        assert_eq!(error.hint_text().as_deref(), hint);
    }

    #[test]
    fn every_choice_reads_and_writes_itself() {
        CHOICES.into_iter().for_each(|choice| check_text(choice, choice));
        check_text(" false_alarm_rate ", "false_alarm_rate=0.01");
        check_text("mean_std", "mean_std=3");
        check_text("pot", "pot=0.001");
        check_text("pot = 0.0001, tail=0.95", "pot=0.0001,tail=0.95");
        check_text("fixed=-1e-3", "fixed=-0.001");
        check_text("contamination=0", "contamination=0");
        assert_eq!(Threshold::default().to_string(), "false_alarm_rate=0.01");
    }

    #[test]
    fn a_wrong_rule_is_told_the_choices_and_near_names() {
        let choices = CHOICES.join(", ");
        check_refused(
            "quantil=0.9",
            &format!("expected one of {choices}, got `quantil=0.9`"),
            Some("did you mean `quantile`?"),
        );
        check_refused("", &format!("expected one of {choices}, got ``"), None);
        check_refused(
            "0.95",
            &format!("expected one of {choices}, got `0.95`"),
            Some("name the rule of this number, such as `quantile=0.95`, `fixed=0.95`"),
        );
    }

    #[test]
    fn a_wrong_number_is_told_its_range() {
        check_refused("quantile=1", "quantile: expected a number between 0 and 1, both excluded, got 1", None);
        check_refused("quantile", "quantile: expected a number, as in `quantile=0.99`, got none", None);
        check_refused("fixed=", "fixed: expected a number, as in `fixed=3.2`, got none", None);
        check_refused("max=3", "max: expected no number, got `3`", None);
        check_refused("pot=0.1,0.9", "pot: expected `pot=0.001,tail=0.98`, got `pot=0.1,0.9`", None);
        check_refused("pot=0.1,tail=", "pot tail: expected a number, as in `pot=0.001,tail=0.98`, got none", None);
        check_refused("mean_std=nan", "mean_std: expected a finite number, got NaN", None);
    }

    #[test]
    fn a_recipe_refuses_unknown_fields_and_fills_in_usual_numbers() {
        assert_eq!(toml::from_str::<Threshold>(r#"rule = "pot""#).unwrap(), "pot=0.001".parse().unwrap());
        assert!(toml::from_str::<Threshold>("rule = \"pot\"\nq = 0.1").is_err());
        assert!(toml::from_str::<Threshold>("rule = \"quantile\"\nq = 1.5").is_err());
        assert!(toml::from_str::<Threshold>(r#"rule = "quantile""#).is_err());
    }
}
