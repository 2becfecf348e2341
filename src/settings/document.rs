//! The settings file as a document whose every byte is kept but for what is changed. Written so that a person would have
//! written it; `None` stands for a form that nobody would.

use toml_edit::{DocumentMut, Item, Key, Table, TableLike, Value};

use crate::types::Server;

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
pub(super) fn put(document: &mut DocumentMut, entry: &Entry, names: &[&str]) -> Option<()> {
    let is_new = !names.contains(&entry.name.as_str());
    if document.is_empty() {
        // A file of nothing but comments: they stay above.
        let mut comments = document.trailing().as_str()?.to_owned();
        if !comments.is_empty() && !comments.ends_with('\n') {
            comments.push('\n');
        }
        document.set_trailing("");
        set_default(document, &entry.name);
        document.key_mut("default")?.leaf_decor_mut().set_prefix(comments);
    } else if is_new && !document.contains_key("default") {
        match names {
            [] => set_default(document, &entry.name),
            [only] => set_default(document, only),
            _ => {}
        }
    }
    if !document.contains_key("profiles") {
        let mut table = Table::new();
        table.set_implicit(true);
        document.insert("profiles", Item::Table(table));
    }
    let is_inline = document.get("profiles")?.is_inline_table();
    let profiles = document.get_mut("profiles")?.as_table_like_mut()?;
    if is_new {
        let table = Table::new();
        let item =
            if is_inline { Item::Value(Value::InlineTable(table.into_inline_table())) } else { Item::Table(table) };
        profiles.insert(&entry.name, item);
    }
    let profile = profiles.get_mut(&entry.name)?.as_table_like_mut()?;
    let same_server = |url: &str| Server::parse(url).ok() == Server::parse(&entry.url).ok();
    if !profile.get("url").and_then(Item::as_str).is_some_and(same_server) {
        set(profile, "url", entry.url.as_str().into());
    }
    if profile.get("pat").and_then(Item::as_str) != Some(&entry.pat) {
        set(profile, "pat", entry.pat.as_str().into());
    }
    if entry.allow_http {
        set(profile, "allow_http", true.into());
    }
    if let Some(path) = &entry.ca_file {
        set(profile, "ca_file", path.as_str().into());
    }
    Some(())
}

/// Takes a profile out. The default goes with it, to the only one left where there is one.
pub(super) fn remove(document: &mut DocumentMut, name: &str, names: &[&str]) -> Option<()> {
    let left: Vec<&&str> = names.iter().filter(|other| **other != name).collect();
    if document.get("default").and_then(Item::as_str) == Some(name) {
        if let [only] = left.as_slice() {
            set(document.as_table_mut(), "default", Value::from(**only));
        } else {
            let above = document.key("default").and_then(comments_of);
            document.remove("default");
            hand_on(document, &above.unwrap_or_default(), None);
        }
    }
    let profiles = document.get_mut("profiles")?.as_table_like_mut()?;
    let removed = profiles.remove(name)?;
    let is_last = profiles.is_empty();
    if let Item::Table(table) = &removed {
        let (kept, _) = split_comments(prefix_of(table));
        hand_on(document, kept, table.position());
    }
    let explicit = document.get("profiles").and_then(Item::as_table).is_some_and(|table| !table.is_implicit());
    if is_last && !explicit {
        document.remove("profiles");
    }
    Some(())
}

/// Writes the default at the top, below the comments that head the file.
fn set_default(document: &mut DocumentMut, name: &str) {
    let has_keys = document.iter().any(|(_, item)| !item.is_table());
    document.insert("default", toml_edit::value(name));
    let Some(first) = header_after(document, None).filter(|_| !has_keys) else {
        return;
    };
    let Some(table) = table_of(document, &first) else {
        return;
    };
    let prefix = prefix_of(table).to_owned();
    let (head, own) = split_comments(&prefix);
    table.decor_mut().set_prefix(format!("\n{own}"));
    if let Some(mut key) = document.key_mut("default") {
        key.leaf_decor_mut().set_prefix(head);
    }
}

/// Gives comments to the first table with a header behind a position, or to the end of the file.
fn hand_on(document: &mut DocumentMut, comments: &str, position: Option<isize>) {
    if comments.trim().is_empty() {
        return;
    }
    if let Some(next) = header_after(document, position)
        && let Some(table) = table_of(document, &next)
    {
        let prefix = format!("{comments}{}", prefix_of(table));
        table.decor_mut().set_prefix(prefix);
    } else {
        let trailing = document.trailing().as_str().unwrap_or_default();
        let trailing = format!("{comments}{trailing}");
        document.set_trailing(trailing);
    }
}

/// Splits what stands above a table into what a blank line parts from it, with that line, and what is directly above.
fn split_comments(prefix: &str) -> (&str, &str) {
    // The last line with nothing in it, also where lines end as on Windows.
    let mut end = 0;
    let mut blank = 0;
    for line in prefix.split_inclusive('\n') {
        end += line.len();
        if line.trim().is_empty() && line.ends_with('\n') {
            blank = end;
        }
    }
    prefix.split_at(blank)
}

/// Returns what stands above a table's header.
fn prefix_of(table: &Table) -> &str {
    let prefix = table.decor().prefix();
    prefix.and_then(|prefix| prefix.as_str()).unwrap_or_default()
}

/// Returns the comments above a key.
fn comments_of(key: &Key) -> Option<String> {
    Some(key.leaf_decor().prefix()?.as_str()?.to_owned())
}

/// A table with a header of its own.
enum Header {
    /// `[profiles]`.
    Profiles,
    /// `[profiles.NAME]`.
    Profile(String),
}

/// Returns the first table with a header of its own behind a position.
fn header_after(document: &DocumentMut, position: Option<isize>) -> Option<Header> {
    let profiles = document.get("profiles")?.as_table()?;
    let own = (!profiles.is_implicit()).then_some((profiles, Header::Profiles));
    let below = profiles.iter().filter_map(|(name, item)| {
        let table = item.as_table().filter(|table| !table.is_dotted())?;
        Some((table, Header::Profile(name.to_owned())))
    });
    let all = own.into_iter().chain(below);
    let behind = all.filter(|(table, _)| table.position() > position);
    let first = behind.min_by_key(|(table, _)| table.position());
    first.map(|(_, header)| header)
}

/// Returns the table of a header, to change it.
fn table_of<'a>(document: &'a mut DocumentMut, header: &Header) -> Option<&'a mut Table> {
    let profiles = document.get_mut("profiles")?.as_table_mut()?;
    match header {
        Header::Profiles => Some(profiles),
        Header::Profile(name) => profiles.get_mut(name)?.as_table_mut(),
    }
}

/// Sets a key, and keeps what stands around its value.
fn set(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(present) => {
            *value.decor_mut() = present.decor().clone();
            *present = value;
        }
        None => _ = table.insert(key, Item::Value(value)),
    }
}

#[cfg(test)]
mod tests;
