//! The list of checks, as lines that line up or as a JSON object.

use std::path::Path;

use serde_json::{Value, json};

use crate::commands::painted;
use crate::error::{Error, Fact, Kind, Result};
use crate::system::{check_signals, stdout};
use crate::types::stream;

pub(super) struct Finding {
    /// The word for it, and the colour that a terminal shows that in (ECMA-48, SGR).
    mark: (&'static str, &'static str),
    failure: Option<Kind>,
    text: String,
    hint: String,
}

impl Finding {
    pub(super) fn ok(text: impl Into<String>) -> Self {
        Self { mark: ("ok", "32"), failure: None, text: text.into(), hint: String::new() }
    }

    /// It works, but something should be looked at.
    pub(super) fn warn(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { mark: ("warn", "33"), hint: hint.into(), ..Self::ok(text) }
    }

    /// It could not be looked at, because of another failure.
    pub(super) fn skipped(lack: &str) -> Self {
        Self { mark: ("skipped", "2"), ..Self::ok(format!("needs {lack}")) }
    }

    fn fail(error: &Error) -> Self {
        let facts = error.facts.iter().filter(|(fact, _)| *fact != Fact::Profile);
        let shown = facts.map(|(fact, value)| format!(" ({}: {value})", fact.label()));
        let text = shown.fold(error.message(), |text, fact| text + &fact);
        let hint = error.hints.join("; ");
        Self { mark: ("FAIL", "1;31"), failure: Some(error.kind), hint, ..Self::ok(text) }
    }
}

pub(super) struct Report {
    checks: Vec<(&'static str, Finding)>,
    /// What the last check that failed did not give to those after it.
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

    /// Adds a check, and prints its line at once; `None` lacks what an earlier one did not give. Fails upon a signal.
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
        let (given, found) = match done.transpose() {
            Ok(done) => done.unzip(),
            Err(error) if matches!(error.kind, Kind::Interrupted(_)) => return Err(error),
            Err(error) => {
                self.lack = product;
                (None, Some(Finding::fail(&error)))
            }
        };
        self.add(name, found)?;
        Ok(given)
    }

    /// Prints what is left to print, and fails with the first failure.
    pub(super) fn finish(self) -> Result<()> {
        let failed: Vec<_> = self.checks.iter().filter_map(|(name, found)| Some((name, found.failure?))).collect();
        if self.as_json {
            let status = failed.first().map_or(0, |(_, kind)| kind.status());
            let to_json = |(name, found): &(&str, Finding)| {
                let mark = found.mark.0.to_ascii_lowercase();
                json!({"name": name, "mark": mark, "text": found.text, "hint": found.hint})
            };
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

fn line(name: &str, found: &Finding) -> String {
    let (word, colour) = found.mark;
    let hint = if found.hint.is_empty() { String::new() } else { format!("{:22}do: {}\n", "", found.hint) };
    format!("{}  {name:<11}  {}\n{hint}", painted(format_args!("{word:<7}"), colour), found.text)
}
