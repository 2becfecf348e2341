//! Before and after, byte by byte.

use toml::de::{DeTable, DeValue};

use super::*;

/// Makes an entry.
fn entry(name: &str) -> Entry {
    Entry { name: name.into(), url: "https://h".into(), pat: "stored".into(), allow_http: false, ca_file: None }
}

/// Puts an entry in and returns the text; `names` are the profiles that stand in it.
fn with(text: &str, entry: &Entry, names: &[&str]) -> String {
    let mut document = text.parse().unwrap();
    put(&mut document, entry, names).unwrap();
    document.to_string()
}

/// Takes a profile out and returns the text.
fn without(text: &str, name: &str, names: &[&str]) -> String {
    let mut document = text.parse().unwrap();
    remove(&mut document, name, names).unwrap();
    document.to_string()
}

/// A profile as it is written.
const NEW: &str = "[profiles.new]\nurl = \"https://h\"\npat = \"stored\"\n";

#[test]
fn the_first_profile_is_the_default() {
    let wanted = format!("default = \"new\"\n\n{NEW}");
    assert_eq!(with("", &entry("new"), &[]), wanted);
    assert_eq!(with("# mine", &entry("new"), &[]), format!("# mine\n{wanted}"));
    assert_eq!(with("# mine\n\n", &entry("new"), &[]), format!("# mine\n\n{wanted}"));
    assert_eq!(with("[profiles]\n", &entry("new"), &[]), format!("default = \"new\"\n\n[profiles]\n\n{NEW}"));
}

#[test]
fn an_only_profile_stays_the_one_that_is_used() {
    let old = "# head\n\n# of a\n[profiles.a] # x\nurl = 'https://a'\npat   =   'env:A' # y\n# end\n";
    assert_eq!(
        with(old, &entry("new"), &["a"]),
        "# head\n\ndefault = \"a\"\n\n# of a\n[profiles.a] # x\nurl = 'https://a'\npat   =   'env:A' # y\n\n[profiles.new]\nurl = \"https://h\"\npat = \"stored\"\n# end\n"
    );
}

#[test]
fn a_profile_gets_company_and_nothing_else_changes() {
    let old = "# head\ndefault = 'a'   # why\n\n[profiles.b]\npat='env:B'\nurl='https://b'\n\n\n[profiles.a]\nurl = \"https://a\"\npat = [\"pass\",\n  \"show\"] # list\n";
    assert_eq!(with(old, &entry("new"), &["a", "b"]), format!("{old}\n{NEW}"));
}

#[test]
fn a_profile_that_is_there_keeps_its_place_its_comments_and_its_other_keys() {
    let old = "default = \"a\"\n[profiles.new]\n# one\nurl = 'https://old' # two\ntimeout = 5\npat = \"env:X\" # three\n# four\n[profiles.a]\nurl = 'https://a'\npat = 'env:A'\n";
    assert_eq!(
        with(old, &entry("new"), &["a", "new"]),
        "default = \"a\"\n[profiles.new]\n# one\nurl = \"https://h\" # two\ntimeout = 5\npat = \"stored\" # three\n# four\n[profiles.a]\nurl = 'https://a'\npat = 'env:A'\n"
    );
}

#[test]
fn what_says_the_same_already_is_not_written_anew() {
    let old = "[profiles.new]\nurl = 'HTTPS://H:443/'\npat = 'stored'\n";
    assert_eq!(with(old, &entry("new"), &["new"]), old);
}

#[test]
fn the_other_keys_are_written_where_they_are_asked_for() {
    let asked = Entry { allow_http: true, ca_file: Some("/a b.pem".into()), ..entry("new") };
    let new = format!("{NEW}allow_http = true\nca_file = \"/a b.pem\"\n");
    assert_eq!(with("", &asked, &[]), format!("default = \"new\"\n\n{new}"));
}

#[test]
fn a_name_that_needs_quotes_gets_them() {
    let text = with("", &entry("a b.c"), &[]);
    assert!(text.contains("[profiles.\"a b.c\"]") && text.contains("default = \"a b.c\""), "{text}");
}

#[test]
fn other_ways_to_write_profiles_are_kept() {
    let inline = "profiles = { a = { url = 'https://a', pat = 'env:A' } } # x\n";
    let text = with(inline, &entry("new"), &["a"]);
    assert_eq!(
        text,
        "profiles = { a = { url = 'https://a', pat = 'env:A' } , new = { url = \"https://h\", pat = \"stored\" } } # x\ndefault = \"a\"\n"
    );
    let dotted = "profiles.a.url = 'https://a'\nprofiles.a.pat = 'env:A'\n";
    let text = with(dotted, &entry("new"), &["a"]);
    assert!(text.starts_with(dotted), "{text}");
    assert_eq!(
        without(&text, "new", &["a", "new"]),
        "profiles.a.url = 'https://a'\nprofiles.a.pat = 'env:A'\ndefault = \"a\"\n"
    );
}

#[test]
fn a_profile_goes_with_the_comments_directly_above_it() {
    let old = "# head\n\ndefault = 'a'\n\n# of a\n[profiles.a]\nurl = 'https://a' # x\npat = 'env:A'\n\n# part two\n\n# of b\n[profiles.b]\nurl = 'https://b'\npat = 'env:B'\n\n# end\n";
    assert_eq!(
        without(old, "b", &["a", "b"]),
        "# head\n\ndefault = 'a'\n\n# of a\n[profiles.a]\nurl = 'https://a' # x\npat = 'env:A'\n\n# part two\n\n\n# end\n"
    );
    assert_eq!(
        without(old, "a", &["a", "b"]),
        "# head\n\ndefault = \"b\"\n\n# part two\n\n# of b\n[profiles.b]\nurl = 'https://b'\npat = 'env:B'\n\n# end\n"
    );
}

#[test]
fn the_default_goes_when_nothing_says_which_is_next() {
    let old = "# head\n\ndefault = 'a'\n[profiles.a]\nx = 1\n[profiles.b]\nx = 2\n[profiles.c]\nx = 3\n";
    assert_eq!(without(old, "a", &["a", "b", "c"]), "# head\n\n[profiles.b]\nx = 2\n[profiles.c]\nx = 3\n");
    assert_eq!(
        without(old, "c", &["a", "b", "c"]),
        "# head\n\ndefault = 'a'\n[profiles.a]\nx = 1\n[profiles.b]\nx = 2\n"
    );
    let only = "# head\n\ndefault = 'a'\n[profiles.a]\nx = 1\n# end\n";
    assert_eq!(without(only, "a", &["a"]), "# head\n\n# end\n");
}

#[test]
fn the_comments_at_the_head_stay_there_also_where_lines_end_as_on_windows() {
    let old = "# head\r\n\r\n# of a\r\n[profiles.a]\r\nurl = 'https://a'\r\n";
    assert!(with(old, &entry("new"), &["a"]).starts_with("# head\n\ndefault = \"a\"\n\n# of a\n[profiles.a]"));
    let both = old.to_owned() + "[profiles.b]\r\nurl = 'https://b'\r\n";
    assert!(without(&both, "a", &["a", "b"]).starts_with("# head\n\n"));
}

#[test]
fn what_was_put_in_can_be_taken_out_again() {
    for old in [
        "default = \"a\"\n\n[profiles.a]\nurl = 'https://a'\npat = 'env:A'\n",
        "# head\n\n# more\ndefault = \"a\" # x\n[profiles.b]\nurl = 'u'\n\n# of a\n[profiles.a]\nurl = 'https://a'\n# end",
        "default = \"a\"\nprofiles = { a = { url = 'https://a', pat = 'env:A' } }\n",
        "default = \"a\"\n[profiles]\n# in\na = { url = 'https://a', pat = 'env:A' }\n",
        "default = \"a\"\n[profiles]\n[profiles.a]\nurl = 'https://a'\n",
    ] {
        let names = if old.contains("profiles.b") { vec!["a", "b"] } else { vec!["a"] };
        let text = with(old, &entry("new"), &names);
        assert_ne!(text, old);
        let names: Vec<&str> = names.into_iter().chain(["new"]).collect();
        assert_eq!(without(&text, "new", &names).trim_end(), old.trim_end(), "{text}");
    }
}

#[test]
fn whatever_the_file_looks_like_only_the_profile_concerned_changes() {
    const PIECES: [&str; 14] = [
        "# a comment\n",
        "\n",
        "\n\n",
        "default = 'a'\n",
        "[profiles.a]\nurl = 'https://a'\npat = 'env:A'\n",
        "[profiles.'b c'] # b\npat = \"\"\"\n# no comment\n[profiles.z]\n\"\"\"\nurl = \"https://b\" # x\n",
        "[profiles.new]\n# in\npat = [ 'x', # y\n 'z' ]\n\n# mid\nurl = 'https://n'\n",
        "[ profiles . d ]\n url = 'https://d'\n pat = \"# no\\\"\"\n",
        "[profiles]\n",
        "e = { url = 'https://e', pat = 'env:E' }\n",
        "profiles.f.url = 'https://f'\nprofiles.f.pat = 'f'\n",
        "  # indented\n",
        "\r\n# windows\r\n",
        "profiles = { g = { url = 'https://g', pat = 'g' } }\n",
    ];
    let (mut put_in, mut taken_out) = (0, 0);
    for _ in 0..2_000 {
        let text: String = (0..fastrand::usize(1..9)).map(|_| PIECES[fastrand::usize(..PIECES.len())]).collect();
        let Some(before) = profiles_of(&text) else {
            continue;
        };
        let names: Vec<&str> = before.iter().map(|(name, _)| name.as_str()).collect();
        let changed = |change: &dyn Fn(&mut DocumentMut) -> Option<()>| {
            let mut document: DocumentMut = text.parse().ok()?;
            change(&mut document)?;
            Some(document.to_string())
        };
        if let Some(after) = changed(&|document| put(document, &entry("new"), &names)) {
            assert_eq!(others(&after, "new"), others(&text, "new"), "{text:?}\n{after:?}");
            assert!(profiles_of(&after).unwrap().iter().any(|(name, _)| name == "new"));
            put_in += 1;
        }
        for name in &names {
            let Some(after) = changed(&|document| remove(document, name, &names)) else {
                continue;
            };
            assert_eq!(others(&after, name), others(&text, name), "{text:?}\n{after:?}");
            taken_out += 1;
        }
    }
    assert!(put_in > 100 && taken_out > 100, "{put_in} {taken_out}");
}

/// Returns the profiles of a text with what they say; `None` where it is not TOML, or has keys that no profile has.
fn profiles_of(text: &str) -> Option<Vec<(String, String)>> {
    let table = DeTable::parse(text).ok()?;
    let profiles = table.get_ref().get("profiles").and_then(|value| value.get_ref().as_table());
    let list = profiles.into_iter().flatten().map(|(name, value)| {
        let keys = value.get_ref().as_table().into_iter().flatten();
        let keys = keys.map(|(key, value)| format!("{:?} {:?};", key.get_ref(), value.get_ref().as_str()));
        (name.get_ref().to_string(), keys.collect())
    });
    let odd = |value: &DeValue<'_>| {
        value.as_table().is_some_and(|keys| keys.values().any(|value| value.get_ref().is_table()))
    };
    let is_odd = profiles.into_iter().flat_map(|profiles| profiles.values()).any(|value| odd(value.get_ref()));
    (!is_odd).then(|| list.collect())
}

/// Returns the profiles of a text but one.
fn others(text: &str, but: &str) -> Vec<(String, String)> {
    let mut profiles = profiles_of(text).unwrap_or_default();
    profiles.retain(|(name, _)| name != but);
    profiles
}
