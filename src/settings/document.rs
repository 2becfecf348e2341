//! The settings as text: a change touches the bytes that it is about, which the spans of `toml` show, and no other. Not
//! every form can be changed so, which is why the result has to be read again before it is used.

use std::borrow::Cow;
use std::iter::once;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::types::Server;

/// A profile as it is to be in the settings.
#[derive(Debug, Clone)]
pub(crate) struct ProfileEntry {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) pat: String,
    /// Whether plain http is allowed from now on.
    pub(crate) allow_http: bool,
    pub(crate) ca_file: Option<String>,
}

impl ProfileEntry {
    /// Returns the keys to write, with their values in TOML.
    fn keys(&self) -> impl Iterator<Item = (&'static str, String)> {
        let allow_http = self.allow_http.then(|| ("allow_http", "true".to_owned()));
        let ca_file = self.ca_file.as_ref().map(|path| ("ca_file", quoted(path)));
        [("url", quoted(&self.url)), ("pat", quoted(&self.pat))].into_iter().chain(allow_http).chain(ca_file)
    }

    fn assignments(&self) -> impl Iterator<Item = String> {
        self.keys().map(|(key, value)| format!("{key} = {value}"))
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        once(format!("[profiles.{}]", key(&self.name))).chain(self.assignments())
    }

    /// Returns whether a value says the same already, and stays as it is written.
    fn is_said(&self, key: &str, value: &str, present: &DeValue<'_>) -> bool {
        match present {
            DeValue::String(url) if key == "url" => Server::parse(url).ok() == Server::parse(&self.url).ok(),
            DeValue::String(text) => quoted(text) == value,
            _ => false,
        }
    }
}

type Key<'a> = Spanned<Cow<'a, str>>;
type Value<'a> = Spanned<DeValue<'a>>;
/// A range of the text, and what is to be there instead.
type Edit = (Range<usize>, String);

/// What editors on Windows begin a file with.
const BYTE_ORDER_MARK: &str = "\u{feff}";

pub(super) struct Document<'a> {
    text: &'a str,
    /// Whether a byte-order mark was before the text.
    is_marked: bool,
    root: DeTable<'a>,
}

impl<'a> Document<'a> {
    /// Parses a text; `None` where it is not TOML.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let body = text.strip_prefix(BYTE_ORDER_MARK);
        let (text, is_marked) = (body.unwrap_or(text), body.is_some());
        Some(Self { text, is_marked, root: DeTable::parse(text).ok()?.into_inner() })
    }

    /// Puts a profile in, or changes the one of its name. The first one is the default, and stays it when others come.
    pub(super) fn put(&self, entry: &ProfileEntry) -> Option<String> {
        self.with(match self.profile(&entry.name) {
            Some((_, profile)) => self.change(profile, entry)?,
            None => self.add(entry),
        })
    }

    fn add(&self, entry: &ProfileEntry) -> Vec<Edit> {
        let is_above = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
        let (first, end) = (self.text.split_inclusive('\n').take_while(is_above).map(str::len).sum(), self.text.len());
        let mut edits = Vec::new();
        if let Some(name) = self.missing_default(entry) {
            let at = if first == end { end } else { self.with_comments_above(first) };
            edits.push((at..at, format!("default = {}\n\n", quoted(name))));
        }
        let gap = if first == end || ends_blank(self.text) { "" } else { "\n" };
        edits.push((end..end, entry.lines().fold(gap.to_owned(), |added, line| added + &line + "\n")));
        edits
    }

    fn change(&self, profile: &Value<'_>, entry: &ProfileEntry) -> Option<Vec<Edit>> {
        let table = profile.get_ref().as_table()?;
        let (last, value) = table.iter().max_by_key(|(_, value)| value.span().end)?;
        // Its indentation, or the `profiles.NAME.` of a dotted key.
        let before = self.text.get(self.lines(last.span()).start..last.span().start)?;
        let end = self.lines(value.span()).end;
        let edit = |(key, value): (&str, String)| match table.get(key) {
            Some(present) if entry.is_said(key, &value, present.get_ref()) => None,
            Some(present) => Some((present.span(), value)),
            None => Some((end..end, format!("{before}{key} = {value}\n"))),
        };
        Some(entry.keys().filter_map(edit).collect())
    }

    /// Takes a profile out, with the comments directly above it. The default goes too, or becomes the only one left.
    pub(super) fn remove(&self, name: &str) -> Option<String> {
        let mut edits = Vec::new();
        if let Some((key, value)) = self.default_of(name) {
            let left: Vec<&str> = self.names().filter(|left| *left != name).collect();
            edits.push(match left.as_slice() {
                [only] => (value.span(), quoted(only)),
                _ => (self.with_gap(self.lines(key.span().start..value.span().end)), String::new()),
            });
        }
        for piece in self.pieces(self.profile(name)?) {
            let Range { start, end } = self.lines(piece);
            edits.push((self.with_gap(self.with_comments_above(start)..end), String::new()));
        }
        self.with(edits)
    }

    pub(super) fn lines_to_write(&self, entry: &ProfileEntry) -> Vec<String> {
        let default = self.missing_default(entry).filter(|name| *name != entry.name);
        let default = default.map(|name| format!("default = {}", quoted(name))).into_iter();
        let present = self.profile(&entry.name).map(|(_, profile)| profile).or_else(|| self.root.get("profiles"));
        if present.is_some_and(|value| self.text.as_bytes().get(value.span().start) == Some(&b'{')) {
            let assignments: Vec<String> = entry.assignments().collect();
            return default.chain([format!("{} = {{ {} }}", key(&entry.name), assignments.join(", "))]).collect();
        }
        default.chain(entry.lines()).collect()
    }

    pub(super) fn lines_to_remove(&self, name: &str) -> Vec<String> {
        let default = self.default_of(name).map(|(key, value)| key.span().start..value.span().end);
        let pieces = self.profile(name).map(|profile| self.pieces(profile)).unwrap_or_default();
        let lines = default.into_iter().chain(pieces).filter_map(|piece| self.text.get(piece)).flat_map(str::lines);
        lines.filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
    }

    fn profiles(&self) -> Option<&DeTable<'_>> {
        self.root.get("profiles")?.get_ref().as_table()
    }

    fn profile(&self, name: &str) -> Option<(&Key<'_>, &Value<'_>)> {
        self.profiles()?.get_key_value(name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles().into_iter().flatten().map(|(name, _)| name.get_ref().as_ref())
    }

    fn default_of(&self, name: &str) -> Option<(&Key<'_>, &Value<'_>)> {
        self.root.get_key_value("default").filter(|(_, value)| value.get_ref().as_str() == Some(name))
    }

    /// Names the profile that has to become the default when a new one comes in.
    fn missing_default<'b>(&'b self, entry: &'b ProfileEntry) -> Option<&'b str> {
        let names: Vec<&str> = self.names().collect();
        match names.as_slice() {
            _ if self.root.contains_key("default") => None,
            [] => Some(&entry.name),
            [only] if *only != entry.name => Some(only),
            _ => None,
        }
    }

    /// Returns where a profile is: from its header to its last value, an inline table, or dotted keys here and there.
    fn pieces(&self, (name, value): (&Key<'_>, &Value<'_>)) -> Vec<Range<usize>> {
        let keys: Vec<_> = value.get_ref().as_table().into_iter().flatten().collect();
        let Range { start, end } = value.span();
        let piece = match self.text.as_bytes().get(start) {
            Some(b'[') => start..keys.iter().map(|(_, value)| value.span().end).max().unwrap_or(end),
            Some(b'{') => name.span().start..end,
            _ => return keys.into_iter().map(|(key, value)| self.lines(key.span()).start..value.span().end).collect(),
        };
        vec![piece]
    }

    /// Returns where the comments directly above a line begin.
    fn with_comments_above(&self, start: usize) -> usize {
        let above = self.text.get(..start).unwrap_or_default().split_inclusive('\n').rev();
        start - above.take_while(|line| line.trim_start().starts_with('#')).map(str::len).sum::<usize>()
    }

    /// Extends a range by blank lines that would be left double, or at an end of the file.
    fn with_gap(&self, Range { start, end }: Range<usize>) -> Range<usize> {
        let above = self.text.get(..start).unwrap_or_default();
        let below = self.text.get(end..).filter(|_| ends_blank(above)).unwrap_or_default();
        let end = end + below.len() - below.trim_start_matches(['\r', '\n']).len();
        let last = above.trim_end_matches(['\r', '\n']).len();
        if end < self.text.len() { start..end } else { self.lines(last..last).end.min(start)..end }
    }

    fn lines(&self, range: Range<usize>) -> Range<usize> {
        let start = self.text.get(..range.start).and_then(|above| above.rfind('\n')).map_or(0, |at| at + 1);
        let rest = self.text.get(range.end..).and_then(|below| below.find('\n'));
        start..rest.map_or(self.text.len(), |at| range.end + at + 1)
    }

    /// Returns the text with the edits made. What is put in is whole lines; ranges that are only removed may overlap.
    fn with(&self, mut edits: Vec<Edit>) -> Option<String> {
        let first = self.text.split_inclusive('\n').next();
        let eol = if first.is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
        edits.sort_by_key(|(range, _)| range.start);
        let (mut text, mut at) = (String::new(), 0);
        for (range, new) in edits {
            text.push_str(self.text.get(at..range.start.max(at))?);
            if range.is_empty() && !text.is_empty() && !text.ends_with('\n') {
                text.push_str(eol);
            }
            text.push_str(&new.replace('\n', eol));
            at = range.end.max(at);
        }
        text.push_str(self.text.get(at..)?);
        DeTable::parse(&text).ok()?;
        Some(if self.is_marked { format!("{BYTE_ORDER_MARK}{text}") } else { text })
    }
}

/// Returns whether a blank line, or nothing, is at the end.
fn ends_blank(text: &str) -> bool {
    text.is_empty() || text.ends_with("\n\n") || text.ends_with("\n\r\n")
}

fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// Writes a string: <https://toml.io/en/v1.0.0#string>.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests;
