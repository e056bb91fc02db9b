//! An address in parts: which kind of store, which bucket in it, which object.

use std::fmt;
use std::io;

use object_store::path::Path;

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    S3,
    Google,
    Azure,
    Web,
}

impl Kind {
    /// The kind of a scheme, in lower case.
    fn of_scheme(scheme: &str) -> Option<Kind> {
        match scheme {
            "s3" | "s3a" => Some(Kind::S3),
            "gs" => Some(Kind::Google),
            "az" | "azure" | "adl" | "abfs" | "abfss" => Some(Kind::Azure),
            "http" | "https" => Some(Kind::Web),
            _ => None,
        }
    }
}

/// An address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) kind: Kind,
    /// In lower case.
    pub(crate) scheme: String,
    /// Bucket or container; of a web server the host, with user and port.
    pub(crate) bucket: String,
    /// The rest; of a web server as in the URL.
    pub(crate) key: String,
    /// Parameters of a URL, such as its signature.
    pub(crate) query: Option<String>,
}

impl Address {
    /// The parts of an address; `None` if it is of no kind that is served.
    pub(crate) fn of(text: &str) -> Option<Address> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let kind = Kind::of_scheme(&scheme)?;
        let (rest, query) = match kind {
            Kind::Web => {
                let rest = rest.split('#').next().unwrap_or_default();
                rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query.to_owned())))
            }
            _ => (rest, None),
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        Some(Address { kind, scheme, bucket: bucket.to_owned(), key: key.to_owned(), query })
    }

    /// The same, or an error if there is no bucket.
    pub(crate) fn parse(text: &str) -> io::Result<Address> {
        let address = Address::of(text).filter(|address| !address.bucket.is_empty());
        address
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "expected an address such as s3://bucket/key"))
    }

    /// The path of the object in its store.
    pub(crate) fn path(&self) -> io::Result<Path> {
        let path = match self.kind {
            Kind::Web => Path::from_url_path(&self.key),
            _ => Path::parse(&self.key),
        };
        let path = path.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
        if path.as_ref().is_empty() {
            let message = "expected the name of an object behind the bucket, got none";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(path)
    }

    /// The address of another object in the same bucket.
    pub(crate) fn of_key(&self, key: &str) -> String {
        format!("{}://{}/{key}", self.scheme, self.bucket)
    }

    /// Scheme and bucket, which a connection is for; of a web server with the parameters of the URL.
    pub(crate) fn root(&self) -> String {
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}://{}{query}", self.scheme, self.bucket)
    }

    /// What stands in front of the first wildcard, to its last `/`, and the rest; `None` without wildcards.
    pub(crate) fn pattern(&self) -> Option<(&str, &str)> {
        let special: &[char] = if self.kind == Kind::Web { &['*'] } else { &['*', '?', '['] };
        let first = self.key.find(special)?;
        let folder = self.key[..first].rfind('/').map_or(0, |slash| slash + 1);
        Some(self.key.split_at(folder))
    }
}

/// Without parameters and user, which may be secret.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bucket = match self.kind {
            Kind::Web => self.bucket.rsplit_once('@').map_or(self.bucket.as_str(), |(_, host)| host),
            _ => &self.bucket,
        };
        write!(f, "{}://{bucket}/{}", self.scheme, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_kind_a_bucket_and_a_key() {
        let parts = |text: &str| Address::of(text).map(|address| (address.kind, address.bucket, address.key));
        let expected = |kind, bucket: &str, key: &str| Some((kind, bucket.to_owned(), key.to_owned()));
        assert_eq!(parts("S3://bucket/a/b.csv"), expected(Kind::S3, "bucket", "a/b.csv"));
        assert_eq!(parts("gs://bucket"), expected(Kind::Google, "bucket", ""));
        assert_eq!(parts("abfss://c@a.dfs.core.windows.net/k"), expected(Kind::Azure, "c@a.dfs.core.windows.net", "k"));
        assert_eq!(parts("https://host:1/a?b/c"), expected(Kind::Web, "host:1", "a"));
        assert_eq!(parts("ftp://host/a"), None);
        assert_eq!(parts("a.csv"), None);
        assert!(Address::parse("s3:///key").is_err());
        assert!(Address::parse("s3://bucket/").unwrap().path().is_err());
    }

    #[test]
    fn names_with_odd_characters_stay_as_they_are() {
        let address = Address::of("s3://bucket/day=1/a b%20#c.csv").unwrap();
        assert_eq!(address.path().unwrap().as_ref(), "day=1/a b%20#c.csv");
        assert_eq!(Address::of("https://host/a%20b").unwrap().path().unwrap().as_ref(), "a b");
    }

    #[test]
    fn a_pattern_is_listed_from_its_last_whole_folder() {
        let address = |text: &str| Address::of(text).unwrap();
        assert_eq!(address("s3://b/x/y-*.csv").pattern(), Some(("x/", "y-*.csv")));
        assert_eq!(address("s3://b/*.csv").pattern(), Some(("", "*.csv")));
        assert_eq!(address("s3://b/day=*/a.csv").pattern(), Some(("", "day=*/a.csv")));
        assert_eq!(address("s3://b/a.csv").pattern(), None);
        assert_eq!(address("https://h/a.csv?b").pattern(), None);
    }

    #[test]
    fn secrets_are_not_displayed() {
        let address = Address::of("https://me:word@host/a.csv?sig=x").unwrap();
        assert_eq!(address.to_string(), "https://host/a.csv");
        assert_eq!(address.root(), "https://me:word@host?sig=x");
    }
}
