//! The command line. clap says what it means, and explains it; the plain calls that scripts make thousands of times are
//! recognised without clap, which would cost a cache hit half its instructions again.

mod line;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser as _, ValueEnum as _};

use crate::settings::Choice;
use crate::system::stderr::Console;
use crate::token::Wish;
use line::{Command, CommandLine, LONGEST_TTL};
pub(crate) use line::{Format, LoginOptions, LogoutOptions, Options, Shell, Store};

/// The options that take a value.
const VALUED: [&str; 4] = ["--profile", "--url", "--format", "--min-ttl"];

/// What a command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Call {
    /// Print a token.
    Token(Options),
    /// Become curl.
    Curl(Options, Vec<OsString>),
    /// Run a command with the personal access token.
    Exec(Options, Vec<OsString>),
    /// Speak the git credential protocol.
    Credential(Options, String),
    /// Save a profile.
    Login(Options, LoginOptions),
    /// Forget a profile.
    Logout(Options, LogoutOptions),
    /// Tell what is cached: as JSON, and of all profiles.
    Status(Options, bool, bool),
    /// Ask the server about the token: as JSON.
    Verify(Options, bool),
    /// Swap the personal access token, and save the new one as that file, where one is named.
    Rotate(Options, Option<PathBuf>),
    /// Look for what is wrong: as JSON.
    Doctor(Options, bool),
    /// Print a shell's plugin.
    Init(Shell),
    /// Print a shell's completions.
    Completions(Shell),
    /// Print the names of the profiles.
    ProfileNames,
    /// Print the manual page.
    Man,
}

impl Options {
    /// Returns what is said of the choice of a profile.
    pub(crate) fn choice(&self) -> Choice {
        Choice { profile: self.profile.clone(), url: self.url.clone() }
    }

    /// Returns how much to tell.
    pub(crate) fn console(&self) -> Console {
        Console { verbose: self.verbose }
    }

    /// Returns what is said of the token.
    pub(crate) fn wish(&self) -> Wish {
        Wish { min_ttl: self.min_ttl.map(Duration::from_secs), refresh: self.refresh, no_cache: self.no_cache }
    }
}

/// Returns the arguments behind the program's name. A link to the program may have the name of one of its commands: for
/// xargs and nohup, which run programs and not functions, and for git, which looks for helpers by name.
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

/// Reads the arguments after the program's name. The error is clap's: usage, or the help that was asked for.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Call, clap::Error> {
    if let Some(call) = plain(arguments) {
        return Ok(call);
    }
    let (ours, curls) = split_at_curl(arguments);
    let with_name = std::iter::once(OsString::from("ls-token")).chain(ours.iter().cloned());
    let line = CommandLine::try_parse_from(with_name)?;
    Ok(match line.command {
        None => Call::Token(line.options),
        Some(Command::Curl { .. }) => Call::Curl(line.options, curls.to_vec()),
        Some(Command::Exec { command }) => Call::Exec(line.options, command),
        Some(Command::Credential { operation }) => Call::Credential(line.options, operation),
        Some(Command::Login(login)) => Call::Login(line.options, login),
        Some(Command::Logout(logout)) => Call::Logout(line.options, logout),
        Some(Command::Status { json, all }) => Call::Status(line.options, json, all),
        Some(Command::Verify { json }) => Call::Verify(line.options, json),
        Some(Command::Rotate { output }) => Call::Rotate(line.options, output),
        Some(Command::Doctor { json }) => Call::Doctor(line.options, json),
        Some(Command::Init { shell }) => Call::Init(shell),
        Some(Command::Completions { shell, .. }) => shell.map_or(Call::ProfileNames, Call::Completions),
        Some(Command::Man) => Call::Man,
    })
}

/// Splits the arguments behind the first `curl` that is no option's value: the rest is curl's, whatever it looks like.
fn split_at_curl(arguments: &[OsString]) -> (&[OsString], &[OsString]) {
    let takes_value = |word: &OsString| VALUED.iter().any(|name| word == name);
    let mut place = 0;
    while let Some(word) = arguments.get(place) {
        if word == "curl" {
            return arguments.split_at(place + 1);
        }
        if !word.to_string_lossy().starts_with('-') {
            break;
        }
        place += if takes_value(word) { 2 } else { 1 };
    }
    (arguments, &[])
}

/// Recognises a call that has nothing but well-formed options, and `curl` with whatever follows it; `None` leaves the
/// call to clap. A test holds the two against each other.
fn plain(arguments: &[OsString]) -> Option<Call> {
    let mut options = Options::default();
    let mut format = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let argument = argument.to_str()?;
        if argument == "curl" {
            options.format = format.unwrap_or_default();
            return Some(Call::Curl(options, rest.cloned().collect()));
        }
        let (name, joined) = argument.split_once('=').map_or((argument, None), |(name, value)| (name, Some(value)));
        let flag = match name {
            "--refresh" => Some(&mut options.refresh),
            "--no-cache" => Some(&mut options.no_cache),
            "-v" | "--verbose" => Some(&mut options.verbose),
            _ => None,
        };
        if let Some(flag) = flag {
            if joined.is_some() || std::mem::replace(flag, true) {
                return None;
            }
            continue;
        }
        if !VALUED.contains(&name) {
            return None;
        }
        let value =
            joined.or_else(|| rest.next()?.to_str()).filter(|value| !value.is_empty() && !value.starts_with('-'))?;
        let again = match name {
            "--profile" => options.profile.replace(value.to_owned()).is_some(),
            "--url" => options.url.replace(value.to_owned()).is_some(),
            "--format" => format.replace(Format::from_str(value, false).ok()?).is_some(),
            _ => options.min_ttl.replace(seconds(value)?).is_some(),
        };
        if again {
            return None;
        }
    }
    options.format = format.unwrap_or_default();
    Some(Call::Token(options))
}

/// Reads the value of `--min-ttl`.
fn seconds(text: &str) -> Option<u64> {
    text.parse().ok().filter(|seconds| *seconds <= LONGEST_TTL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_calls_mean_what_clap_says() {
        let words = [
            "-v",
            "--verbose",
            "--refresh",
            "--no-cache",
            "--profile",
            "--profile=a",
            "--url=https://h",
            "--format",
            "json",
            "--format=header",
            "--format=HEADER",
            "--min-ttl",
            "60",
            "--min-ttl=86401",
            "--min-ttl=x",
            "curl",
            "-x",
            "--",
            "--refresh=1",
            "--prof",
            "",
            "init",
            "=",
        ];
        let (mut plain_calls, mut clap_calls) = (0, 0);
        for number in 0..words.len().pow(3) {
            let places = [number % words.len(), number / words.len() % words.len(), number / words.len() / words.len()];
            let arguments: Vec<OsString> = places.iter().map(|place| words[*place].into()).collect();
            let ours = split_at_curl(&arguments).0.to_vec();
            let by_clap = CommandLine::try_parse_from(std::iter::once(OsString::from("ls-token")).chain(ours));
            match (plain(&arguments), by_clap) {
                (Some(Call::Token(options)), Ok(line)) => {
                    assert!(line.command.is_none(), "{arguments:?}");
                    assert_eq!(options, line.options, "{arguments:?}");
                    plain_calls += 1;
                }
                (Some(Call::Curl(options, _)), Ok(line)) => {
                    assert!(matches!(line.command, Some(Command::Curl { .. })), "{arguments:?}");
                    assert_eq!(options, line.options, "{arguments:?}");
                    plain_calls += 1;
                }
                (None, Ok(_)) => clap_calls += 1,
                (None, Err(_)) => {}
                (Some(call), Err(error)) => {
                    panic!("{arguments:?} was read as {call:?}, but clap says {error}")
                }
                (Some(_), Ok(_)) => panic!("{arguments:?} is not plain"),
            }
        }
        assert!(
            plain_calls > 500 && clap_calls > 10,
            "{plain_calls} plain, {clap_calls} by clap: the test lost its subject"
        );
    }

    #[test]
    fn everything_after_curl_is_curls() {
        let arguments = ["-v", "curl", "--help", "--", "-v", "--refresh"].map(OsString::from);
        let Ok(Call::Curl(options, rest)) = parse(&arguments) else { panic!("not a curl call") };
        assert!(options.verbose && !options.refresh);
        assert_eq!(rest, arguments[2..]);
    }

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        CommandLine::command().debug_assert();
    }
}
