//! `keyring`: the operating system's keyring, by its own tools: `secret-tool` (libsecret's, for the Secret Service) and
//! `security` on macOS, written by its manual and not tried. The crate `keyring` would add 1.2 MB and 120 others. The
//! token goes in by stdin and out by stdout; where the keyring is locked, absent or silent, there is an error in time.

use std::rc::Rc;
use std::time::Duration;

use super::{Owner, Provider, text};
use crate::error::{Error, Fact, Kind, Result};
use crate::system::{
    Spinner,
    child::{Finished, Task, run},
    program,
};
use crate::types::Secret;

/// How long the keyring may take, in which a person may have to unlock it.
const KEYRING_TIMEOUT: Duration = Duration::from_secs(30);

/// The tool: <https://manpages.debian.org/stable/libsecret-tools/secret-tool.1.en.html>, security(1).
const TOOL: &str = if MACOS { "security" } else { "secret-tool" };

const MACOS: bool = cfg!(target_os = "macos");

/// What security(1) ends with where there is no such entry: the last byte of `errSecItemNotFound`.
const MACOS_NOT_FOUND: i32 = 44;

/// An entry of the keyring, which is bound to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    url: String,
    profile: String,
}

impl Provider for Entry {
    fn describe(&self) -> String {
        "keyring".into()
    }

    fn read(&self, hidden: &[Rc<str>]) -> Result<Secret> {
        self.kept(hidden)?.ok_or_else(|| {
            let profile = shell_words::quote(&self.profile);
            Error::new(Kind::NoCredential, "the keyring has no personal access token of this profile")
                .hint(format!("put one in: ls-token login --profile {profile} --store keyring"))
        })
    }

    /// Proves that the keyring takes an entry, by one that is removed at once: only that makes a locked one ask.
    fn can_save(&self, hidden: &[Rc<str>]) -> Result<()> {
        if self.kept(hidden)?.is_some() || MACOS {
            return Ok(());
        }
        let trial = ["service", "ls-token-trial"];
        let words = |verb: &[&str]| [&[TOOL], verb, &trial].concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
        self.call(&words(&["store", "--label=ls-token: a trial"]), hidden, Some(&Secret::new("trial".into())))?;
        self.call(&words(&["clear"]), hidden, None).map(|_| ())
    }

    /// Puts the token in, instead of one that is there, and reads it again to be sure.
    fn save(&self, pat: &Secret, hidden: &[Rc<str>]) -> Result<()> {
        let label = format!("--label=ls-token: {} ({})", self.url, self.profile);
        if MACOS {
            let words = [TOOL, "-i"].map(str::to_owned);
            self.call(&words, hidden, Some(&self.line_of_security(pat)))?;
        } else {
            self.call(&self.words(&["store", &label], &[]), hidden, Some(pat))?;
        }
        // `security` ends it with a line break.
        match self.kept(hidden)? {
            Some(kept) if kept.expose().trim_end() == pat.expose() => Ok(()),
            _ => Err(self.fault("the keyring does not return the token that was saved")),
        }
    }

    fn identity(&self) -> String {
        format!("keyring\0{}", self.profile)
    }

    fn time_limit(&self) -> Option<Duration> {
        Some(KEYRING_TIMEOUT)
    }

    fn location(&self) -> String {
        "the keyring".into()
    }

    fn kept(&self, hidden: &[Rc<str>]) -> Result<Option<Secret>> {
        let is_said = |text: &Secret| !text.expose().is_empty();
        let found = self.call(&self.words(&["lookup"], &["find-generic-password", "-w"]), hidden, None)?;
        let found = found.filter(is_said);
        if found.is_some() || MACOS {
            return Ok(found);
        }
        // A locked entry is a miss for `lookup`; `search` shows it without its secret.
        match self.call(&self.words(&["search"], &[]), hidden, None)?.filter(is_said) {
            Some(_) => Err(self.fault("the keyring is locked, and has the token")),
            None => Ok(None),
        }
    }

    fn forget(&self, hidden: &[Rc<str>]) -> Result<bool> {
        if self.kept(hidden)?.is_none() {
            return Ok(false);
        }
        self.call(&self.words(&["clear"], &["delete-generic-password"]), hidden, None)?;
        if self.kept(hidden)?.is_some() {
            return Err(self.fault("the keyring still has the token"));
        }
        Ok(true)
    }
}

impl Entry {
    pub(super) fn of(owner: Owner<'_>) -> Self {
        Self { url: owner.server.to_string(), profile: owner.profile.to_owned() }
    }

    /// Runs the tool and returns what it printed; `None` where it says that there is no such entry.
    fn call(&self, words: &[String], hidden: &[Rc<str>], input: Option<&Secret>) -> Result<Option<Secret>> {
        program::find(TOOL).map_err(|error| Error {
            kind: Kind::NoCredential,
            ..error.only_hint("install it (Debian's package is libsecret-tools), or keep the token elsewhere: ls-token login --store file")
        })?;
        let task = Task { words, hidden, input, timeout: KEYRING_TIMEOUT };
        let explain = |what: &str, error: Error| match error.kind {
            Kind::Interrupted(_) => error,
            _ => self.fault(what).because(error),
        };
        let finished = run(&task, &mut Spinner::begin("the keyring".into()));
        let finished = finished.map_err(|error| explain("the keyring does not answer", error))?;
        if is_miss(&finished) {
            return Ok(None);
        }
        let finished = finished.succeeded(&task);
        let mut finished = finished.map_err(|error| explain("the keyring could not be used", error))?;
        text(std::mem::take(&mut *finished.stdout)).map(Some)
    }

    fn fault(&self, what: &str) -> Error {
        Error::new(Kind::NoCredential, what)
            .with(Fact::KeyringEntry, format_args!("{} ({})", self.url, self.profile))
            .hint("unlock the keyring of this session; where there is none (ssh, containers), keep the token elsewhere: ls-token login --store file, or an op:// or cmd: source")
    }

    /// Returns the words of a call that is about this entry, by the verb of the system's tool.
    fn words(&self, secret_tool: &[&str], security: &[&str]) -> Vec<String> {
        let service = self.service();
        let (verb, entry): (_, &[&str]) = if MACOS {
            (security, &["-s", &service, "-a", &self.profile])
        } else {
            (secret_tool, &["service", "ls-token", "url", &self.url, "profile", &self.profile])
        };
        [&[TOOL], verb, entry].concat().into_iter().map(str::to_owned).collect()
    }

    fn service(&self) -> String {
        format!("ls-token {}", self.url)
    }

    /// Returns the line that makes `security -i` add the token, so that it is not in its arguments. One of more than 4096
    /// bytes is cut, which reading it again finds out.
    fn line_of_security(&self, pat: &Secret) -> Secret {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let (service, account, password) = (quoted(&self.service()), quoted(&self.profile), quoted(pat.expose()));
        Secret::new(format!("add-generic-password -U -s {service} -a {account} -w {password}\n"))
    }
}

/// Returns whether the tool says that there is no such entry: `secret-tool` by a status of 1 and no word.
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
        assert_eq!(
            entry.line_of_security(&Secret::new("x.y.z".into())).expose(),
            "add-generic-password -U -s \"ls-token https://h\" -a \"a \\\"b\\\\\" -w \"x.y.z\"\n"
        );
    }
}
