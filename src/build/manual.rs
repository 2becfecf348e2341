//! Makes the manual page: one, with a section of each command. Options and commands come from the command line's own
//! definition, the rest from what `--help` ends with and from README's table of exit statuses, so that nothing is said
//! twice. In roff, by the macros of man(7).

use std::fmt::Write as _;

use clap::builder::PossibleValue;
use clap::{Arg, Command};

use crate::roff::{guarded, lower, push_item, push_paragraphs, roff};

/// What is said nowhere else.
const DESCRIPTION: &str = "Label Studio's access tokens live for five minutes and are had in exchange for a personal \
access token that lives for years. `ls-token` prints an access token that is good: from a cache, or exchanged anew, \
once for any number of callers at a time. Only the token goes to standard output, everything else to standard error; \
where there is no token, nothing does.\n\n\
A personal access token belongs to its server: a URL from elsewhere never gets it.\n\n\
A link to the program that is named `lscurl` is `ls-token curl`, one that is named `git-credential-ls-token` is \
`ls-token credential`.";

/// The variables that `--help` explains among the settings, and those of the system.
const VARIABLES: [(&str, &str); 6] = [
    ("LABEL_STUDIO_URL", "The server. Alone it picks the profile of that server."),
    (
        "LABEL_STUDIO_API_KEY",
        "The personal access token of the server that `LABEL_STUDIO_URL` names: together they are a profile, and beat the settings' default.",
    ),
    ("XDG_CONFIG_HOME", "Where the folder of the settings is, in place of ~/.config"),
    ("XDG_RUNTIME_DIR", "Where the folder of the cache is, if it is the user's own: in memory, and gone at logout"),
    ("XDG_CACHE_HOME", "Where it is otherwise, in place of ~/.cache"),
    ("XDG_DATA_HOME", "Where the folder of stored tokens is, in place of ~/.local/share"),
];

/// The files that are read and written.
const FILES: [(&str, &str); 4] = [
    ("~/.config/ls-token/config.toml", "The settings. Never a secret."),
    (
        "$XDG_RUNTIME_DIR/ls-token/, ~/.cache/ls-token/",
        "The cache and its locks: access tokens, never a personal access token. A folder or file that others can read is not used.",
    ),
    (
        "~/.local/share/ls-token/",
        "Personal access tokens that ls-token keeps itself (`stored`), in files that nobody else can read",
    ),
    (
        "~/.curlrc",
        "curl's own settings, which `ls-token curl` reads for it. What would take the token elsewhere is passed over.",
    ),
];

/// Returns the page. `more` is what `--help` ends with, `readme` the README.
pub(crate) fn page(mut command: Command, more: &str, readme: &str) -> String {
    command.build();
    let mut page = String::new();
    let version = command.get_version().unwrap_or_default();
    let _ = writeln!(page, ".TH LS\\-TOKEN 1 \"\" \"ls\\-token {}\" \"User Commands\"", roff(version));
    // Neither stretched nor hyphenated: much of it is names and commands.
    page.push_str(".nr HY 0\n.nh\n.ad l\n");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(page, ".SH NAME\nls\\-token \\- {}", roff(&lower(&about)));
    page.push_str(".SH SYNOPSIS\n.nf\n\\fBls\\-token\\fR [\\fIOPTIONS\\fR]\n");
    for command in commands(&mut command) {
        let _ = writeln!(page, "{}", usage(command));
    }
    page.push_str(".fi\n.SH DESCRIPTION\n");
    push_paragraphs(&mut page, DESCRIPTION);
    page.push_str(".SH OPTIONS\n");
    for arg in command.get_arguments() {
        push_argument(&mut page, arg);
    }
    page.push_str(".SH COMMANDS\n");
    let global = command.get_arguments().filter(|arg| arg.is_global_set());
    let global: Vec<String> = global.filter_map(|arg| Some(format!("`--{}`", arg.get_long()?))).collect();
    push_paragraphs(&mut page, &format!("Every command has the options {}.", global.join(", ")));
    for command in commands(&mut command) {
        push_command(&mut page, command);
    }
    push_settings(&mut page, &block(more, "Settings:"));
    push_list(
        &mut page,
        "ENVIRONMENT",
        VARIABLES
            .iter()
            .copied()
            .chain(block(more, "Environment:").iter().filter_map(|line| line.trim().split_once("  "))),
    );
    push_list(&mut page, "FILES", FILES.into_iter());
    push_list(&mut page, "EXIT STATUS", statuses(readme));
    push_examples(&mut page, &block(more, "Examples:"));
    page.push_str(".SH SEE ALSO\n\\fBcurl\\fR(1), \\fBgit\\-credential\\fR(1), \\fBgitcredentials\\fR(7)\n");
    page
}

/// Lists the commands that are shown.
fn commands(command: &mut Command) -> impl Iterator<Item = &mut Command> {
    command.get_subcommands_mut().filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

/// Returns how a command is called: its name in bold, placeholders in italics.
fn usage(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let name = format!("ls-token {}", command.get_name());
    let rest = usage.strip_prefix(&name).unwrap_or(usage);
    format!("\\fB{}\\fR{}", roff(&name), placeholders(rest))
}

/// Sets what stands in angle brackets in italics, without them.
fn placeholders(text: &str) -> String {
    roff(text).replace('<', "\\fI").replace('>', "\\fR").replace("[OPTIONS]", "[\\fIOPTIONS\\fR]")
}

/// Adds a command: how it is called, what it does, and the arguments that are its own.
fn push_command(page: &mut String, command: &mut Command) {
    let _ = writeln!(page, ".SS \"{}\"", usage(command).replace('"', "\\(dq"));
    let about = command.get_long_about().or(command.get_about());
    push_paragraphs(page, &about.map(ToString::to_string).unwrap_or_default());
    let own = |arg: &&Arg| !arg.is_global_set() && arg.get_id() != "help" && arg.get_id() != "version";
    for arg in command.get_arguments().filter(own) {
        push_argument(page, arg);
    }
}

/// Adds an option, or an argument without a name of its own, unless it is hidden.
fn push_argument(page: &mut String, arg: &Arg) {
    if arg.is_hide_set() {
        return;
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = short.into_iter().chain(long).map(|name| format!("\\fB{}\\fR", roff(&name))).collect();
    let mut tag = names.join(", ");
    if arg.get_action().takes_values() {
        let values = arg.get_value_names().unwrap_or_default().iter();
        let values: Vec<String> = values.map(|name| format!("\\fI{}\\fR", roff(name))).collect();
        let _ = write!(tag, "{}{}", if tag.is_empty() { "" } else { " " }, values.join(" "));
    }
    let mut help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    if arg.get_action().takes_values() {
        let values: Vec<String> = arg.get_possible_values().iter().map(possible).collect();
        if !values.is_empty() {
            let _ = write!(help, ": {}", values.join(", "));
        }
    }
    push_item(page, &tag, &help);
}

/// Returns a value that an option may have, and what it means where that says more than its name.
fn possible(value: &PossibleValue) -> String {
    let name = value.get_name();
    let meaning = value.get_help().map(ToString::to_string).unwrap_or_default();
    let meaning = meaning.trim_end_matches('.');
    if meaning.is_empty() || meaning.eq_ignore_ascii_case(name) {
        return format!("`{name}`");
    }
    format!("`{name}` ({})", lower(meaning))
}

/// Adds a section that is a list.
fn push_list<'a>(page: &mut String, title: &str, items: impl Iterator<Item = (&'a str, &'a str)>) {
    let _ = writeln!(page, ".SH {title}");
    for (tag, text) in items {
        push_item(page, &format!("\\fB{}\\fR", roff(tag.trim())), text.trim());
    }
}

/// Adds the settings: lines that are indented once more are an example, the others are text.
fn push_settings(page: &mut String, lines: &[&str]) {
    page.push_str(".SH SETTINGS\n");
    let (mut inside, mut is_begun) = (false, true);
    for line in lines {
        let is_example = line.starts_with("    ") || (inside && line.is_empty());
        if is_example != inside {
            page.push_str(if is_example { ".PP\n.RS 4\n.EX\n" } else { ".EE\n.RE\n.PP\n" });
            (inside, is_begun) = (is_example, false);
        }
        // `name: …` begins a line of its own.
        let named = line.trim().split_once(": ");
        if is_begun && !inside && named.is_some_and(|(name, _)| !name.contains(' ')) {
            page.push_str(".br\n");
        }
        if inside || !line.is_empty() {
            let _ = writeln!(page, "{}", guarded(&roff(line.trim())));
            is_begun = true;
        }
    }
}

/// Adds the examples: each command as it is typed, with what `--help` remarks on it below.
fn push_examples(page: &mut String, lines: &[&str]) {
    page.push_str(".SH EXAMPLES\n");
    for (number, line) in lines.iter().enumerate() {
        let (command, remark) = line.split_once("  # ").unwrap_or((line, ""));
        page.push_str(if number > 0 { ".PP\n" } else { "" });
        let _ = writeln!(page, ".EX\n{}\n.EE", guarded(&roff(command.trim())));
        if !remark.is_empty() {
            let _ = writeln!(page, ".RS 4\n{}\n.RE", guarded(&roff(remark)));
        }
    }
}

/// Returns the lines of a block of `--help`, without empty ones at its end.
fn block<'a>(more: &'a str, title: &str) -> Vec<&'a str> {
    let lines = more.lines().skip_while(|line| *line != title).skip(1);
    let mut lines: Vec<&str> = lines.take_while(|line| line.is_empty() || line.starts_with(' ')).collect();
    while lines.pop_if(|line| line.is_empty()).is_some() {}
    lines
}

/// Lists the exit statuses that README has.
fn statuses(readme: &str) -> impl Iterator<Item = (&str, &str)> {
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    rows.filter(|(status, _)| status.parse::<u8>().is_ok())
}
