//! Before and after, byte by byte.

use std::collections::BTreeMap;

use super::*;

fn entry(name: &str) -> ProfileEntry {
    ProfileEntry { name: name.into(), url: "https://h".into(), pat: "stored".into(), allow_http: false, ca_file: None }
}

fn with_more(name: &str) -> ProfileEntry {
    ProfileEntry { allow_http: true, ca_file: Some("/a b.pem".into()), ..entry(name) }
}

fn put(text: &str, entry: &ProfileEntry) -> Option<String> {
    Document::parse(text)?.put(entry)
}

fn remove(text: &str, name: &str) -> Option<String> {
    Document::parse(text)?.remove(name)
}

fn from_windows(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// A profile as it is written.
const NEW: &str = "[profiles.new]\nurl = \"https://h\"\npat = \"stored\"\n";

/// Profiles with comments wherever there is room for them.
const A: &str = "# of a\n[profiles.a] # x\nurl = 'https://a'\npat=['pass',\n  'show'] # y\n";
const B: &str = "# of b\n[profiles.b]\n# one\nurl = 'https://b' # two\ntimeout = 5\npat = 'env:B'\n";

const DOTTED: &str = "profiles.a.url = 'https://a'\nprofiles.a.pat = 'env:A' # x\n";

const INLINE: &str = "default = 'a'\n[profiles]\n# of a\na = { url = 'https://a', pat = 'env:A' } # x\n\
    b = { url = 'https://b', pat = 'env:B' }\n";

/// The profiles with what may be above, between and below them.
fn two(default: &str, a: &str, between: &str, b: &str) -> String {
    format!("# head\n\ndefault = {default} # why\n\n{a}{between}# part two\n\n{b}\n# end\n")
}

#[test]
fn a_profile_is_put_in_and_nothing_else_changes() {
    let two = two("'a'", A, "\n", B);
    let same = "[profiles.new]\nurl = 'HTTPS://H:443/'\npat = 'stored'";
    let more = "allow_http = true\nca_file = \"/a b.pem\"\n";
    let dotted = "  profiles.a.url = 'https://h'\n  profiles.a.pat = 'stored'\n";
    let dotted_more = "  profiles.a.allow_http = true\n  profiles.a.ca_file = \"/a b.pem\"\n";
    for (old, entry, wanted) in [
        // The first profile becomes the default, and an only one stays the one that is used.
        ("", entry("new"), format!("default = \"new\"\n\n{NEW}")),
        ("# mine", entry("new"), format!("# mine\ndefault = \"new\"\n\n{NEW}")),
        ("[profiles]\n", with_more("new"), format!("default = \"new\"\n\n[profiles]\n\n{NEW}{more}")),
        (
            &format!("# head\n\n# of a\n{DOTTED}"),
            entry("new"),
            format!("# head\n\ndefault = \"a\"\n\n# of a\n{DOTTED}\n{NEW}"),
        ),
        (&two, entry("new"), format!("{two}\n{NEW}")),
        // One that is there keeps its place, its comments, its other keys, and what says the same already.
        (&two, entry("b"), two.replace("'https://b'", "\"https://h\"").replace("'env:B'", "\"stored\"")),
        (same, with_more("new"), format!("{same}\n{more}")),
        (dotted.trim_end(), with_more("a"), format!("{dotted}{dotted_more}")),
        (INLINE, entry("a"), INLINE.replace("'https://a'", "\"https://h\"").replace("'env:A'", "\"stored\"")),
    ] {
        assert_eq!(put(old, &entry), Some(wanted.clone()), "{old}");
        if old.contains('\n') {
            assert_eq!(put(&from_windows(old), &entry), Some(from_windows(&wanted)), "{old}");
        }
    }
}

#[test]
fn a_profile_is_removed_with_the_comments_directly_above_it() {
    let three = "# head\n\ndefault = 'a'\n[profiles.a]\nx = 1\n[profiles.b]\nx = 2\n[profiles.c]\nx = 3\n";
    let dotted = format!("# head\n\n{DOTTED}\n{NEW}");
    for (old, name, wanted) in [
        (NEW.trim_end(), "new", ""),
        (&two("'a'", A, "\n", B), "a", &two("\"b\"", "", "", B)),
        (&two("'a'", A, "\n", B), "b", &two("'a'", A, "\n", "").replace("\n\n\n", "\n\n")),
        // The default goes when nothing says which is next.
        (three, "a", "# head\n\n[profiles.b]\nx = 2\n[profiles.c]\nx = 3\n"),
        ("# head\n\ndefault = 'a'\n[profiles.a]\nx = 1\n# end\n", "a", "# head\n\n# end\n"),
        (&dotted, "a", &format!("# head\n\n\n{NEW}")),
        (INLINE, "a", "default = \"b\"\n[profiles]\nb = { url = 'https://b', pat = 'env:B' }\n"),
        ("default = 'a'\nprofiles = { a = { url = 'https://a', pat = 'env:A' } } # x\n", "a", ""),
    ] {
        assert_eq!(remove(old, name).as_deref(), Some(wanted), "{old}");
        assert_eq!(remove(&from_windows(old), name), Some(from_windows(wanted)), "{old}");
    }
}

#[test]
fn what_toml_needs_quotes_for_is_read_again_as_it_was() {
    let asked = ProfileEntry { pat: "cmd:a 'b' \"c\" \\ ü \u{1}\u{7f}".into(), ..entry("\"\\é") };
    let text = put("", &asked).unwrap();
    let root = DeTable::parse(&text).unwrap().into_inner();
    let profile = root["profiles"].as_ref()[asked.name.as_str()].as_ref();
    assert_eq!(profile["pat"].as_ref().as_str(), Some(asked.pat.as_str()));
    assert_eq!((put(&text, &asked), remove(&text, &asked.name)), (Some(text), Some(String::new())));
}

#[test]
fn what_is_to_be_written_or_removed_by_hand_is_named() {
    let only = "[profiles.a] # x\nurl = 'https://a'\n\n# where\npat = [\n  'show',\n]\n# end\n";
    let table = "default = 'a'\nprofiles = { a = { url = 'https://a', pat = 'env:A' } } # x\n";
    let lines = |text: &str, entry: &ProfileEntry| Document::parse(text).unwrap().lines_to_write(entry).join("\n");
    assert_eq!(lines(only, &entry("new")) + "\n", format!("default = \"a\"\n{NEW}"));
    assert_eq!(lines(only, &entry("a")) + "\n", NEW.replace("new", "a"));
    assert_eq!((put(table, &entry("new")), put(INLINE, &with_more("a"))), (None, None));
    assert_eq!(lines(table, &entry("new")), "new = { url = \"https://h\", pat = \"stored\" }");
    assert!(lines(INLINE, &with_more("a")).ends_with("pat = \"stored\", allow_http = true, ca_file = \"/a b.pem\" }"));
    let lines = |text: &str| Document::parse(text).unwrap().lines_to_remove("a").join("\n");
    assert_eq!(lines(only), "[profiles.a] # x\nurl = 'https://a'\n# where\npat = [\n  'show',\n]");
    assert_eq!(lines(DOTTED), "profiles.a.pat = 'env:A'\nprofiles.a.url = 'https://a'");
}

#[test]
fn whatever_the_file_looks_like_only_the_profile_concerned_changes() {
    let pieces = "# a comment\n|\n|\n\n|default = 'a'\n|[profiles.a]\nurl = 'https://a'\npat = 'env:A'\n|[profiles]\n|\
        [profiles.'b c'] # b\npat = \"\"\"\n# no comment\n[profiles.z]\n\"\"\"\nurl = \"https://b\" # x\n|\
        [profiles.new]\n# in\npat = [ 'x', # y\n 'z' ]\n\n# mid\nurl = 'https://n'\n|\
        [ profiles . d ]\n url = 'https://d'\n pat = \"# no\\\"\"\n|e = { url = 'https://e', pat = 'env:E' }\n|\
        profiles.f.url = 'https://f'\nprofiles.f.pat = 'f'\n|\x20 # indented\n|\r\n# windows\r\n|\
        profiles = { g = { url = 'https://g', pat = 'g' } }\n|\
        [profiles.h]\nurl = 'https://h'\npat = \"\"\"\n# no comment\"\"\"\n";
    let pieces: Vec<&str> = pieces.split('|').collect();
    let (mut done, mut refused) = (0, 0);
    for _ in 0..2_000 {
        let text: String = (0..fastrand::usize(1..9)).map(|_| pieces[fastrand::usize(..pieces.len())]).collect();
        let Some(before) = profiles_of(&text) else { continue };
        let put_in = put(&text, &entry("new")).filter(|after| put(after, &entry("new")).as_ref() == Some(after));
        let removed = before.keys().map(|name| (false, name.as_str(), remove(&text, name)));
        for (is_put, name, after) in once((true, "new", put_in)).chain(removed) {
            // What `edit` would refuse: other profiles that are not what they were.
            let Some(after) = after.filter(|after| others(after, name) == others(&text, name)) else {
                refused += 1;
                continue;
            };
            assert_eq!(profiles_of(&after).unwrap().contains_key(name), is_put, "{text:?}\n{after:?}");
            let (longer, shorter) = if is_put { (&after, &text) } else { (&text, &after) };
            let is_changed = is_put && before.contains_key(name);
            assert!(is_changed || has_lines_of(longer, shorter), "{text:?}\n{after:?}");
            done += 1;
        }
    }
    assert!(done > 1_000 && refused < done / 2, "{done} {refused}");
}

/// Returns whether a text has all lines of another, in their order. What a changed default says does not count.
fn has_lines_of(text: &str, other: &str) -> bool {
    let mut lines = text.lines();
    other.lines().all(|wanted| {
        lines.any(|line| line == wanted || wanted.starts_with("default = ") && line.starts_with("default = "))
    })
}

/// Returns the profiles of a text with what they say; `None` where it is not TOML, or has keys that no profile has.
fn profiles_of(text: &str) -> Option<BTreeMap<String, String>> {
    let root = DeTable::parse(text).ok()?.into_inner();
    let profiles = root.get("profiles").and_then(|value| value.get_ref().as_table()).into_iter().flatten();
    let of = |(name, value): (&Key<'_>, &Value<'_>)| {
        let table = value.get_ref().as_table().filter(|keys| keys.values().all(|value| !value.get_ref().is_table()))?;
        let keys = table.iter().map(|(key, value)| format!("{:?} {:?};", key.get_ref(), value.get_ref().as_str()));
        Some((name.get_ref().to_string(), keys.collect()))
    };
    profiles.map(of).collect()
}

fn others(text: &str, but: &str) -> BTreeMap<String, String> {
    let mut profiles = profiles_of(text).unwrap_or_default();
    profiles.remove(but);
    profiles
}
