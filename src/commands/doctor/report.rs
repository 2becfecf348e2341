//! The list of checks, as lines that line up or as a JSON object.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, stdout};
use std::path::Path;

use serde_json::json;

use crate::error::{Error, Fact, Kind, Result};
use crate::system::{ShellVars, check_signals, stdout};
use crate::types::stream;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Ok,
    /// It works, but something should be looked at.
    Warn,
    /// It does not work.
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

#[derive(Debug)]
pub(super) struct Check {
    /// What was looked at: one word.
    name: &'static str,
    mark: Mark,
    text: String,
    hint: String,
}

impl Check {
    pub(super) fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, mark: Mark::Ok, text: text.into(), hint: String::new() }
    }

    pub(super) fn warn(name: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { mark: Mark::Warn, hint: hint.into(), ..Self::ok(name, text) }
    }

    /// Something does not work.
    pub(super) fn fail(name: &'static str, error: &Error) -> Self {
        let mut text = error.message();
        for (fact, value) in error.facts.iter().filter(|(fact, _)| *fact != Fact::Profile) {
            let _ = write!(text, " ({}: {value})", fact.label());
        }
        Self { mark: Mark::Fail(error.kind), hint: error.hints.join("; "), ..Self::ok(name, text) }
    }

    /// It was not looked at; `why` is what is needed for it.
    pub(super) fn skipped(name: &'static str, why: &str) -> Self {
        Self { mark: Mark::Skipped, ..Self::ok(name, why) }
    }
}

pub(super) struct Report {
    /// The checks, in order.
    checks: Vec<Check>,
    /// Whether a JSON object is wanted instead of lines.
    as_json: bool,
    in_colour: bool,
    /// The home directory, which is shown as `~`.
    home: Option<String>,
}

impl Report {
    pub(super) fn begin(as_json: bool, vars: &ShellVars, home: Option<&Path>) -> Self {
        let home = home.map(|home| home.display().to_string());
        Self {
            checks: Vec::new(),
            as_json,
            in_colour: !vars.no_color && stdout().is_terminal(),
            home: home.filter(|home| home.len() > 1),
        }
    }

    /// Adds a check, and prints its line at once: some take a while. Fails when a signal came in.
    pub(super) fn add(&mut self, mut check: Check) -> Result<()> {
        check.text = self.safe(&check.text);
        check.hint = self.safe(&check.hint);
        if !self.as_json {
            stdout::print(&self.line(&check))?;
        }
        self.checks.push(check);
        check_signals()
    }

    /// Prints what is left to print, and fails with the first failure.
    pub(super) fn finish(self) -> Result<()> {
        let failed = |check: &&Check| matches!(check.mark, Mark::Fail(_));
        let count = self.checks.iter().filter(failed).count();
        let first = self.checks.iter().find(failed);
        let kind = first.and_then(|check| match check.mark {
            Mark::Fail(kind) => Some(kind),
            _ => None,
        });
        if self.as_json {
            let checks: Vec<_> = self
                .checks
                .iter()
                .map(|check| {
                    let mark = check.mark.shown().0.to_ascii_lowercase();
                    json!({"name": check.name, "mark": mark, "text": check.text, "hint": check.hint})
                })
                .collect();
            let status = kind.map_or(0, Kind::status);
            stdout::print(&format!(
                "{}\n",
                json!({"version": env!("CARGO_PKG_VERSION"), "status": status, "checks": checks})
            ))?;
        }
        match (kind, first) {
            (Some(kind), Some(first)) => {
                let what = match count {
                    1 => format!("1 check failed: {}", first.name),
                    _ => format!("{count} checks failed, the first: {}", first.name),
                };
                Err(Error::new(kind, what).hint("the lines marked FAIL say what to do"))
            }
            _ => Ok(()),
        }
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

    /// Returns the line of a check, and one below it for what to do.
    fn line(&self, check: &Check) -> String {
        let (word, colour) = check.mark.shown();
        let padded = format!("{word:<7}");
        let mark = if self.in_colour { format!("\x1b[{colour}m{padded}\x1b[0m") } else { padded };
        let mut line = format!("{mark}  {:<11}  {}\n", check.name, check.text);
        if !check.hint.is_empty() {
            line.push_str(&" ".repeat(22));
            line.push_str("do: ");
            line.push_str(&check.hint);
            line.push('\n');
        }
        line
    }
}
