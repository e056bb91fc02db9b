//! A request that is not answered as asked: its status, and why.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use narrows_core::{Error, ErrorKind};
use serde_json::json;

/// Seconds after which a client may try again what was refused for lack of room.
const RETRY_AFTER: u64 = 1;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// Whether the same request may succeed later.
    is_passing: bool,
}

impl Refusal {
    /// A refusal with this status; the message says what was expected and what was got.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Refusal {
        Refusal { status, message: message.into(), is_passing: false }
    }

    /// The caller's mistake.
    pub(crate) fn bad(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, message)
    }

    /// Something that is not there.
    pub(crate) fn unknown(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, message)
    }

    /// More than the limits allow.
    pub(crate) fn too_large(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// An error for more rows than the limit.
    pub(crate) fn check_rows(rows: usize, max_rows: usize) -> Result<(), Refusal> {
        if rows <= max_rows {
            return Ok(());
        }
        let message = format!("expected at most {max_rows} rows in a request, got more; send them in several requests");
        Err(Refusal::too_large(message))
    }

    /// No room or no time at present.
    pub(crate) fn busy(message: impl Into<String>) -> Refusal {
        Refusal { status: StatusCode::SERVICE_UNAVAILABLE, message: message.into(), is_passing: true }
    }

    /// Of work that nobody waits for any more, so nobody reads this.
    pub(crate) fn given_up() -> Refusal {
        Refusal::busy("the request was given up: its client has gone, or its time is over")
    }

    /// Our own mistake; what is known of it stands in the log alone.
    pub(crate) fn failed() -> Refusal {
        let message = "the server failed to compute an answer; this is a mistake of the server, see its log";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        let status = match error.kind() {
            ErrorKind::Usage | ErrorKind::Data => StatusCode::BAD_REQUEST,
            ErrorKind::ModelFile | ErrorKind::Failure | ErrorKind::Interrupted => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let hint = error.hint_text().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
        Refusal::new(status, format!("{error}{hint}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": self.message}).to_string();
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], body).into_response();
        if self.is_passing {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_an_error_decides_the_status() {
        let error = Error::mismatch("expected the column `a`").with_hint("name it");
        let refusal = Refusal::from(error);
        assert_eq!(refusal, Refusal::bad("expected the column `a` (hint: name it)"));
        assert_eq!(Refusal::from(Error::Interrupted).status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(Refusal::busy("full").into_response().headers().contains_key(header::RETRY_AFTER));
    }
}
