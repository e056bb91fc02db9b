//! The objects that a folder holds or that match a pattern.

use std::io::{self, ErrorKind};

use futures_util::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::address::{Address, Kind};
use crate::connection::Connection;
use crate::failure::told;
use crate::runtime::wait;

/// As for files: `*` stays within a folder, `**` does not.
const RULES: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// The addresses of the objects that an address names.
pub(crate) fn find(text: &str) -> io::Result<Vec<String>> {
    let address = Address::parse(text)?;
    let pattern = address.pattern().map(|(folder, rest)| (folder.to_owned(), rest.to_owned()));
    let is_folder = address.key.is_empty() || address.key.ends_with('/');
    if address.kind == Kind::Web && (pattern.is_some() || is_folder) {
        let message = "a web server does not list its files: name each of them";
        return Err(io::Error::new(ErrorKind::Unsupported, message));
    }
    match pattern {
        None if !is_folder => Ok(vec![text.to_owned()]),
        None => {
            let folder = address.key.clone();
            let objects = listed(&address, &folder, true)?;
            let keys = objects.iter().map(|object| object.location.as_ref()).filter(|key| is_data(&folder, key));
            Ok(keys.map(|key| address.of_key(key)).collect())
        }
        Some((folder, rest)) => {
            let pattern = Pattern::new(&address.key)
                .map_err(|error| io::Error::new(ErrorKind::InvalidInput, format!("invalid pattern: {error}")))?;
            let objects = listed(&address, &folder, rest.contains('/'))?;
            let keys = objects.iter().map(|object| object.location.as_ref());
            Ok(keys.filter(|key| pattern.matches_with(key, RULES)).map(|key| address.of_key(key)).collect())
        }
    }
}

/// Whether a key in a folder is of data: names that start with `_` or `.` are what engines write beside it.
fn is_data(folder: &str, key: &str) -> bool {
    let rest = key.strip_prefix(folder).unwrap_or_default();
    !rest.is_empty() && !rest.split('/').any(|name| name.starts_with(['_', '.']))
}

/// The objects in a folder, and if asked for in those below it.
fn listed(address: &Address, folder: &str, below: bool) -> io::Result<Vec<ObjectMeta>> {
    let connection = Connection::to(address)?;
    let prefix = Path::parse(folder.trim_end_matches('/'))
        .map_err(|error| io::Error::new(ErrorKind::InvalidInput, error.to_string()))?;
    let address = address.clone();
    wait(async move {
        let prefix = Some(&prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let objects = match below {
            true => connection.quick.list(prefix).try_collect().await,
            false => connection.quick.list_with_delimiter(prefix).await.map(|found| found.objects),
        };
        objects.map_err(|error| told(&error, &address))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_engines_write_beside_data_is_left_out() {
        let found = |key: &str| is_data("t/", key);
        assert!(found("t/a.parquet") && found("t/day=1/a.parquet"));
        assert!(!found("t/_SUCCESS") && !found("t/.a.crc") && !found("t/_temporary/0/a.parquet") && !found("t/"));
        assert!(is_data("", "a.csv"));
    }

    #[test]
    fn a_web_server_is_not_listed() {
        for address in ["https://host/*.csv", "https://host/folder/", "https://host"] {
            assert!(find(address).unwrap_err().to_string().contains("name each of them"), "{address}");
        }
        assert_eq!(find("https://host/a.csv?b*").unwrap(), ["https://host/a.csv?b*"]);
    }
}
