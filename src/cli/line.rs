//! The command line as clap knows it. It needs nothing else of this program: the build makes the completions and the
//! manual page of it.
#![allow(clippy::doc_markdown, reason = "what is said here is the help text")]
#![allow(unreachable_pub, reason = "the build script has this file as a module, too")]

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

/// What `--help` ends with.
pub const MORE: &str = r#"Examples:
  curl -H "Authorization: Bearer $(ls-token)" https://label.example.com/api/projects/
  ls-token curl /api/projects/                  # the same, and no token in `ps`; `lscurl` after `init`
  t=$(ls-token) && use "$t"                     # in scripts: stops when there is no token
  ls-token --format curl | curl -K - https://label.example.com/api/projects/
  eval "$(ls-token init zsh)"                   # ls_token and lscurl for zsh; also bash, fish

Settings:
  LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY (the personal access token), or
  what `ls-token login` writes into ~/.config/ls-token/config.toml:

    default = "prod"

    [profiles.prod]
    url = "https://label.example.com"
    pat = "op://Development/Label Studio PAT/credential"

  pat: op://...  env:NAME  file:PATH  cmd:COMMAND WITH ARGUMENTS  stored  keyring  ["command", "argument"]
  also: allow_http = true, ca_file = "/path.pem", timeout = 15, min_ttl = 60 (seconds)

Environment:
  LS_TOKEN_CONFIG     another settings file
  LS_TOKEN_PROFILE    the profile to use
  LS_TOKEN_CACHE_DIR  another cache folder (else $XDG_RUNTIME_DIR/ls-token, else ~/.cache/ls-token)

Exit status:
  0 a token was printed   2 usage   69 server unreachable   74 file system   75 lock not free, try again
  76 the answer made no sense   77 no personal access token, or rejected   78 settings   127 no such program
  130 interrupted; `ls-token curl` ends with curl's own status"#;

/// The command line, for clap.
#[derive(Parser)]
#[command(
    name = "ls-token",
    version,
    about = "Prints a valid Label Studio access token, from a cache or by exchanging a personal access token",
    after_help = "`ls-token --help` has examples, the settings and the exit statuses.",
    after_long_help = MORE,
    args_conflicts_with_subcommands = false,
    propagate_version = true,
    max_term_width = 100
)]
pub struct CommandLine {
    /// The options of every command.
    #[command(flatten)]
    pub options: Options,
    /// The command; none prints a token.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The options of every command.
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
    /// Want a token that is good for so long yet (a new one where the cached has less)
    #[arg(long, value_name = "SECONDS", value_hint = ValueHint::Other, value_parser = clap::value_parser!(u64).range(..=LONGEST_TTL))]
    pub min_ttl: Option<u64>,
    /// Want a token that was obtained after this call began
    #[arg(long)]
    pub refresh: bool,
    /// Neither read nor write the cache
    #[arg(long)]
    pub no_cache: bool,
    /// Tell every step on stderr; never a secret
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// What `login` is told.
#[derive(Debug, Default, Clone, PartialEq, Args)]
pub struct LoginOptions {
    /// The server, as in https://label.example.com
    #[arg(value_name = "URL", value_hint = ValueHint::Other, value_parser = NonEmptyStringValueParser::new())]
    pub server: Option<String>,
    /// Where the token is kept: op://Vault/Item/field, env:NAME, file:PATH or cmd:COMMAND; it stays there
    #[arg(long, value_name = "SPEC", value_hint = ValueHint::Other, conflicts_with_all = ["store", "with_token"], value_parser = NonEmptyStringValueParser::new())]
    pub source: Option<String>,
    /// Where ls-token keeps a token that is pasted: a file that nobody else can read, or the system's keyring
    #[arg(long, value_name = "STORE", value_enum)]
    pub store: Option<Store>,
    /// Read the token from stdin
    #[arg(long)]
    pub with_token: bool,
    /// Allow plain http to another machine, which shows the token to the network
    #[arg(long)]
    pub allow_http: bool,
    /// Trust the authorities of this PEM file in place of the system's
    #[arg(long, value_name = "PATH")]
    pub ca_file: Option<PathBuf>,
}

/// The places where ls-token keeps a personal access token itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// A file.
    File,
    /// The operating system's keyring.
    Keyring,
}

/// What `logout` is told.
#[derive(Debug, Default, Clone, PartialEq, Args)]
pub struct LogoutOptions {
    /// Revoke the personal access token at the server first
    #[arg(long)]
    pub revoke: bool,
    /// Forget every profile
    #[arg(long)]
    pub all: bool,
}

/// The longest `--min-ttl`, in seconds: a day, as no token is kept for longer.
pub const LONGEST_TTL: u64 = 86_400;

/// The forms that a token is printed in.
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

/// The shells that there is a plugin for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Zsh,
    Bash,
    Fish,
}

/// The commands, for clap.
#[derive(Subcommand)]
pub enum Command {
    /// Become curl, with the token on an inherited pipe: in no argument, variable or file
    ///
    /// Takes what curl takes. An argument like /api/projects/ is joined to the profile's URL. A full URL must lie under
    /// a profile's URL, and picks that profile.
    #[command(disable_help_flag = true)]
    Curl {
        /// curl's arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "CURL'S ARGUMENTS")]
        arguments: Vec<OsString>,
    },
    /// Run a command with LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY set for it alone
    ///
    /// LABEL_STUDIO_API_KEY is the personal access token: that is what Label Studio's SDK wants. The command takes this
    /// program's place, so that its status and its signals are its own.
    Exec {
        /// The command and its arguments
        #[arg(
            trailing_var_arg = true,
            required = true,
            value_name = "COMMAND",
            value_hint = ValueHint::CommandWithArguments
        )]
        command: Vec<OsString>,
    },
    /// Speak the git credential protocol on stdin and stdout: get, store, erase or capability
    ///
    /// For git: git config --global credential.https://label.example.com.helper "!ls-token credential"
    ///
    /// Where git-credential-ls-token is installed beside this program, `ls-token` is enough as the helper. A server that
    /// lives under a path also needs credential.useHttpPath.
    Credential {
        /// get, store, erase or capability; anything else is ignored, as the protocol wants it
        #[arg(value_name = "OPERATION")]
        operation: String,
    },
    /// Save a profile: ask for a server and a personal access token, and try them out first
    ///
    /// The token is asked for on the terminal, and not shown. Where 1Password's `op` is installed, a reference like
    /// op://Vault/Item/field does as well, and the token stays there. Logging in again replaces the token.
    Login(LoginOptions),
    /// Forget a profile, its cached token, and the personal access token that `login` stored
    ///
    /// A personal access token that is kept elsewhere (op://, file:, env:, cmd:) is left there.
    Logout(LogoutOptions),
    /// Tell what is cached and until when; asks no server and reads no secret
    Status {
        /// Print a JSON object, or with --all a list of them
        #[arg(long)]
        json: bool,
        /// Tell of every profile
        #[arg(long)]
        all: bool,
    },
    /// Ask the server whether it takes the token, and whose it is
    ///
    /// A cached token that the server does not take is exchanged anew, once. Ends with 77 when the server takes none.
    Verify {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Swap the personal access token for a new one, and save that where the old one was
    ///
    /// Nothing is asked of the server before it is sure that the new one can be saved. The moment it is there it is put
    /// on disk; where a run is interrupted after that, the next one finishes its work. An answer that gets lost on its way
    /// takes the new token with it, which is said then.
    Rotate {
        /// Save the new one as this file, for you alone to read, and leave the place of the old one as it is
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Look for what is wrong with this set-up: settings, server, tokens, curl, shell; says what to do
    ///
    /// No secret is in what it prints, so that it can be shown to others. Ends with 0 when nothing is broken, else with
    /// the status of the first failure.
    Doctor {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the plugin of a shell: the functions `ls_token` and `lscurl`
    Init {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the completions of a shell, for `ls-token` itself
    Completions {
        /// The shell
        #[arg(value_enum, required_unless_present = "profile_names")]
        shell: Option<Shell>,
        /// Print the names of the profiles instead, one a line: for the completions
        #[arg(long, hide = true, exclusive = true)]
        profile_names: bool,
    },
    /// Print the manual page: `ls-token man | man -l -`
    Man,
}
