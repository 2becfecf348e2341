//! The operating system's keyring, by the system's own tools: `secret-tool` (libsecret's, for the Secret Service), and
//! `security` on macOS, which is written by its manual and not tried. The crate `keyring` would add 1.2 MB and 120 others.
//! The token goes in by stdin and comes out by stdout; where the keyring is locked, absent or silent, there is an error in
//! time.

use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::system::child::{Finished, Task, run};
use crate::system::program;
use crate::system::spinner::Waiting;
use crate::types::secret::Secret;

/// How long the keyring may take, in which a person may have to unlock it.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The tool: <https://manpages.debian.org/stable/libsecret-tools/secret-tool.1.en.html>, security(1).
const TOOL: &str = if MACOS { "security" } else { "secret-tool" };

/// Whether this is built for macOS.
const MACOS: bool = cfg!(target_os = "macos");

/// What security(1) ends with where there is no such entry: the last byte of `errSecItemNotFound`.
const MACOS_NOT_FOUND: i32 = 44;

/// The longest line that `security -i` is given, in bytes: it reads up to 4096.
const MACOS_LINE: usize = 4000;

/// A place in the keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The server's URL.
    pub(crate) url: String,
    /// The profile's name.
    pub(crate) profile: String,
}

impl Entry {
    /// Returns the token, where there is one.
    pub(crate) fn read(&self, hidden: &[String]) -> Result<Option<Secret>> {
        let words =
            if MACOS { self.of_security(&["find-generic-password", "-w"]) } else { self.of_secret_tool(&["lookup"]) };
        let finished = self.call(&words, hidden, None)?;
        if is_miss(&finished) {
            return Ok(None);
        }
        let mut finished = self.judge(finished, &words)?;
        let text = String::from_utf8(std::mem::take(&mut *finished.stdout));
        let text = text.map_err(|_| self.fault("the keyring gave something that is not text"))?;
        Ok(Some(Secret::new(text)).filter(|text| !text.expose().is_empty()))
    }

    /// Puts the token in, in place of one that is there, and reads it again to be sure.
    pub(crate) fn save(&self, pat: &Secret, hidden: &[String]) -> Result<()> {
        let (words, input) = if MACOS {
            let line = self.line_of_security(pat)?;
            (["security", "-i"].map(str::to_owned).to_vec(), line)
        } else {
            let label = format!("--label=ls-token: {} ({})", self.url, self.profile);
            (self.of_secret_tool(&["store", &label]), pat.clone())
        };
        let finished = self.call(&words, hidden, Some(&input))?;
        self.judge(finished, &words)?;
        // `security` ends it with a line break.
        let kept = self.read(hidden)?;
        if kept.is_some_and(|kept| kept.expose().trim_end() == pat.expose()) {
            return Ok(());
        }
        Err(self.fault("the keyring does not give back the token that was put into it"))
    }

    /// Takes the token out. Returns whether there was one.
    pub(crate) fn clear(&self, hidden: &[String]) -> Result<bool> {
        if self.read(hidden)?.is_none() {
            return Ok(false);
        }
        let words =
            if MACOS { self.of_security(&["delete-generic-password"]) } else { self.of_secret_tool(&["clear"]) };
        let finished = self.call(&words, hidden, None)?;
        self.judge(finished, &words)?;
        if self.read(hidden)?.is_some() {
            return Err(self.fault("the keyring still has the token"));
        }
        Ok(true)
    }

    /// Proves that the keyring answers, without changing anything. One that is locked asks to be unlocked.
    pub(crate) fn can_save(&self, hidden: &[String]) -> Result<()> {
        self.read(hidden).map(|_| ())
    }

    /// Makes the error for a token that is not there.
    pub(crate) fn missing(&self) -> Error {
        let profile = shell_words::quote(&self.profile);
        let hint = format!("put one in: ls-token login --profile {profile} --store keyring");
        Error::new(Kind::Denied, "the keyring has no personal access token of this profile").hint(hint)
    }

    /// Runs the tool.
    fn call(&self, words: &[String], hidden: &[String], input: Option<&Secret>) -> Result<Finished> {
        program::find(TOOL).map_err(|error| Error {
            kind: Kind::Denied,
            ..error.hint("install it (Debian's package is libsecret-tools), or keep the token elsewhere: ls-token login --store file")
        })?;
        let task = Task { words, hidden, input, limit: LIMIT };
        run(&task, &mut Waiting::begin("the keyring".into())).map_err(|error| match error.kind {
            Kind::Interrupted(_) => error,
            _ => self.fault(&format!("the keyring does not answer: {}", error.what)),
        })
    }

    /// Returns what the tool came to, unless it failed.
    fn judge(&self, finished: Finished, words: &[String]) -> Result<Finished> {
        let task = Task { words, hidden: &[], input: None, limit: LIMIT };
        finished.succeeded(&task).map_err(|error| self.fault(&format!("the keyring refused: {}", error.what)))
    }

    /// Makes the error for a keyring in trouble.
    fn fault(&self, what: &str) -> Error {
        Error::new(Kind::Denied, what).with("keyring entry", format_args!("{} ({})", self.url, self.profile)).hint(
            "is there a keyring in this session, and is it unlocked? Without one (ssh, containers): ls-token login --store file, or an op:// or cmd: source",
        )
    }

    /// Returns the words of a call of `secret-tool`.
    fn of_secret_tool(&self, verb: &[&str]) -> Vec<String> {
        let entry = ["service", "ls-token", "url", &self.url, "profile", &self.profile];
        let words = std::iter::once("secret-tool").chain(verb.iter().copied()).chain(entry);
        words.map(str::to_owned).collect()
    }

    /// Returns the words of a call of `security` that takes no secret.
    fn of_security(&self, verb: &[&str]) -> Vec<String> {
        let service = self.service();
        let entry = ["-s", &service, "-a", &self.profile];
        let words = std::iter::once("security").chain(verb.iter().copied()).chain(entry);
        words.map(str::to_owned).collect()
    }

    /// Returns the name that macOS has the entry under.
    fn service(&self) -> String {
        format!("ls-token {}", self.url)
    }

    /// Returns the line that makes `security -i` add the token, so that it is not in its arguments.
    fn line_of_security(&self, pat: &Secret) -> Result<Secret> {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let line = Secret::new(format!(
            "add-generic-password -U -s {} -a {} -w {}\n",
            quoted(&self.service()),
            quoted(&self.profile),
            quoted(pat.expose())
        ));
        if line.expose().len() > MACOS_LINE {
            return Err(self.fault("the personal access token is too long for `security`"));
        }
        Ok(line)
    }
}

/// Tells whether the tool says that there is no such entry: `secret-tool` by a status of 1 and no word.
fn is_miss(finished: &Finished) -> bool {
    match finished.status.code() {
        Some(MACOS_NOT_FOUND) => MACOS,
        Some(1) => !MACOS && finished.complaint.is_empty() && finished.stdout.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macos_gets_the_token_on_a_line_in_quotes() {
        let entry = Entry { url: "https://h".into(), profile: r#"a "b\"#.into() };
        let line = entry.line_of_security(&Secret::new("x.y.z".into())).unwrap();
        assert_eq!(
            line.expose(),
            "add-generic-password -U -s \"ls-token https://h\" -a \"a \\\"b\\\\\" -w \"x.y.z\"\n"
        );
        assert!(entry.line_of_security(&Secret::new("x".repeat(4096))).is_err());
    }
}
