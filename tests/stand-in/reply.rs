//! What a server can be told to answer: in Label Studio's words, in others, or in no words at all.

use std::fmt::{self, Debug, Formatter, Write as _};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::label_studio::RELEASE;
use super::{lock, redacted};

/// An answer, of which the server adds the length.
#[derive(Clone)]
pub(crate) struct Answer {
    /// The HTTP status.
    status: u16,
    /// Names and values.
    headers: Vec<(String, String)>,
    /// The body.
    body: Vec<u8>,
}

impl Answer {
    /// An answer of a media type.
    pub(super) fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let answer = Self { status, headers: Vec::new(), body: body.into() };
        if media_type.is_empty() { answer } else { answer.with("Content-Type", media_type) }
    }

    /// A JSON answer.
    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    /// An error in Label Studio's envelope.
    pub(super) fn envelope(status: u16, detail: &str) -> Self {
        Self::json(status, &envelope(status, detail))
    }

    /// The same with another status.
    pub(super) fn under(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the answer as it goes over the wire.
    pub(super) fn to_bytes(&self, of_head: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, phrase(self.status));
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let session = format!("{:032x}", fastrand::u128(..));
        let _ = write!(head, "Set-Cookie: sessionid={session}; HttpOnly; Path=/; SameSite=Lax\r\n");
        let _ = write!(head, "Content-Length: {}\r\n\r\n", self.body.len());
        let mut bytes = head.into_bytes();
        if !of_head {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

impl Debug for Answer {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {}", redacted(value)));
        write!(out, "{} {:?} {:?}", self.status, headers.collect::<Vec<_>>(), redacted(&self.body))
    }
}

/// Bytes, which a message shows as text.
#[derive(Clone)]
pub(crate) struct Bytes(pub(super) Vec<u8>);

impl Debug for Bytes {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(&redacted(&self.0), out)
    }
}

/// What answers wait at until a test opens it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Lets through whoever waits, and whoever comes later.
    pub(crate) fn open(&self) {
        *lock(&self.0.0) = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open, but no longer than any test: a thread is not to stay for ever.
    pub(super) fn pass(&self) {
        let open = lock(&self.0.0);
        drop(self.0.1.wait_timeout_while(open, Duration::from_secs(120), |open| !*open));
    }
}

/// Returns Label Studio's envelope around an error.
pub(crate) fn envelope(status: u16, detail: &str) -> Value {
    let id = format!("{:08x}-0000-4000-8000-{:012x}", fastrand::u32(..), fastrand::u64(..) >> 16);
    json!({"id": id, "status_code": status, "version": RELEASE, "detail": detail, "exc_info": null})
}

/// Returns Label Studio's envelope around a complaint about a field of the request.
pub(crate) fn field_envelope(field: &str, text: &str) -> Value {
    let mut value = envelope(400, "Validation error");
    value["validation_errors"] = json!({field: [text]});
    value
}

/// The page that Label Studio answers with where it has no endpoint: 170 KB.
pub(crate) fn html_page() -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><title>Label Studio</title></head><body>{}</body></html>\n",
        "<p>Page not found</p>".repeat(8_900)
    )
}

/// Returns the reason phrase of a status.
fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

/// What a server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// What Label Studio would answer.
    Usual,
    /// This answer.
    Answer(Answer),
    /// These bytes; then the connection is closed.
    Raw(Bytes),
    /// These bytes; then the connection is reset.
    Reset(Bytes),
    /// Nothing, until the client goes away.
    Silence,
    /// These bytes, one at a time with a pause after each.
    Slowly(Bytes, Duration),
    /// A status line, then headers without end.
    EndlessHeaders,
    /// A head, then a body without end.
    EndlessBody,
    /// The other reply, that much later.
    After(Duration, Box<Reply>),
    /// The other reply, once the gate is open.
    When(Gate, Box<Reply>),
    /// The other reply, after doing what Label Studio would do.
    Lost(Box<Reply>),
    /// What Label Studio would answer, with another status.
    Under(u16),
}

impl Reply {
    /// Answers with JSON.
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::Answer(Answer::json(status, value))
    }

    /// Answers with Label Studio's envelope around an error.
    pub(crate) fn error(status: u16, detail: &str) -> Self {
        Self::Answer(Answer::envelope(status, detail))
    }

    /// Answers with a body of a media type; none is named where that is empty.
    pub(crate) fn body(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer(Answer::new(status, media_type, body))
    }

    /// Redirects.
    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::Answer(Answer::new(status, "text/html", "").with("Location", location))
    }

    /// Answers an exchange with whatever is given as the access token.
    pub(crate) fn access(token: &Value) -> Self {
        Self::json(200, &json!({"access": token}))
    }

    /// Adds a header to an answer.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answer(answer) => Self::Answer(answer.with(name, value)),
            other => panic!("{other:?} has no headers"),
        }
    }

    /// Answers with these bytes as they are, and closes the connection.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Raw(Bytes(bytes.into()))
    }

    /// Answers with these bytes as they are, and resets the connection.
    pub(crate) fn reset(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Reset(Bytes(bytes.into()))
    }

    /// Answers with these bytes one at a time, with a pause after each.
    pub(crate) fn slowly(bytes: impl Into<Vec<u8>>, pause: Duration) -> Self {
        Self::Slowly(Bytes(bytes.into()), pause)
    }

    /// The same reply, once the gate is open.
    pub(crate) fn when(self, gate: &Gate) -> Self {
        Self::When(gate.clone(), Box::new(self))
    }

    /// The same reply, later.
    pub(crate) fn after(self, pause: Duration) -> Self {
        Self::After(pause, Box::new(self))
    }
}
