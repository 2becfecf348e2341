//! Makes the manual page: clap's own definition, what `--help` ends with (`more`), and what is said nowhere else.

use std::io;

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

const DESCRIPTION: &str = "\
Label Studio's access tokens live for five minutes and are obtained by exchanging a personal access token that lives for years.
`ls-token` prints a valid access token: from a cache, or from a new exchange, one for any number of callers at a time.
Only the token goes to standard output, everything else to standard error; without a token, standard output stays empty.

A personal access token belongs to its server: no other server ever gets it.

The programs `lscurl` and `git-credential-ls-token`, which are installed beside it, are `ls-token curl` and `ls-token credential`.";

/// The variables that `--help` has no line for.
const VARIABLES: &str = "
LABEL_STUDIO_URL  The server. Alone it picks the profile of that server.
LABEL_STUDIO_API_KEY  The personal access token of the server that `LABEL_STUDIO_URL` names: together they are a profile, \
    and override the settings' default.
XDG_CONFIG_HOME  The parent of the settings directory, instead of ~/.config
XDG_RUNTIME_DIR  The parent of the cache directory, if it belongs to the user: in memory, and gone at logout
XDG_CACHE_HOME  Its parent otherwise, instead of ~/.cache
XDG_DATA_HOME  The parent of the directory of stored tokens, instead of ~/.local/share";

const FILES: &str = "
~/.config/ls-token/config.toml  The settings. Never a secret.
$XDG_RUNTIME_DIR/ls-token/, ~/.cache/ls-token/  The cache and its locks: access tokens, never a personal access token. \
    A directory or file that others can read is not used.
~/.local/share/ls-token/  Personal access tokens that ls-token keeps itself (`stored`), in files that nobody else can read
~/.curlrc  curl's own settings, which `ls-token curl` reads for it. What would send the token elsewhere is ignored.";

pub(crate) fn page(command: Command, more: &str) -> io::Result<String> {
    let mut command = command.long_about(DESCRIPTION).disable_help_subcommand(true);
    command.build();
    let mut commands: Vec<Command> = command.get_subcommands().cloned().collect();
    let usage = |command: &mut Command| command.render_usage().to_string().replacen("Usage: ", "", 1);
    let usages: Vec<String> = commands.iter_mut().map(usage).collect();
    let of_all = command.get_arguments().filter(|arg| arg.is_global_set());
    let of_all: Vec<String> = of_all.filter_map(|arg| Some(format!("`--{}`", arg.get_long()?))).collect();
    let version = format!("ls-token {}", command.get_version().unwrap_or_default());
    let mut head = Roff::new();
    // No date, as the version says more. Neither hyphenated nor justified: much of it is names and commands.
    head.control("TH", ["LS-TOKEN", "1", "\"\"", &version, "User Commands"]);
    head.control("nr", ["HY", "0"]).control("nh", []).control("ad", ["l"]);

    let mut body = Vec::new();
    let man = Man::new(command.override_usage(format!("ls-token [OPTIONS]\n{}", usages.join("\n"))));
    man.render_name_section(&mut body)?;
    man.render_synopsis_section(&mut body)?;
    man.render_description_section(&mut body)?;
    man.render_options_section(&mut body)?;
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]).text([roman(format!("Every command also takes {}.", of_all.join(", ")))]);
    for (command, usage) in commands.into_iter().zip(usages) {
        roff.control("SS", [usage.replace('-', "\\-").as_str()]).to_writer(&mut body)?;
        roff = Roff::new();
        let is_own = |arg: &Arg| !arg.is_global_set() && arg.get_id() != "help" && arg.get_id() != "version";
        let man = Man::new(command.mut_args(|arg| if is_own(&arg) { arg } else { arg.hide(true) }));
        let mut sections = Vec::new();
        man.render_description_section(&mut sections)?;
        man.render_options_section(&mut sections)?;
        // Below the command's own title.
        let lines = sections.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(b".SH "));
        body.extend(lines.flatten());
    }
    other_sections(more).to_writer(&mut body)?;
    let body = String::from_utf8_lossy(&body);
    // Each part defines an apostrophe, as the head does.
    let lines = body.split_inclusive('\n').filter(|line| !line.contains(".ds Aq "));
    Ok(everywhere(&(head.render() + &lines.collect::<String>())))
}

/// Returns the sections that say more than the command line's definition.
fn other_sections(more: &str) -> Roff {
    let mut roff = Roff::new();
    push_literal(roff.control("SH", ["SETTINGS"]), block(more, "Settings:"));
    push_list(roff.control("SH", ["ENVIRONMENT"]), VARIABLES);
    push_list(&mut roff, block(more, "Environment:"));
    push_list(roff.control("SH", ["FILES"]), FILES);
    push_literal(roff.control("SH", ["EXIT STATUS"]), block(more, "Exit status:"));
    push_literal(roff.control("SH", ["EXAMPLES"]), block(more, "Examples:"));
    let (curl, git, pages) = (bold("curl"), bold("git-credential"), bold("gitcredentials"));
    roff.control("SH", ["SEE ALSO"]).text([curl, roman("(1), "), git, roman("(1), "), pages, roman("(7)")]);
    roff
}

/// Returns a block of what `--help` ends with: up to the next title.
fn block<'a>(more: &'a str, title: &str) -> &'a str {
    let block = more.split_once(title).map_or("", |(_, block)| block);
    let is_title = |at: &usize| block.get(at + 2..).is_some_and(|rest| !rest.starts_with(' '));
    let end = block.match_indices("\n\n").map(|(at, _)| at).find(is_title);
    block.get(..end.unwrap_or(block.len())).unwrap_or_default().trim_matches('\n')
}

/// Adds a list of names and, behind two blanks, what they are.
fn push_list(roff: &mut Roff, block: &str) {
    for (name, text) in block.lines().filter_map(|line| line.trim().split_once("  ")) {
        roff.control("TP", []).text([bold(name)]).text([roman(text.trim())]);
    }
}

/// Adds lines as they are: they are not filled.
fn push_literal(roff: &mut Roff, block: &str) {
    roff.control("EX", []);
    for line in block.lines() {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("EE", []);
}

/// Makes the page render everywhere: in ASCII, with `~` and `^` as a shell knows them, and with bold for backquotes.
fn everywhere(page: &str) -> String {
    let mut page = page.replace('~', "\\(ti").replace('^', "\\(ha").replace('…', "...");
    while page.contains('`') {
        page = page.replacen('`', "\\fB", 1).replacen('`', "\\fR", 1);
    }
    page
}
