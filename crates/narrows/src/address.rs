//! Addresses given where a file is expected: those in object stores and on web servers are read and written by builds with the
//! feature `remote`, and only where that makes sense; all others are refused in words.

use std::path::Path;

use narrows_core::Error;
use narrows_core::data::{is_stored, shown};

/// Which builds read addresses.
const BUILDS: &str = "the released binaries know it, and builds with the cargo feature `remote`";

/// An error if one of these names is a URL that is not served.
pub(crate) fn refuse<T: AsRef<str>>(names: &[T]) -> Result<(), Error> {
    names.iter().map(AsRef::as_ref).try_for_each(|name| match scheme(name) {
        None => Ok(()),
        Some(_) if is_stored(name) => Ok(()),
        Some(scheme) => {
            let error = Error::mismatch(format!("`{name}` is a URL, and only files are read"));
            Err(error.with_hint(advice(name, &scheme)))
        }
    })
}

/// An error if one of these names is a URL, where only files on disk are possible: `what` says why.
pub(crate) fn refuse_all<T: AsRef<str>>(names: &[T], what: &str) -> Result<(), Error> {
    refuse(names)?;
    match names.iter().map(AsRef::as_ref).find(|name| is_stored(name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!("`{}` is a URL, and {what}", shown(Path::new(name)).display());
            Err(Error::mismatch(message).with_hint("download it first, and name the file"))
        }
    }
}

/// An error if an output is a URL that is not served.
pub(crate) fn refuse_output(flag: &str, path: &Path) -> Result<(), Error> {
    let name = path.to_string_lossy();
    match scheme(&name) {
        Some(scheme) if !is_stored(path) => {
            let error = Error::recipe(flag, format!("`{name}` is a URL, and only files are written"));
            Err(match scheme.as_str() {
                "s3" | "gs" | "az" | "abfs" | "abfss" => error.with_hint(BUILDS),
                _ => error,
            })
        }
        _ => Ok(()),
    }
}

/// How to read what is at a URL.
fn advice(name: &str, scheme: &str) -> String {
    match scheme {
        "http" | "https" => format!("{BUILDS}; or download it first: curl -LO '{name}'"),
        "s3" => format!("{BUILDS}; or download it first: aws s3 cp '{name}' ."),
        "gs" => format!("{BUILDS}; or download it first: gcloud storage cp '{name}' ."),
        "az" | "abfs" | "abfss" => format!("{BUILDS}; or download it first, by azcopy"),
        "ftp" => format!("download it first: curl -LO '{name}'"),
        "file" => format!("name the file itself: {}", name.trim_start_matches("file://")),
        _ => "download it first, and name the file".to_owned(),
    }
}

/// The scheme of a URL, in lower case.
fn scheme(name: &str) -> Option<String> {
    let (scheme, _) = name.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.len() > 1
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    // A file may be called so, however unlikely that is.
    (is_scheme && !Path::new(name).exists()).then(|| scheme.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, hint: Option<&str>) {
        match (refuse(&[name]), hint) {
            (Ok(()), None) => {}
            (Err(error), Some(hint)) => {
                assert!(error.to_string().contains("is a URL"), "{error}");
                assert!(error.hint_text().unwrap().contains(hint), "{:?}", error.hint_text());
            }
            (found, _) => panic!("{name}: {found:?}"),
        }
    }

    #[test]
    fn urls_are_refused_with_the_way_to_download_them() {
        check("https://example.org/a.csv", Some("curl -LO 'https://example.org/a.csv'"));
        check("S3://bucket/a.parquet", Some("aws s3 cp"));
        check("s3://bucket/a.parquet", Some("builds with the cargo feature `remote`"));
        check("gs://bucket/a.parquet", Some("gcloud storage cp"));
        check("az://container/a.parquet", Some("azcopy"));
        check("ftp://example.org/a.csv", Some("curl -LO"));
        check("file:///tmp/a.csv", Some("/tmp/a.csv"));
        check("hdfs://x@y/a.parquet", Some("download it first"));
        let error = refuse_output("--output", Path::new("s3://bucket/a.csv")).unwrap_err();
        assert!(error.to_string().contains("--output: `s3://bucket/a.csv` is a URL, and only files are written"));
        assert!(error.hint_text().unwrap().contains("`remote`"));
        assert!(refuse_output("--output", Path::new("a.csv")).is_ok());
        assert!(refuse_all(&["a.png"], "images are read from disk").is_ok());
    }

    #[test]
    fn files_are_not_urls() {
        ["a.csv", "C:/a.csv", "-", "faces.npz:X", "a://", "://x", "logs/*.csv"]
            .iter()
            .for_each(|name| check(name, None));
    }
}
