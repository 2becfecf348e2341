//! Makes the manual page: one for all commands. `clap_mangen` renders the command line's definition; the other sections
//! are what `--help` ends with, the exit statuses, and what is said nowhere else.

use std::io;

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

const DESCRIPTION: &str = "\
Label Studio's access tokens live for five minutes and are obtained by exchanging a personal access token that lives for years.
`ls-token` prints a valid access token: from a cache, or from a new exchange, one for any number of callers at a time.
Only the token goes to standard output, everything else to standard error; without a token, standard output stays empty.

A personal access token belongs to its server: no other server ever gets it.

A link to the program that is named `lscurl` is `ls-token curl`, one that is named `git-credential-ls-token` is `ls-token credential`.";

/// The variables that `--help` has no line for.
const VARIABLES: [(&str, &str); 6] = [
    ("LABEL_STUDIO_URL", "The server. Alone it picks the profile of that server."),
    (
        "LABEL_STUDIO_API_KEY",
        "The personal access token of the server that `LABEL_STUDIO_URL` names: together they are a profile, and override the settings' default.",
    ),
    ("XDG_CONFIG_HOME", "The parent of the settings directory, instead of ~/.config"),
    ("XDG_RUNTIME_DIR", "The parent of the cache directory, if it belongs to the user: in memory, and gone at logout"),
    ("XDG_CACHE_HOME", "Its parent otherwise, instead of ~/.cache"),
    ("XDG_DATA_HOME", "The parent of the directory of stored tokens, instead of ~/.local/share"),
];

const FILES: [(&str, &str); 4] = [
    ("~/.config/ls-token/config.toml", "The settings. Never a secret."),
    (
        "$XDG_RUNTIME_DIR/ls-token/, ~/.cache/ls-token/",
        "The cache and its locks: access tokens, never a personal access token. A directory or file that others can read is not used.",
    ),
    (
        "~/.local/share/ls-token/",
        "Personal access tokens that ls-token keeps itself (`stored`), in files that nobody else can read",
    ),
    (
        "~/.curlrc",
        "curl's own settings, which `ls-token curl` reads for it. What would send the token elsewhere is ignored.",
    ),
];

/// Returns the page. `more` is what `--help` ends with.
pub(crate) fn page(command: Command, more: &str, statuses: &[(i32, &str)]) -> io::Result<String> {
    let mut command = command.long_about(DESCRIPTION).disable_help_subcommand(true);
    command.build();
    let mut commands: Vec<Command> = command.get_subcommands().cloned().collect();
    let usages: Vec<String> = commands.iter_mut().map(usage).collect();
    let of_all = command.get_arguments().filter(|arg| arg.is_global_set());
    let of_all: Vec<String> = of_all.filter_map(|arg| Some(format!("`--{}`", arg.get_long()?))).collect();
    let version = format!("ls-token {}", command.get_version().unwrap_or_default());
    let mut head = Roff::new();
    // No date, as the version says more. Neither hyphenated nor justified: much of it is names and commands.
    head.control("TH", ["LS-TOKEN", "1", "\"\"", &version, "User Commands"]);
    head.control("nr", ["HY", "0"]).control("nh", []).control("ad", ["l"]);
    let mut page = head.render().into_bytes();

    let man = Man::new(command.override_usage(format!("ls-token [OPTIONS]\n{}", usages.join("\n"))));
    push(&mut page, 0, |out| man.render_name_section(out))?;
    push(&mut page, 0, |out| man.render_synopsis_section(out))?;
    push(&mut page, 0, |out| man.render_description_section(out))?;
    push(&mut page, 0, |out| man.render_options_section(out))?;
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]).text([roman(format!("Every command also takes {}.", of_all.join(", ")))]);
    push(&mut page, 0, |out| roff.to_writer(out))?;
    for (command, usage) in commands.into_iter().zip(usages) {
        let mut roff = Roff::new();
        roff.control("SS", [usage.replace('-', "\\-").as_str()]);
        push(&mut page, 0, |out| roff.to_writer(out))?;
        let man = Man::new(command.mut_args(|arg| if is_own(&arg) { arg } else { arg.hide(true) }));
        push(&mut page, 1, |out| man.render_description_section(out))?;
        push(&mut page, 1, |out| man.render_options_section(out))?;
    }
    push(&mut page, 0, |out| other_sections(more, statuses).to_writer(out))?;
    Ok(everywhere(&String::from_utf8_lossy(&page)))
}

/// Adds a section without its first lines: two that define an apostrophe, as those of the page do, and its titles.
fn push(page: &mut Vec<u8>, titles: usize, render: impl Fn(&mut dyn io::Write) -> io::Result<()>) -> io::Result<()> {
    let mut section = Vec::new();
    render(&mut section)?;
    page.extend(section.split_inclusive(|byte| *byte == b'\n').skip(2 + titles).flatten());
    Ok(())
}

/// Returns the sections that say more than the command line's definition.
fn other_sections(more: &str, statuses: &[(i32, &str)]) -> Roff {
    let mut roff = Roff::new();
    push_settings(roff.control("SH", ["SETTINGS"]), block(more, "Settings:"));
    let explained = block(more, "Environment:").lines().filter_map(|line| line.trim().split_once("  "));
    push_list(roff.control("SH", ["ENVIRONMENT"]), VARIABLES.into_iter().chain(explained));
    push_list(roff.control("SH", ["FILES"]), FILES);
    roff.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in statuses {
        push_list(&mut roff, [(status.to_string().as_str(), *meaning)]);
    }
    push_examples(roff.control("SH", ["EXAMPLES"]), block(more, "Examples:"));
    let (curl, git, pages) = (bold("curl"), bold("git-credential"), bold("gitcredentials"));
    roff.control("SH", ["SEE ALSO"]).text([curl, roman("(1), "), git, roman("(1), "), pages, roman("(7)")]);
    roff
}

fn usage(command: &mut Command) -> String {
    command.render_usage().to_string().trim_start_matches("Usage: ").to_owned()
}

/// Tells whether an argument is of its command alone.
fn is_own(arg: &Arg) -> bool {
    !arg.is_global_set() && arg.get_id() != "help" && arg.get_id() != "version"
}

/// Returns a block of what `--help` ends with: up to the next title.
fn block<'a>(more: &'a str, title: &str) -> &'a str {
    let block = more.split_once(title).map_or("", |(_, block)| block);
    let is_title = |at: &usize| block.get(at + 2..).is_some_and(|rest| !rest.starts_with(' '));
    let end = block.match_indices("\n\n").map(|(at, _)| at).find(is_title);
    block.get(..end.unwrap_or(block.len())).unwrap_or_default().trim_matches('\n')
}

fn push_list<'a>(roff: &mut Roff, items: impl IntoIterator<Item = (&'a str, &'a str)>) {
    for (name, text) in items {
        roff.control("TP", []).text([bold(name)]).text([roman(text.trim())]);
    }
}

/// Adds the settings: what is indented twice is an example, `name: …` an item of a list.
fn push_settings(roff: &mut Roff, block: &str) {
    for paragraph in block.split("\n\n") {
        if paragraph.starts_with("    ") {
            push_literal(roff.control("PP", []).control("RS", ["4"]), paragraph.lines());
            roff.control("RE", []);
            continue;
        }
        for line in paragraph.lines().map(str::trim) {
            match line.split_once(": ").filter(|(name, _)| !name.contains(' ')) {
                Some(item) => push_list(roff, [item]),
                None => _ = roff.text([roman(line)]),
            }
        }
    }
}

/// Adds the examples: what each is for, and below it the command as it is typed.
fn push_examples(roff: &mut Roff, block: &str) {
    for (number, line) in block.lines().enumerate() {
        if let Some(command) = line.strip_prefix("    ") {
            push_literal(roff, [command]);
            continue;
        }
        if number > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(line.trim())]);
    }
}

/// Adds lines that are to be copied: they are not filled.
fn push_literal<'a>(roff: &mut Roff, lines: impl IntoIterator<Item = &'a str>) {
    roff.control("EX", []);
    for line in lines {
        roff.text([roman(line.trim())]);
    }
    roff.control("EE", []);
}

/// Makes the page render everywhere: in ASCII, with `~` and `^` as a shell knows them, and with bold for backquotes.
fn everywhere(page: &str) -> String {
    let mut is_bold = false;
    let escaped = page.chars().map(|c| match c {
        '`' => {
            is_bold = !is_bold;
            if is_bold { "\\fB" } else { "\\fR" }.to_owned()
        }
        '~' => "\\(ti".to_owned(),
        '^' => "\\(ha".to_owned(),
        // Not every terminal has it.
        '…' => "...".to_owned(),
        c if c.is_ascii() => c.to_string(),
        c => format!("\\[u{:04X}]", u32::from(c)),
    });
    escaped.collect()
}
