//! The manual page's language, roff with the macros of man(7): paragraphs, items of lists, and text that is escaped.

use std::fmt::Write as _;

/// Adds an item of a list: its tag, already in roff, and its text.
pub(crate) fn push_item(page: &mut String, tag: &str, text: &str) {
    let _ = writeln!(page, ".TP\n{tag}");
    if text.is_empty() {
        // An item of a tag alone.
        page.push_str("\\&\n");
    } else {
        push_paragraphs(page, &text.replace("\n\n", "\n"));
    }
}

/// Adds text, of which an empty line parts the paragraphs.
pub(crate) fn push_paragraphs(page: &mut String, text: &str) {
    for (number, paragraph) in text.split("\n\n").enumerate() {
        if number > 0 {
            page.push_str(".PP\n");
        }
        let _ = writeln!(page, "{}", guarded(&roff(&paragraph.replace('\n', " "))));
    }
}

/// Keeps a line from being read as a request.
pub(crate) fn guarded(line: &str) -> String {
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() }
}

/// Writes text in roff: what has a meaning there is escaped, what stands in backquotes is bold.
pub(crate) fn roff(text: &str) -> String {
    let mut escaped = String::new();
    let mut is_bold = false;
    for c in text.chars() {
        match c {
            '`' => {
                is_bold = !is_bold;
                escaped.push_str(if is_bold { "\\fB" } else { "\\fR" });
            }
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '"' => escaped.push_str("\\(dq"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            // Not every terminal has it.
            '…' => escaped.push_str("..."),
            c if c.is_ascii() => escaped.push(c),
            c => _ = write!(escaped, "\\[u{:04X}]", u32::from(c)),
        }
    }
    escaped
}

/// Writes the first letter small, as inside a sentence.
pub(crate) fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
