//! The command line. clap says what it means, and explains it; the plain calls that scripts make thousands of times are
//! recognised without clap, which would cost a cache hit half its instructions again.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::console;
use crate::error::Kind;
use crate::output;
use crate::settings::Choice;
use crate::token::Wish;

/// What `--help` ends with.
const MORE: &str = r#"Examples:
  curl -H "Authorization: Bearer $(ls-token)" https://label.example.com/api/projects/
  ls-token curl /api/projects/                  # the same, and no token in `ps`; `lscurl` after `init`
  t=$(ls-token) && use "$t"                     # in scripts: stops when there is no token
  ls-token --format curl | curl -K - https://label.example.com/api/projects/
  eval "$(ls-token init zsh)"                   # ls_token and lscurl for zsh; also bash, fish

Settings:
  LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY (the personal access token), or
  ~/.config/ls-token/config.toml:

    default = "prod"

    [profiles.prod]
    url = "https://label.example.com"
    pat = "op://Development/Label Studio PAT/credential"

  pat: op://...  env:NAME  file:PATH  cmd:COMMAND WITH ARGUMENTS  stored  ["command", "argument"]
  also: allow_http = true, ca_file = "/path.pem", timeout = 15, min_ttl = 60 (seconds)

Environment:
  LS_TOKEN_CONFIG     another settings file
  LS_TOKEN_PROFILE    the profile to use
  LS_TOKEN_CACHE_DIR  another cache folder (else $XDG_RUNTIME_DIR/ls-token, else ~/.cache/ls-token)

Exit status:
  0 a token was printed   2 usage   69 server unreachable   74 file system   75 lock not free, try again
  76 the answer made no sense   77 no personal access token, or rejected   78 settings   127 no such program
  130 interrupted; `ls-token curl` ends with curl's own status"#;

/// What a command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Call {
    /// Print a token.
    Token(Options),
    /// Become curl.
    Curl(Options, Vec<OsString>),
    /// Print a shell's plugin.
    Init(Shell),
}

/// The command line, for clap.
#[derive(Parser)]
#[command(
    name = "ls-token",
    version,
    about = "Prints a valid Label Studio access token, from a cache or by exchanging a personal access token",
    after_help = MORE,
    args_conflicts_with_subcommands = false,
    max_term_width = 100
)]
struct CommandLine {
    /// The options of every command.
    #[command(flatten)]
    options: Options,
    /// The command; none prints a token.
    #[command(subcommand)]
    command: Option<Command>,
}

/// The options of every command.
#[derive(Debug, Default, Clone, PartialEq, Args)]
pub(crate) struct Options {
    /// Use this profile of the settings file
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Use the profile of this server
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Print the bare token, a header, a line for `curl -K -`, or a JSON object
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Want a token that is good for so long yet (a new one where the cached has less)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=LONGEST_TTL))]
    min_ttl: Option<u64>,
    /// Want a token that was obtained after this call began
    #[arg(long)]
    refresh: bool,
    /// Neither read nor write the cache
    #[arg(long)]
    no_cache: bool,
    /// Tell every step on stderr; never a secret
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// The longest `--min-ttl`, in seconds: a day, as no token is kept for longer.
const LONGEST_TTL: u64 = 86_400;

/// The forms that a token is printed in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The bare token.
    #[default]
    Token,
    /// `Authorization: Bearer …`.
    Header,
    /// A line of a curl configuration file.
    Curl,
    /// An object with the token, its times and its profile.
    Json,
}

/// The shells that there is a plugin for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// zsh.
    Zsh,
    /// bash.
    Bash,
    /// fish.
    Fish,
}

/// The commands, for clap.
#[derive(Subcommand)]
enum Command {
    /// Become curl, with the token on an inherited pipe: in no argument, variable or file
    ///
    /// Takes what curl takes. An argument like /api/projects/ is joined to the profile's URL. A full URL must lie under
    /// a profile's URL, and picks that profile.
    #[command(disable_help_flag = true)]
    Curl {
        /// curl's arguments
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "CURL'S ARGUMENTS"
        )]
        arguments: Vec<OsString>,
    },
    /// Print the plugin of a shell: the functions `ls_token` and `lscurl`
    Init {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

impl Options {
    /// Returns what is said of the choice of a profile.
    pub(crate) fn choice(&self) -> Choice {
        Choice {
            profile: self.profile.clone(),
            url: self.url.clone(),
        }
    }

    /// Returns what is said of the token.
    pub(crate) fn wish(&self) -> Wish {
        Wish {
            min_ttl: self.min_ttl.map(Duration::from_secs),
            refresh: self.refresh,
            no_cache: self.no_cache,
        }
    }
}

/// Reads the arguments after the program's name. The error is clap's: usage, or the help that was asked for.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Call, clap::Error> {
    if let Some(call) = plain(arguments) {
        return Ok(call);
    }
    let with_name = std::iter::once(OsString::from("ls-token")).chain(arguments.iter().cloned());
    let line = CommandLine::try_parse_from(with_name)?;
    Ok(match line.command {
        None => Call::Token(line.options),
        Some(Command::Curl { arguments }) => Call::Curl(line.options, arguments),
        Some(Command::Init { shell }) => Call::Init(shell),
    })
}

/// Prints clap's answer to a command line, help to stdout and complaints to stderr, and returns the exit status.
pub(crate) fn explain(answer: &clap::Error) -> i32 {
    let text = answer.render().to_string();
    if answer.use_stderr() {
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        console::print(&format!("ls-token: {text}"));
        return Kind::Usage.status();
    }
    output::print(&text).map_or_else(|error| error.report(), |()| 0)
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
        let (name, joined) = argument
            .split_once('=')
            .map_or((argument, None), |(name, value)| (name, Some(value)));
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
        if !matches!(name, "--profile" | "--url" | "--format" | "--min-ttl") {
            return None;
        }
        let value = joined
            .or_else(|| rest.next()?.to_str())
            .filter(|value| !value.is_empty() && !value.starts_with('-'))?;
        let again = match name {
            "--profile" => options.profile.replace(value.to_owned()).is_some(),
            "--url" => options.url.replace(value.to_owned()).is_some(),
            "--format" => format
                .replace(Format::from_str(value, false).ok()?)
                .is_some(),
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
            let places = [
                number % words.len(),
                number / words.len() % words.len(),
                number / words.len() / words.len(),
            ];
            let arguments: Vec<OsString> =
                places.iter().map(|place| words[*place].into()).collect();
            let by_clap = CommandLine::try_parse_from(
                std::iter::once(OsString::from("ls-token")).chain(arguments.clone()),
            );
            match (plain(&arguments), by_clap) {
                (Some(Call::Token(options)), Ok(line)) => {
                    assert!(line.command.is_none(), "{arguments:?}");
                    assert_eq!(options, line.options, "{arguments:?}");
                    plain_calls += 1;
                }
                (Some(Call::Curl(options, _)), Ok(line)) => {
                    assert!(
                        matches!(line.command, Some(Command::Curl { .. })),
                        "{arguments:?}"
                    );
                    assert_eq!(options, line.options, "{arguments:?}");
                    plain_calls += 1;
                }
                (None, Ok(_)) => clap_calls += 1,
                (None, Err(_)) => {}
                (Some(call), Err(error)) => {
                    panic!("{arguments:?} was read as {call:?}, but clap says {error}")
                }
                (Some(Call::Init(_)), Ok(_)) => panic!("{arguments:?} is not plain"),
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
        let Ok(Call::Curl(options, rest)) = parse(&arguments) else {
            panic!("not a curl call")
        };
        assert!(options.verbose && !options.refresh);
        assert_eq!(rest, arguments[2..]);
    }

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        CommandLine::command().debug_assert();
    }
}
