//! The keys that callers show, read from a file and compared in constant time.

use std::fs;
use std::path::Path;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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

    /// Whether a request shows one of the keys, as `Authorization: Bearer KEY` or `X-API-Key: KEY`, or as the password that a
    /// browser asks for. Browsers send that with requests of other sites' pages, too: these are not admitted.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
        let of_scheme =
            |scheme: &str| shown.filter(|(given, _)| given.eq_ignore_ascii_case(scheme)).map(|(_, key)| key.trim());
        let password = of_scheme("basic").filter(|_| !is_of_another_site(headers)).and_then(password);
        let bearer = of_scheme("bearer").map(str::as_bytes);
        let own = headers.get("x-api-key").map(|value| value.as_bytes());
        [bearer, own, password.as_deref()].into_iter().flatten().any(|key| self.has(key))
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

/// The password of a user and a password in base64.
fn password(credentials: &str) -> Option<Vec<u8>> {
    let both = STANDARD.decode(credentials).ok()?;
    let end = both.iter().position(|byte| *byte == b':')?;
    Some(both[end + 1..].to_vec())
}

/// Whether a browser says that the page of another site makes this request.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
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
        check("authorization", &format!("Basic {}", STANDARD.encode("me:0123456789abcdef")), true);
        check("authorization", &format!("Basic {}", STANDARD.encode("0123456789abcdef:")), false);
        check("x-api-key", "0123456789abcde", false);
        check("x-api-key", "", false);
    }

    #[test]
    fn a_password_that_another_sites_page_sends_is_not_admitted() {
        let keys = Keys::parse("0123456789abcdef").unwrap();
        let basic = format!("Basic {}", STANDARD.encode("me:0123456789abcdef"));
        let from = |site: &str| {
            let headers = [("authorization", basic.as_str()), ("sec-fetch-site", site)];
            let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            keys.admit(&HeaderMap::from_iter(headers))
        };
        assert!(from("same-origin") && from("none") && !from("cross-site") && !from("same-site"));
    }

    #[test]
    fn keys_that_are_short_or_none_are_refused() {
        assert!(Keys::parse("abc").err().unwrap().contains("line 1: expected a key of at least 16"));
        assert!(Keys::parse("# nothing\n").is_err());
    }
}
