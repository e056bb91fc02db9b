//! The licence of a model, by its identifier.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The identifier of a licence as the Hugging Face Hub has it, in lower case: `mit`, `apache-2.0`, `cc-by-4.0`, `other`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License(String);

impl License {
    /// Its text, such as `apache-2.0`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A licence that nobody has named: `unknown`, which the Hub takes.
impl Default for License {
    fn default() -> License {
        License("unknown".to_owned())
    }
}

impl fmt::Display for License {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for License {
    type Err = Error;

    /// # Errors
    /// [`Error::Recipe`] if the text cannot be an identifier.
    fn from_str(text: &str) -> Result<License> {
        let identifier = text.trim().to_ascii_lowercase();
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._+".contains(c);
        match identifier.starts_with(|c: char| c.is_ascii_alphanumeric()) && identifier.chars().all(is_allowed) {
            true => Ok(License(identifier)),
            false => {
                let message = format!("expected an identifier such as mit, apache-2.0 or other, got `{text}`");
                Err(Error::recipe("license", message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_is_an_identifier_in_lower_case() {
        assert_eq!("Apache-2.0".parse::<License>().unwrap().as_str(), "apache-2.0");
        assert_eq!(License::default().to_string(), "unknown");
        for bad in ["", "my licence", "a\nb", "- x", "mit: true"] {
            let error = bad.parse::<License>().unwrap_err().to_string();
            assert!(error.starts_with("license: expected an identifier such as mit"), "{error}");
        }
    }
}
