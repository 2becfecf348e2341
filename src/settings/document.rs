//! The settings file as a text of which `login` and `logout` change a few places, found by the positions that the parser
//! gives, so that no other byte can change. `None` stands for a form that is too unusual to be changed safely.

use std::fmt::Write as _;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::server::Server;

/// A profile as it is to stand in the settings.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: String,
    /// The server's URL.
    pub(crate) url: String,
    /// Where the personal access token is.
    pub(crate) pat: String,
    /// Whether plain http is allowed from now on.
    pub(crate) allow_http: bool,
    /// The file of trusted certificates, where one is given.
    pub(crate) ca_file: Option<String>,
}

/// Puts a profile in, in place of one with its name; `names` are the profiles that there are. The first becomes the
/// default, and an only one stays what is used when it gets company.
pub(super) fn put(text: &str, entry: &Entry, names: &[&str]) -> Option<String> {
    if names.contains(&entry.name.as_str()) {
        return replace(text, entry);
    }
    let mut text = text.to_owned();
    let default = match names {
        [] => Some(entry.name.as_str()),
        [only] => Some(*only),
        _ => None,
    };
    let table = DeTable::parse(&text).ok()?;
    if let Some(name) = default.filter(|_| !table.get_ref().contains_key("default")) {
        let line = format!("default = {}\n", quoted(name));
        // `[profiles]` may stand behind the profiles.
        let profiles = table.get_ref().get("profiles");
        let profiles = profiles.and_then(|value| value.get_ref().as_table());
        let names = profiles.into_iter().flat_map(DeTable::keys);
        let places = table
            .get_ref()
            .keys()
            .chain(names)
            .map(|key| key.span().start);
        let first = places.min().map(|place| line_start(&text, place));
        drop(table);
        set_default(&mut text, &line, first);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
    let _ = writeln!(text, "[profiles.{}]", key(&entry.name));
    for (key, value) in entry.lines() {
        let _ = writeln!(text, "{key} = {value}");
    }
    // Behind `profiles = {…}` no table may follow.
    DeTable::parse(&text).is_ok().then_some(text)
}

/// Takes a profile out, with the comments directly above it. The default goes along, to the only one left where there is
/// one.
pub(super) fn remove(text: &str, name: &str, names: &[&str]) -> Option<String> {
    let table = DeTable::parse(text).ok()?;
    let profile = profile(&table, name)?;
    let header = profile.span();
    if !text.get(header.clone())?.starts_with('[') {
        return None;
    }
    let last = profile
        .get_ref()
        .as_table()?
        .values()
        .map(|value| value.span().end)
        .max()?;
    let mut after = text.to_owned();
    let mut edits = vec![whole_lines(text, above(text, header.start)..last)];
    if let Some(default) = table
        .get_ref()
        .get("default")
        .filter(|value| value.get_ref().as_str() == Some(name))
    {
        let left: Vec<&&str> = names.iter().filter(|other| **other != name).collect();
        edits.push(match left.as_slice() {
            [only] => (default.span(), quoted(only)),
            _ => whole_lines(text, default.span()),
        });
    }
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, new) in edits {
        after.replace_range(range, &new);
    }
    Some(after)
}

impl Entry {
    /// Returns the keys and values, as they are written.
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("url", quoted(&self.url)), ("pat", quoted(&self.pat))];
        if self.allow_http {
            lines.push(("allow_http", "true".into()));
        }
        if let Some(path) = &self.ca_file {
            lines.push(("ca_file", quoted(path)));
        }
        lines
    }
}

/// Changes the keys of a profile that is there, and leaves those alone that say the same already.
fn replace(text: &str, entry: &Entry) -> Option<String> {
    let table = DeTable::parse(text).ok()?;
    let profile = profile(&table, &entry.name)?;
    let keys = profile.get_ref().as_table()?;
    let has_header = text.get(profile.span())?.starts_with('[');
    let last = keys.values().map(|value| value.span().end).max()?;
    let end = text
        .get(last..)?
        .find('\n')
        .map_or(text.len(), |length| last + length);
    let (mut edits, mut new) = (Vec::new(), String::new());
    for (key, value) in entry.lines() {
        match keys.get(key) {
            Some(present) if says(present.get_ref(), key, entry) => {}
            Some(present) => edits.push((present.span(), value)),
            None if !has_header => return None,
            None => {
                let _ = write!(new, "\n{key} = {value}");
            }
        }
    }
    edits.push((end..end, new));
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut after = text.to_owned();
    for (range, new) in edits {
        after.replace_range(range, &new);
    }
    Some(after)
}

/// Tells whether a value says what the entry does.
fn says(value: &DeValue<'_>, key: &str, entry: &Entry) -> bool {
    match key {
        "url" => value
            .as_str()
            .is_some_and(|url| Server::parse(url) == Server::parse(&entry.url)),
        "pat" => value.as_str() == Some(&entry.pat),
        "ca_file" => value.as_str() == entry.ca_file.as_deref(),
        _ => value.as_bool() == Some(true),
    }
}

/// Finds a profile.
fn profile<'a, 'b>(
    table: &'a Spanned<DeTable<'b>>,
    name: &str,
) -> Option<&'a Spanned<DeValue<'b>>> {
    table
        .get_ref()
        .get("profiles")?
        .get_ref()
        .as_table()?
        .get(name)
}

/// Writes the default above the first line that is no comment, and below the comments that head the file.
fn set_default(text: &mut String, line: &str, first: Option<usize>) {
    let Some(first) = first else {
        // Nothing but comments: they stay above.
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(line);
        return;
    };
    let place = above(text, first);
    let is_header = text
        .get(first..)
        .is_some_and(|rest| rest.trim_start().starts_with('['));
    text.insert_str(
        place,
        &if is_header {
            format!("{line}\n")
        } else {
            line.to_owned()
        },
    );
}

/// Returns where the comments begin that stand directly above a line.
fn above(text: &str, place: usize) -> usize {
    let mut start = line_start(text, place);
    while let Some(before) = text
        .get(..start)
        .and_then(|before| before.strip_suffix('\n'))
    {
        let line = line_start(text, before.len());
        if !text
            .get(line..start)
            .is_some_and(|line| line.trim_start().starts_with('#'))
        {
            break;
        }
        start = line;
    }
    start
}

/// Returns where the line begins that a place is in.
fn line_start(text: &str, place: usize) -> usize {
    text.get(..place)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |line| line + 1)
}

/// Widens a range to the whole of its lines, with the blank line behind them where there is one before them as well, and
/// returns it as an edit that takes it away.
fn whole_lines(text: &str, range: Range<usize>) -> (Range<usize>, String) {
    let start = line_start(text, range.start);
    let rest = text.get(range.end..).unwrap_or_default();
    let mut end = rest
        .find('\n')
        .map_or(text.len(), |length| range.end + length + 1);
    let stands_alone = text
        .get(..start)
        .is_none_or(|before| before.is_empty() || before.ends_with("\n\n"));
    if stands_alone && text.get(end..).is_some_and(|rest| rest.starts_with('\n')) {
        end += 1;
    }
    (start..end, String::new())
}

/// Writes a key.
fn key(name: &str) -> String {
    let is_bare = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_bare {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// Writes a string: <https://toml.io/en/v1.0.0#string>.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
