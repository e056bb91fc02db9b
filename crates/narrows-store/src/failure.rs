//! What a store answers, in words: what is wrong and what to do. The address is named by the caller.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use object_store::Error;
use object_store::client::HttpError;

use crate::address::{Address, Kind};
use crate::credentials;

/// The error of a request about an address.
pub(crate) fn told(error: &Error, address: &Address) -> io::Error {
    let text = error.to_string();
    let code = between(&text, "<Code>", "</Code>");
    let (kind, message) = match error {
        _ if matches!(code, Some("NoSuchBucket" | "ContainerNotFound")) => {
            (ErrorKind::NotFound, format!("there is no bucket `{}`", address.bucket))
        }
        Error::NotFound { .. } if address.kind == Kind::Web => {
            (ErrorKind::NotFound, "the server has no such file (404)".to_owned())
        }
        Error::NotFound { .. } => {
            (ErrorKind::NotFound, "there is no such object; the address of a folder ends in `/`".to_owned())
        }
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
            let advice = credentials::advice(address.kind);
            (ErrorKind::PermissionDenied, format!("access is denied{code}; check the credentials: {advice}"))
        }
        Error::Precondition { .. } => (ErrorKind::Other, "it has changed while it was read; read it again".to_owned()),
        Error::Generic { source, .. } => match connection(error) {
            Some(reason) => {
                (ErrorKind::NotConnected, format!("no connection to the server: {reason}{}", endpoint(address)))
            }
            None => (ErrorKind::Other, generic(&source.to_string(), code, address)),
        },
        _ => (ErrorKind::Other, short(&text)),
    };
    io::Error::new(kind, message)
}

/// Whether the server does not serve the range that was asked for, but may serve the whole.
pub(crate) fn is_about_range(error: &Error) -> bool {
    if matches!(error, Error::NotSupported { .. }) {
        return true;
    }
    let text = error.to_string();
    let signs =
        ["non-partial response", "Content-Range header not present", "416 Range Not Satisfiable", "Requested 0.."];
    signs.iter().any(|sign| text.contains(sign))
}

/// The innermost reason, if no answer came at all.
fn connection(error: &Error) -> Option<String> {
    let mut next = error.source();
    let (mut is_http, mut last) = (false, None);
    while let Some(error) = next {
        is_http |= error.is::<HttpError>();
        last = Some(error.to_string());
        next = error.source();
    }
    last.filter(|_| is_http)
}

/// The variable that names the server.
fn endpoint(address: &Address) -> String {
    let (variable, others) = match address.kind {
        Kind::S3 => ("AWS_ENDPOINT_URL", " (with http:// it needs AWS_ALLOW_HTTP=true)"),
        Kind::Google => ("GOOGLE_BASE_URL", ""),
        Kind::Azure => ("AZURE_STORAGE_ENDPOINT", ""),
        Kind::Web => return String::new(),
    };
    match std::env::var(variable) {
        Ok(value) => format!("; {variable} is {value}{others}"),
        Err(_) => format!("; another server is named by {variable}"),
    }
}

fn generic(text: &str, code: Option<&str>, address: &Address) -> String {
    if address.kind == Kind::S3 && (text.contains("redirect without LOCATION") || code == Some("PermanentRedirect")) {
        return "the bucket is in another region: set AWS_REGION".to_owned();
    }
    if text.contains("Content-Length") {
        return "the server does not say how long it is; download it first".to_owned();
    }
    let message = between(text, "<Message>", "</Message>");
    match (code, message) {
        (Some(code), Some(message)) => format!("the server answers {code}: {message}"),
        _ => short(text),
    }
}

/// A text on one line of a bearable length, without the request's URL, which may be signed.
fn short(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !word.contains("://"));
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split_once(end)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: &Error, address: &str, kind: ErrorKind, words: &str) {
        let told = told(error, &Address::of(address).unwrap());
        assert_eq!(told.kind(), kind, "{told}");
        assert!(told.to_string().contains(words), "{told}");
    }

    #[test]
    fn answers_become_words_and_signatures_stay_out() {
        let source = |text: &str| text.to_owned().into();
        let missing = |text: &str| Error::NotFound { path: "k".to_owned(), source: source(text) };
        check(&missing("<Code>NoSuchBucket</Code>"), "s3://b/k", ErrorKind::NotFound, "no bucket `b`");
        check(&missing("<Code>NoSuchKey</Code>"), "s3://b/k", ErrorKind::NotFound, "a folder ends in `/`");
        let denied =
            Error::PermissionDenied { path: "k".to_owned(), source: source("<Code>InvalidAccessKeyId</Code>") };
        check(
            &denied,
            "s3://b/k",
            ErrorKind::PermissionDenied,
            "(InvalidAccessKeyId); check the credentials: set AWS_",
        );
        let generic = |text: &str| Error::Generic { store: "S3", source: source(text) };
        check(&generic("<Code>NoSuchBucket</Code>"), "s3://b/*", ErrorKind::NotFound, "no bucket `b`");
        let slow = generic("<Code>SlowDown</Code><Message>Reduce your rate.</Message>");
        check(&slow, "s3://b/k", ErrorKind::Other, "the server answers SlowDown: Reduce your rate.");
        check(&generic("Received redirect without LOCATION"), "s3://b/k", ErrorKind::Other, "set AWS_REGION");
        let signed = told(&generic("GET https://h/k?sig=secret failed"), &Address::of("https://h/k").unwrap());
        assert_eq!(signed.to_string(), "GET failed");
    }
}
