//! What the words of the command line mean. clap parses them, but for the two calls that scripts make thousands of
//! times, no words at all and `curl` first: it would cost a cache hit half its instructions again.

mod line;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, Parser as _};

use crate::error::{Error, Kind};
use crate::settings::ProfileSelector;
use crate::system::Console;
use crate::token::TokenRequest;
use crate::types::{pat, untrusted};
pub(crate) use line::{Command, CommandLine, Format, Key, LoginOptions, LogoutOptions, Options, Shell, Store};

/// The command that `curl` starts beside curl. It is for this program alone, and unknown to clap.
pub(crate) const CURL_LOG: &str = "curl-log";

impl Options {
    pub(crate) fn selector(&self) -> ProfileSelector {
        ProfileSelector { profile: self.profile.clone(), url: self.url.clone() }
    }

    pub(crate) fn console(&self) -> Console {
        Console { verbose: self.verbose > 0 }
    }

    pub(crate) fn request(&self) -> TokenRequest {
        let Self { min_ttl, refresh, no_cache, .. } = *self;
        TokenRequest { min_ttl: min_ttl.map(Duration::from_secs), refresh, no_cache, nearly_whole: false }
    }
}

/// Returns the arguments behind the program's name. A link may have a name that stands for a command: for xargs and nohup,
/// which run programs and not functions, and for git, which looks for helpers by name.
pub(crate) fn arguments() -> Vec<OsString> {
    let mut all = std::env::args_os();
    let name = all.next().map(PathBuf::from).unwrap_or_default();
    let command = match name.file_name().and_then(OsStr::to_str) {
        Some("lscurl") => Some("curl"),
        Some("git-credential-ls-token") => Some("credential"),
        _ => None,
    };
    command.map(OsString::from).into_iter().chain(all).collect()
}

/// Reads the arguments behind the program's name. The error is clap's: usage, or the help that was asked for.
pub(crate) fn parse(mut arguments: Vec<OsString>) -> Result<CommandLine, clap::Error> {
    let Some(first) = arguments.first() else { return Ok(CommandLine::default()) };
    if first == "curl" {
        arguments.remove(0);
        return Ok(CommandLine { command: Some(Command::Curl { arguments }), ..CommandLine::default() });
    }
    if first == CURL_LOG {
        return Ok(CommandLine { command: Some(Command::CurlLog), ..CommandLine::default() });
    }
    let curls = curls_place(&arguments).map(|place| arguments.split_off(place));
    let mut line = CommandLine::try_parse_from(std::iter::once(OsString::from("ls-token")).chain(arguments))?;
    if let (Some(Command::Curl { arguments }), Some(curls)) = (&mut line.command, curls) {
        *arguments = curls;
    }
    Ok(line)
}

/// Other tools' names for what a command does here.
const OTHER_NAMES: [(&str, &str); 12] = [
    ("auth", "ls-token login"),
    ("config", "ls-token status"),
    ("get", "ls-token"),
    ("list", "ls-token status --all"),
    ("profiles", "ls-token status --all"),
    ("refresh", "ls-token --refresh"),
    ("revoke", "ls-token logout --revoke"),
    ("run", "ls-token exec -- COMMAND"),
    ("token", "ls-token"),
    ("use", "ls-token --profile NAME"),
    ("version", "ls-token --version"),
    ("whoami", "ls-token verify"),
];

/// Returns the error for a command that is none; `None` where clap complains of something else, or a token was typed.
pub(crate) fn unknown_command(answer: &clap::Error) -> Option<Error> {
    let ContextValue::String(name) = answer.get(ContextKind::InvalidSubcommand)? else { return None };
    if pat::contains_token(name) {
        return None;
    }
    let command = CommandLine::command();
    let commands: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    let error = Error::new(Kind::Usage, format!("there is no command {}", untrusted(name)));
    let error = match OTHER_NAMES.iter().find(|(other, _)| other == name) {
        Some((_, ours)) => error.hint(format!("run `{ours}`")),
        None => error,
    };
    Some(error.hint(format!("the commands are {}; `ls-token --help` says what they do", commands.join(", "))))
}

/// Returns the place behind the first `curl` that is no option's value: the rest is curl's, whatever it looks like.
fn curls_place(arguments: &[OsString]) -> Option<usize> {
    let command = CommandLine::command();
    let takes_value = |word: &OsString| {
        let long = word.to_str().and_then(|word| word.strip_prefix("--"));
        command.get_arguments().any(|option| option.get_action().takes_values() && option.get_long() == long)
    };
    let mut words = arguments.iter().zip(1..);
    while let Some((word, next)) = words.next() {
        if word == "curl" {
            return Some(next);
        }
        if takes_value(word) {
            words.next();
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            break;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<CommandLine, clap::Error> {
        parse(words.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn no_words_and_curl_first_mean_what_clap_says() {
        assert!(read("").is_ok_and(|line| line.command.is_none() && line.options == Options::default()));
        let by_clap = CommandLine::try_parse_from(["ls-token"]).unwrap();
        assert_eq!(by_clap.options, Options::default());
        let by_clap = CommandLine::try_parse_from(["ls-token", "curl"]).unwrap();
        assert!(matches!(by_clap.command, Some(Command::Curl { .. })) && by_clap.options == Options::default());
    }

    #[test]
    fn everything_behind_curl_is_curls() {
        let behind = "--help -- -v --refresh curl --profile";
        for before in ["curl", "-v curl", "--profile curl --refresh curl", "--url=h curl"] {
            let line = read(&format!("{before} {behind}")).unwrap();
            let Some(Command::Curl { arguments }) = line.command else { panic!("not a curl call") };
            assert!(arguments.iter().eq(behind.split(' ')), "{before:?}");
            assert_eq!(line.options.verbose > 0, before.contains("-v"));
            assert_eq!(line.options.refresh, before.contains("--refresh"));
        }
        assert!(read("-- curl").is_err() && read("status curl").is_err());
    }
}
