//! The names under which a server may be asked. A web page can have a browser ask this machine under a name of the page's
//! own (DNS rebinding) and read the answers; its name stands in the header `Host`.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, StatusCode, Uri, header};

use crate::refusal::Refusal;

/// The names that are answered.
#[derive(Debug)]
pub(crate) struct Hosts {
    /// Names in lower case, beside those of this machine; `None` if every name is answered.
    names: Option<Vec<String>>,
    /// Whether other machines are served, which may ask for this one by its address. No page's name is an address.
    is_open: bool,
}

impl Hosts {
    /// Of a server that listens on `address`, which was given as `host`. Every name is answered if other machines are served
    /// and no name is given.
    pub(crate) fn of(address: SocketAddr, host: &str, allowed: Vec<String>) -> Hosts {
        let is_open = !address.ip().is_loopback();
        if is_open && allowed.is_empty() {
            return Hosts { names: None, is_open };
        }
        let names = allowed.iter().map(String::as_str).chain([host]).map(|name| bare(name).to_ascii_lowercase());
        Hosts { names: Some(names.collect()), is_open }
    }

    /// Refuses a request for another name. One without a name is no browser's.
    pub(crate) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
        let Some(names) = &self.names else { return Ok(()) };
        let given = headers.get_all(header::HOST).iter().map(|value| value.to_str().unwrap_or("?"));
        let given = given.chain(uri.authority().map(|authority| authority.as_str()));
        for text in given {
            let name = bare(text).to_ascii_lowercase();
            let is_here = name == "localhost"
                || name.ends_with(".localhost")
                || name.parse::<IpAddr>().is_ok_and(|ip| self.is_open || ip.to_canonical().is_loopback());
            if !is_here && !names.contains(&name) {
                let message = format!(
                    "Host: expected localhost or a name that the server was told to allow, got `{text}`; if this is a \
                     name of the server, such as that of a proxy, start it with this name allowed"
                );
                return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, message));
            }
        }
        Ok(())
    }
}

/// A name or an address without port, brackets and the dot at its end.
fn bare(text: &str) -> &str {
    let text = text.trim();
    if let Some((address, _)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return address;
    }
    let name = match text.split_once(':') {
        // More colons are of an address without brackets.
        Some((name, port)) if !port.contains(':') => name,
        _ => text,
    };
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &Hosts, host: &str, is_answered: bool) {
        let headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        assert_eq!(hosts.check(&headers, &Uri::from_static("/v2")).is_ok(), is_answered, "{host}");
    }

    #[test]
    fn only_names_of_this_machine_and_those_allowed_are_answered() {
        let loopback: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        let hosts = Hosts::of(loopback, "127.0.0.1", vec!["Models.example.org".to_owned()]);
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.0.0.2", "[::1]:8080", "a.localhost."] {
            check(&hosts, host, true);
        }
        for host in ["models.example.org", "models.example.org:443"] {
            check(&hosts, host, true);
        }
        for host in ["evil.example", "example.org", "127.0.0.1.evil.example:8080", "10.0.0.1", "localhost.evil", ""] {
            check(&hosts, host, false);
        }
        assert!(hosts.check(&HeaderMap::new(), &Uri::from_static("/v2")).is_ok());
        let absolute = Uri::from_static("http://evil.example/v2");
        let refusal = hosts.check(&HeaderMap::new(), &absolute).unwrap_err();
        assert!(refusal.status == StatusCode::MISDIRECTED_REQUEST && refusal.message.contains("`evil.example`"));
    }

    #[test]
    fn where_other_machines_are_served_every_name_is_unless_some_are_given() {
        let open: SocketAddr = "0.0.0.0:80".parse().unwrap();
        check(&Hosts::of(open, "0.0.0.0", Vec::new()), "any.example", true);
        let some = Hosts::of(open, "0.0.0.0", vec!["a.example:80".to_owned()]);
        check(&some, "a.example", true);
        check(&some, "10.0.0.1:80", true);
        check(&some, "b.example", false);
    }
}
