//! URLs given where a file is expected: they are refused in words, since nothing here opens a connection.

use narrows_core::Error;

/// An error if one of these names is a URL; files are read from disk only.
pub(crate) fn refuse<T: AsRef<str>>(names: &[T]) -> Result<(), Error> {
    names.iter().map(AsRef::as_ref).try_for_each(|name| match scheme(name) {
        None => Ok(()),
        Some(scheme) => {
            let error = Error::mismatch(format!("`{name}` is a URL, and only files are read"));
            Err(error.with_hint(match scheme.as_str() {
                "http" | "https" | "ftp" => format!("download it first: curl -LO '{name}'"),
                "s3" => format!("download it first: aws s3 cp '{name}' ."),
                "gs" => format!("download it first: gcloud storage cp '{name}' ."),
                "file" => format!("name the file itself: {}", name.trim_start_matches("file://")),
                _ => "download it first, and name the file".to_owned(),
            }))
        }
    })
}

/// The scheme of a URL, in lower case.
fn scheme(name: &str) -> Option<String> {
    let (scheme, _) = name.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.len() > 1
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    // A file may be called so, however unlikely that is.
    (is_scheme && !std::path::Path::new(name).exists()).then(|| scheme.to_lowercase())
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
        check("gs://bucket/a.parquet", Some("gcloud storage cp"));
        check("file:///tmp/a.csv", Some("/tmp/a.csv"));
        check("abfss://x@y/a.parquet", Some("download it first"));
    }

    #[test]
    fn files_are_not_urls() {
        ["a.csv", "C:/a.csv", "-", "faces.npz:X", "a://", "://x", "logs/*.csv"]
            .iter()
            .for_each(|name| check(name, None));
    }
}
