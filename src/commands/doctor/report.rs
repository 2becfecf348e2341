//! The list of checks, as lines that line up or as a JSON object.

use std::path::Path;

use serde_json::{Value, json};

use crate::commands::painted;
use crate::error::{Error, Fact, Kind, Result};
use crate::system::{check_signals, stdout};
use crate::types::stream;

#[derive(Clone, Copy)]
enum Mark {
    Ok,
    /// It works, but something should be looked at.
    Warn,
    Fail(Kind),
    /// It could not be looked at, because of another failure.
    Skipped,
}

impl Mark {
    /// Returns the word, and the colour that a terminal shows it in (ECMA-48, SGR).
    fn shown(self) -> (&'static str, &'static str) {
        match self {
            Self::Ok => ("ok", "32"),
            Self::Warn => ("warn", "33"),
            Self::Fail(_) => ("FAIL", "1;31"),
            Self::Skipped => ("skipped", "2"),
        }
    }
}

/// What a check has found out, and what to do about it.
pub(super) struct Finding {
    mark: Mark,
    text: String,
    hint: String,
}

impl Finding {
    pub(super) fn ok(text: impl Into<String>) -> Self {
        Self { mark: Mark::Ok, text: text.into(), hint: String::new() }
    }

    pub(super) fn warn(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { mark: Mark::Warn, text: text.into(), hint: hint.into() }
    }

    pub(super) fn skipped(lack: &str) -> Self {
        Self { mark: Mark::Skipped, ..Self::ok(format!("needs {lack}")) }
    }

    fn fail(error: &Error) -> Self {
        let facts = error.facts.iter().filter(|(fact, _)| *fact != Fact::Profile);
        let shown = facts.map(|(fact, value)| format!(" ({}: {value})", fact.label()));
        let text = shown.fold(error.message(), |text, fact| text + &fact);
        Self { mark: Mark::Fail(error.kind), text, hint: error.hints.join("; ") }
    }
}

pub(super) struct Report {
    checks: Vec<(&'static str, Finding)>,
    /// What the check that failed last would have given to those after it.
    lack: &'static str,
    as_json: bool,
    /// The home directory, which is shown as `~`.
    home: Option<String>,
}

impl Report {
    pub(super) fn begin(as_json: bool, home: Option<&Path>) -> Self {
        let home = home.map(|home| home.display().to_string()).filter(|home| home.len() > 1);
        Self { checks: Vec::new(), lack: "", as_json, home }
    }

    /// Adds a check that could be made, or that was skipped for what another did not give. Its line is printed at once, as
    /// some take a while. Fails when a signal came in.
    pub(super) fn add(&mut self, name: &'static str, found: impl Into<Option<Finding>>) -> Result<()> {
        let mut found = found.into().unwrap_or_else(|| Finding::skipped(self.lack));
        found.text = self.safe(&found.text);
        found.hint = self.safe(&found.hint);
        if !self.as_json {
            stdout::print(&line(name, &found))?;
        }
        self.checks.push((name, found));
        check_signals()
    }

    /// Adds a check that gives something to those after it, and returns that. An interruption ends the report.
    pub(super) fn check<T>(
        &mut self,
        name: &'static str,
        product: &'static str,
        done: Option<Result<(T, Finding)>>,
    ) -> Result<Option<T>> {
        let (given, found) = match done {
            None => (None, None),
            Some(Ok((given, found))) => (Some(given), Some(found)),
            Some(Err(error)) if matches!(error.kind, Kind::Interrupted(_)) => return Err(error),
            Some(Err(error)) => {
                self.lack = product;
                (None, Some(Finding::fail(&error)))
            }
        };
        self.add(name, found)?;
        Ok(given)
    }

    /// Prints what is left to print, and fails with the first failure.
    pub(super) fn finish(self) -> Result<()> {
        let failed = self.checks.iter().filter_map(|(name, found)| match found.mark {
            Mark::Fail(kind) => Some((name, kind)),
            _ => None,
        });
        let failed: Vec<_> = failed.collect();
        if self.as_json {
            let status = failed.first().map_or(0, |(_, kind)| kind.status());
            let checks: Value = self.checks.iter().map(to_json).collect();
            let object = json!({"version": env!("CARGO_PKG_VERSION"), "status": status, "checks": checks});
            stdout::print(&format!("{object}\n"))?;
        }
        let (kind, what) = match failed.as_slice() {
            [] => return Ok(()),
            [(name, kind)] => (*kind, format!("1 check failed: {name}")),
            [(name, kind), ..] => (*kind, format!("{} checks failed, the first: {name}", failed.len())),
        };
        Err(Error::new(kind, what).hint("the lines marked FAIL say what to do"))
    }

    /// Returns a text that can be shown to anybody.
    fn safe(&self, text: &str) -> String {
        let text = match &self.home {
            // Within quotes a shell would not know `~`.
            Some(home) => text.replace(&format!("'{home}/"), "~/'").replace(home.as_str(), "~"),
            None => text.to_owned(),
        };
        stream(&text).replace(['\n', '\t'], " ")
    }
}

fn to_json((name, found): &(&str, Finding)) -> Value {
    let mark = found.mark.shown().0.to_ascii_lowercase();
    json!({"name": name, "mark": mark, "text": found.text, "hint": found.hint})
}

/// Returns the line of a check, and one below it for what to do.
fn line(name: &str, found: &Finding) -> String {
    let (word, colour) = found.mark.shown();
    let hint = if found.hint.is_empty() { String::new() } else { format!("{:22}do: {}\n", "", found.hint) };
    format!("{}  {name:<11}  {}\n{hint}", painted(format_args!("{word:<7}"), colour), found.text)
}
