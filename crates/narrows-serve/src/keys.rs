//! The keys that callers show, read from a file and compared in constant time.

use std::fs;
use std::path::Path;

use axum::http::{HeaderMap, header};
use narrows_core::Error;
use narrows_core::error::Place;
use subtle::{Choice, ConstantTimeEq};

/// Shortest key; shorter ones can be guessed.
const SHORTEST: usize = 16;

/// Keys, any of which opens every route.
#[derive(Clone)]
pub(crate) struct Keys(Vec<Vec<u8>>);

impl Keys {
    /// Reads a file of keys, one a line; blank lines and lines that start with `#` are left out.
    pub(crate) fn read(path: &Path) -> Result<Keys, Error> {
        let text = fs::read_to_string(path).map_err(|error| Error::read(path, error))?;
        Keys::parse(&text).map_err(|message| Error::data(Place::source(path.display().to_string()), message))
    }

    fn parse(text: &str) -> Result<Keys, String> {
        let mut keys = Vec::new();
        for (i, line) in text.lines().enumerate() {
            let key = line.trim();
            if key.is_empty() || key.starts_with('#') {
                continue;
            }
            if key.len() < SHORTEST || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(format!(
                    "line {}: expected a key of at least {SHORTEST} visible ASCII characters, got one of {}",
                    i + 1,
                    key.chars().count()
                ));
            }
            keys.push(key.as_bytes().to_vec());
        }
        if keys.is_empty() { Err("expected at least one key, got none".to_owned()) } else { Ok(Keys(keys)) }
    }

    /// Whether a request shows one of the keys, as `Authorization: Bearer KEY` or `X-API-Key: KEY`.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
            let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().as_bytes())
        });
        let own = headers.get("x-api-key").map(|value| value.as_bytes());
        [bearer, own].into_iter().flatten().any(|key| self.has(key))
    }

    /// Every key is compared to its end, so that the time tells nothing of them but their lengths.
    fn has(&self, shown: &[u8]) -> bool {
        let mut found = Choice::from(0);
        for key in &self.0 {
            found |= key.as_slice().ct_eq(shown);
        }
        found.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, value: &str, expected: bool) {
        let keys = Keys::parse("# ours\n0123456789abcdef\n\nfedcba9876543210\n").unwrap();
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        assert_eq!(keys.admit(&headers), expected, "{name}: {value}");
    }

    #[test]
    fn either_header_may_show_any_of_the_keys() {
        check("x-api-key", "fedcba9876543210", true);
        check("authorization", "Bearer 0123456789abcdef", true);
        check("authorization", "Basic 0123456789abcdef", false);
        check("x-api-key", "0123456789abcde", false);
        check("x-api-key", "", false);
    }

    #[test]
    fn keys_that_are_short_or_none_are_refused() {
        assert!(Keys::parse("abc").err().unwrap().contains("line 1: expected a key of at least 16"));
        assert!(Keys::parse("# nothing\n").is_err());
    }
}
