//! What Label Studio answers, in the words recorded of 1.21.0, and which tokens it takes.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value, json};

use super::reply::{Answer, Reply, field_envelope, html_page};
use super::tokens::{jwt, now, now_seconds, usual_claims};
use super::wire::Request;

/// The release that it says it is.
pub(super) const RELEASE: &str = "1.21.0";

/// The life of a personal access token, in seconds: 73,000 days.
const PAT_LIFE: i64 = 73_000 * 86_400;

/// The life of an access token, in seconds, where nothing else is said.
const LIFE: i64 = 300;

/// Changes the claims of the access tokens that are made.
pub(super) type ClaimsChange = Box<dyn Fn(&mut Map<String, Value>) + Send>;

/// What changes while a server runs.
pub(super) struct State {
    /// What it was asked, in order.
    pub(super) requests: Vec<Request>,
    /// What it does with the next requests of a path.
    pub(super) scripts: HashMap<String, VecDeque<Reply>>,
    /// What it does with a path when the script has come to its end.
    pub(super) always: HashMap<String, Reply>,
    /// The personal access tokens that are good.
    pub(super) pats: HashSet<String>,
    /// Those that were revoked or rotated away.
    pub(super) blacklist: HashSet<String>,
    /// The access tokens it gave out, and when each expires.
    pub(super) access: HashMap<String, f64>,
    /// The access tokens it gave out, in order.
    pub(super) issued: Vec<String>,
    /// The life of the next access tokens, in seconds.
    pub(super) life: i64,
    /// How far the server's clock is ahead of this machine's, in seconds.
    pub(super) clock_ahead: i64,
    /// What is to be changed about their claims.
    pub(super) change: Option<ClaimsChange>,
    /// The projects.
    pub(super) projects: Vec<Value>,
    /// Whether the organization allows personal access tokens.
    pub(super) pats_allowed: bool,
}

impl State {
    /// A Label Studio with nothing in it.
    pub(super) fn new() -> Self {
        Self {
            requests: Vec::new(),
            scripts: HashMap::new(),
            always: HashMap::new(),
            pats: HashSet::new(),
            blacklist: HashSet::new(),
            access: HashMap::new(),
            issued: Vec::new(),
            life: LIFE,
            clock_ahead: 0,
            change: None,
            projects: Vec::new(),
            pats_allowed: true,
        }
    }

    /// Makes an access token.
    pub(super) fn new_access_token(&mut self) -> String {
        let issued = now_seconds();
        let mut claims = usual_claims("access", issued + self.clock_ahead, self.life);
        if let (Some(change), Some(claims)) = (&self.change, claims.as_object_mut()) {
            change(claims);
        }
        let token = jwt(&claims);
        #[allow(clippy::cast_precision_loss, reason = "a time of this century fits")]
        self.access.insert(token.clone(), (issued + self.life) as f64);
        self.issued.push(token.clone());
        token
    }

    /// Returns whether the request carries an access token that is good. No leeway, and another header disturbs it.
    /// An organization that allows no personal access tokens still swaps and revokes them, as was seen of the real one.
    fn knows(&self, request: &Request, path: &str) -> bool {
        let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let good = bearer.and_then(|token| self.access.get(token)).is_some_and(|expiry| now() < *expiry);
        let of_tokens = path.contains("/rotate") || path.contains("/blacklist");
        good && (self.pats_allowed || of_tokens) && request.header("x-api-key").is_none()
    }

    /// Answers as Label Studio does.
    pub(super) fn usual(&mut self, request: &Request, path: &str) -> Answer {
        let body: Result<Value, _> = serde_json::from_slice(&request.body);
        match (request.method.as_str(), path.trim_end_matches('/')) {
            ("POST", "/api/token/refresh") => self.refresh(body),
            (_, "/api/token/refresh") => Answer::envelope(405, &format!("Method \"{}\" not allowed.", request.method)),
            ("GET" | "HEAD", "/health") => Answer::json(200, &json!({"status": "UP"})),
            ("GET" | "HEAD", "/api/version") => Answer::json(200, &json!({"release": RELEASE, "edition": "Community"})),
            (
                _,
                "/api/projects"
                | "/api/current-user/whoami"
                | "/api/token"
                | "/api/token/rotate"
                | "/api/token/blacklist",
            ) if !self.knows(request, path) => {
                let legacy = request.header("authorization").is_some_and(|value| value.starts_with("Token "));
                let detail = if legacy { "Invalid token." } else { "Authentication credentials were not provided." };
                Answer::envelope(401, detail).with("WWW-Authenticate", "Token")
            }
            ("GET" | "HEAD", "/api/projects") => {
                let list =
                    json!({"count": self.projects.len(), "next": null, "previous": null, "results": self.projects});
                Answer::json(200, &list)
            }
            ("POST", "/api/projects") => match body {
                Ok(Value::Object(mut project)) => {
                    project.insert("id".into(), json!(self.projects.len() + 1));
                    self.projects.push(Value::Object(project.clone()));
                    Answer::json(201, &Value::Object(project))
                }
                _ => Answer::envelope(400, "JSON parse error - Expecting value: line 1 column 1 (char 0)"),
            },
            ("GET" | "HEAD", "/api/current-user/whoami") => {
                Answer::json(200, &json!({"id": 1, "email": "someone@example.com", "active_organization": 1}))
            }
            ("GET", "/api/token") => {
                let cut = |pat: &String| json!({"token": pat.rsplit_once('.').map(|(rest, _)| rest)});
                Answer::json(200, &self.pats.difference(&self.blacklist).map(cut).collect())
            }
            ("POST", "/api/token") => {
                if self.pats.difference(&self.blacklist).next().is_some() {
                    return Answer::envelope(
                        409,
                        "You already have a valid token. Please revoke it before creating a new one.",
                    );
                }
                Answer::json(201, &json!({"token": self.add_pat()}))
            }
            ("POST", "/api/token/rotate") => {
                let old = body.ok().and_then(|body| Some(body.get("refresh")?.as_str()?.trim().to_owned()));
                match old.filter(|old| self.pats.contains(old) && !self.blacklist.contains(old)) {
                    Some(old) => {
                        self.blacklist.insert(old);
                        Answer::json(200, &json!({"refresh": self.add_pat()}))
                    }
                    None => Answer::json(400, &field_envelope("non_field_errors", "Invalid refresh token")),
                }
            }
            ("POST", "/api/token/blacklist") => {
                let pat = body.ok().and_then(|body| Some(body.get("refresh")?.as_str()?.trim().to_owned()));
                match pat.filter(|pat| self.pats.contains(pat) && !self.blacklist.contains(pat)) {
                    Some(pat) => {
                        self.blacklist.insert(pat);
                        Answer::new(204, "", "")
                    }
                    None => Answer::json(404, &json!({"detail": "Token is invalid or already blacklisted."})),
                }
            }
            _ => Answer::new(404, "text/html; charset=utf-8", html_page()),
        }
    }

    /// Answers an exchange.
    fn refresh(&mut self, body: serde_json::Result<Value>) -> Answer {
        let Ok(body) = body else {
            return Answer::envelope(400, "JSON parse error - Expecting value: line 1 column 1 (char 0)");
        };
        let Some(token) = body.get("refresh").and_then(Value::as_str).map(str::trim) else {
            return Answer::json(400, &field_envelope("refresh", "This field is required."));
        };
        if token.is_empty() {
            Answer::json(400, &field_envelope("refresh", "This field may not be blank."))
        } else if self.access.contains_key(token) {
            Answer::envelope(401, "Token has wrong type")
        } else if self.blacklist.contains(token) {
            Answer::envelope(401, "Token is blacklisted")
        } else if self.pats.contains(token) {
            Answer::json(200, &json!({"access": self.new_access_token()}))
        } else {
            Answer::envelope(401, "Token is invalid")
        }
    }

    /// Makes another personal access token.
    pub(super) fn add_pat(&mut self) -> String {
        let pat = jwt(&usual_claims("refresh", now_seconds(), PAT_LIFE));
        self.pats.insert(pat.clone());
        pat
    }
}
