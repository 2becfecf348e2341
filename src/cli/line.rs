//! The command line as clap knows it. The build makes completions and the manual page of it, so it uses only `error`.
#![allow(clippy::doc_markdown, reason = "what is said here is the help text")]
#![allow(unreachable_pub, reason = "the build script has this file as a module, too")]

use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::EXIT_STATUSES;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

/// What `--help` shows below the options, before the exit statuses.
const MORE: &str = r#"Examples:
  Any tool:
    curl -H "Authorization: Bearer $(ls-token)" https://label.example.com/api/projects/
  The same, and the token never shows up in `ps` (`ls-token curl` is the same):
    lscurl /api/projects/
  In scripts, stop when there is no token:
    t=$(ls-token) && use "$t"
  A configuration for curl:
    ls-token --format curl | curl -K - https://label.example.com/api/projects/
  Completions for zsh (or bash, fish):
    eval "$(ls-token init zsh)"

Settings:
  LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY (the personal access token), or
  what `ls-token login` writes to ~/.config/ls-token/config.toml:

    default = "prod"

    [profiles.prod]
    url = "https://label.example.com"
    pat = "op://Development/Label Studio PAT/credential"

  pat: op://...  env:NAME  file:PATH  cmd:COMMAND WITH ARGUMENTS
       stored  keyring  ["command", "argument"]
  also: allow_http = true, ca_file = "/path.pem",
        timeout = 15, min_ttl = 60, keep = 3600 (seconds)

Environment:
  LS_TOKEN_CONFIG     another settings file
  LS_TOKEN_PROFILE    the profile to use
  LS_TOKEN_CACHE_DIR  another cache directory (default: $XDG_RUNTIME_DIR/ls-token, else ~/.cache/ls-token)

"#;

/// Returns what `--help` ends with.
pub fn more() -> String {
    let statuses = EXIT_STATUSES.iter().map(|(status, meaning)| format!("  {status:>3}  {meaning}\n"));
    format!(
        "{MORE}Exit status:\n{}  `ls-token curl` and `ls-token exec` end with the status of what they run.",
        statuses.collect::<String>()
    )
}

#[derive(Debug, Default, Parser)]
#[command(
    name = "ls-token",
    version,
    about = "Prints a valid Label Studio access token, from a cache or by exchanging a personal access token",
    after_help = "`ls-token --help` has examples, the settings and the exit statuses.",
    after_long_help = more(),
    args_conflicts_with_subcommands = false,
    propagate_version = true,
    max_term_width = 100
)]
pub struct CommandLine {
    #[command(flatten)]
    pub options: Options,
    /// The command; none prints a token.
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Default, Clone, PartialEq, Args)]
pub struct Options {
    /// Use this profile of the settings file
    #[arg(long, value_name = "NAME", global = true, value_parser = NonEmptyStringValueParser::new())]
    pub profile: Option<String>,
    /// Use the profile of this server
    #[arg(long, value_name = "URL", value_hint = ValueHint::Other, global = true, value_parser = NonEmptyStringValueParser::new())]
    pub url: Option<String>,
    /// Print the bare token, a header, a line for `curl -K -`, or a JSON object
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: Format,
    /// Require at least SECONDS of remaining lifetime; refresh if the cached token has less
    #[arg(long, value_name = "SECONDS", value_hint = ValueHint::Other, value_parser = seconds)]
    pub min_ttl: Option<u64>,
    /// Ignore the cached token and obtain a new one
    #[arg(long)]
    pub refresh: bool,
    /// Neither read nor write the cache
    #[arg(long)]
    pub no_cache: bool,
    /// Log each step to stderr (never secrets)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Debug, Default, Clone, PartialEq, Args)]
pub struct LoginOptions {
    /// The server, as in https://label.example.com
    #[arg(value_name = "URL", value_hint = ValueHint::Other, value_parser = NonEmptyStringValueParser::new())]
    pub server: Option<String>,
    /// Read the token from where it is kept: op://Vault/Item/field, env:NAME, file:PATH or cmd:COMMAND
    #[arg(long, value_name = "SPEC", value_hint = ValueHint::Other, conflicts_with_all = ["store", "with_token"], value_parser = NonEmptyStringValueParser::new())]
    pub source: Option<String>,
    /// Keep a pasted token in a private file or in the system's keyring
    #[arg(long, value_name = "STORE", value_enum)]
    pub store: Option<Store>,
    /// Read the token from stdin
    #[arg(long)]
    pub with_token: bool,
    /// Allow plain http to another machine, which shows the token to the network
    #[arg(long)]
    pub allow_http: bool,
    /// Trust the CAs of this PEM file instead of the system's
    #[arg(long, value_name = "PATH")]
    pub ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// A file.
    File,
    /// The operating system's keyring.
    Keyring,
}

#[derive(Debug, Default, Clone, PartialEq, Args)]
pub struct LogoutOptions {
    /// Revoke the personal access token at the server first
    #[arg(long)]
    pub revoke: bool,
    /// Remove every profile
    #[arg(long)]
    pub all: bool,
}

/// The longest `--min-ttl`, in seconds: a day, as no token is kept for longer.
pub const MAX_TTL: u64 = 86_400;

fn seconds(text: &str) -> Result<u64, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds <= MAX_TTL);
    seconds.ok_or_else(|| format!("it must be a whole number of seconds from 0 to {MAX_TTL}"))
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
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

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Key {
    /// The personal access token.
    #[default]
    Pat,
    /// An access token, which expires in minutes.
    Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Zsh,
    Bash,
    Fish,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run curl with the token, which is in no argument, variable or file
    ///
    /// Accepts curl's arguments and execs curl. A path like /api/projects/ is joined to the profile's URL. A full URL
    /// must be below a profile's URL, and selects that profile.
    #[command(disable_help_flag = true)]
    Curl {
        /// curl's arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "CURL'S ARGUMENTS")]
        arguments: Vec<OsString>,
    },
    /// Filter curl's log: what `curl` starts beside curl.
    #[command(skip)]
    CurlLog,
    /// Run a command with LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY set for it alone
    ///
    /// LABEL_STUDIO_API_KEY is the personal access token, which is what Label Studio's SDK wants. The command replaces
    /// this process, so exit status and signals are its own.
    Exec {
        /// Which token LABEL_STUDIO_API_KEY gets: ML backends and the older Client want an access token
        #[arg(long, value_name = "KEY", value_enum, default_value_t)]
        key: Key,
        /// The command and its arguments
        #[arg(trailing_var_arg = true, required = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
        command: Vec<OsString>,
    },
    /// Speak the git credential protocol on stdin and stdout: get, store, erase or capability
    ///
    /// For git: git config --global credential.https://label.example.com.helper '!ls-token credential'
    ///
    /// With git-credential-ls-token, which is installed beside this program, `ls-token` is enough as the helper. A server
    /// that lives under a path also needs credential.useHttpPath.
    Credential {
        /// get, store, erase or capability; anything else is ignored, as the protocol demands
        #[arg(value_name = "OPERATION")]
        operation: String,
    },
    /// Save a profile: ask for a server and a personal access token, and check them against the server
    ///
    /// The token is read from the terminal without being shown. If 1Password's `op` is installed, a reference like
    /// op://Vault/Item/field works too, and the token stays there. Logging in again replaces the token.
    Login(LoginOptions),
    /// Remove a profile, its cached token, and the personal access token that `login` stored
    ///
    /// A personal access token that is kept elsewhere (op://, file:, env:, cmd:) stays there.
    Logout(LogoutOptions),
    /// Show what is cached and until when, without asking a server or reading a secret
    Status {
        /// Print a JSON object, or a list of them with --all
        #[arg(long)]
        json: bool,
        /// Show every profile
        #[arg(long)]
        all: bool,
    },
    /// Ask the server whether it accepts the token, and whose it is
    ///
    /// A cached token that the server rejects is replaced once. Exits with 77 if the server accepts none.
    Verify {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Replace the personal access token with a new one, and save it where the old one was
    ///
    /// The server is not asked before it is certain that the new token can be saved. The new token is written to disk
    /// as soon as it arrives; if the run is interrupted after that, the next run finishes it. If the server's answer is
    /// lost on its way, so is the new token, and the message says so.
    Rotate {
        /// Save the new token to this file, which only you can read, instead of where the old one was
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Check this set-up (settings, server, tokens, curl, shell), and say what to do
    ///
    /// Prints no secret, so the output can be shown to others. Exits with 0 if nothing is broken, else with the status
    /// of the first failure.
    Doctor {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the plugin of a shell: completions, and the function `ls_token`
    Init {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the completions of a shell, for `ls-token` itself
    Completions {
        /// The shell
        #[arg(value_enum, required_unless_present = "list")]
        shell: Option<Shell>,
        /// Print what the completions offer instead, one a line
        #[arg(long, hide = true, exclusive = true, num_args = 1..=2, allow_hyphen_values = true)]
        list: Vec<String>,
    },
    /// Print the manual page: `ls-token man | man -l -`
    Man,
}
