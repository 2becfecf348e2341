//! Before and after, byte by byte.

use toml::de::{DeTable, DeValue};

use super::*;

fn entry(name: &str) -> ProfileEntry {
    ProfileEntry { name: name.into(), url: "https://h".into(), pat: "stored".into(), allow_http: false, ca_file: None }
}

/// Puts an entry in, if that is possible.
fn put(text: &str, entry: &ProfileEntry) -> Option<String> {
    Document::parse(text)?.put(entry)
}

/// Takes a profile out, if that is possible.
fn remove(text: &str, name: &str) -> Option<String> {
    Document::parse(text)?.remove(name)
}

/// Puts an entry in and returns the text.
#[track_caller]
fn with(text: &str, entry: &ProfileEntry) -> String {
    put(text, entry).unwrap_or_else(|| panic!("{text:?}"))
}

/// Takes a profile out and returns the text.
#[track_caller]
fn without(text: &str, name: &str) -> String {
    remove(text, name).unwrap_or_else(|| panic!("{text:?}"))
}

/// A profile as it is written.
const NEW: &str = "[profiles.new]\nurl = \"https://h\"\npat = \"stored\"\n";

#[test]
fn the_first_profile_is_the_default() {
    let wanted = format!("default = \"new\"\n\n{NEW}");
    assert_eq!(with("", &entry("new")), wanted);
    assert_eq!(with("# mine", &entry("new")), format!("# mine\n{wanted}"));
    assert_eq!(with("# mine\n\n", &entry("new")), format!("# mine\n\n{wanted}"));
    assert_eq!(with("[profiles]\n", &entry("new")), format!("default = \"new\"\n\n[profiles]\n\n{NEW}"));
}

#[test]
fn an_only_profile_stays_the_one_that_is_used() {
    let old = "# head\n\n# of a\n[profiles.a] # x\nurl = 'https://a'\npat   =   'env:A' # y\n# end\n";
    assert_eq!(
        with(old, &entry("new")),
        "# head\n\ndefault = \"a\"\n\n# of a\n[profiles.a] # x\nurl = 'https://a'\npat   =   'env:A' # y\n# end\n\n[profiles.new]\nurl = \"https://h\"\npat = \"stored\"\n"
    );
}

#[test]
fn a_profile_gets_company_and_nothing_else_changes() {
    let old = "# head\ndefault = 'a'   # why\n\n[profiles.b]\npat='env:B'\nurl='https://b'\n\n\n[profiles.a]\nurl = \"https://a\"\npat = [\"pass\",\n  \"show\"] # list\n";
    assert_eq!(with(old, &entry("new")), format!("{old}\n{NEW}"));
}

#[test]
fn a_profile_that_is_there_keeps_its_place_its_comments_and_its_other_keys() {
    let old = "default = \"a\"\n[profiles.new]\n# one\nurl = 'https://old' # two\ntimeout = 5\npat = \"env:X\" # three\n# four\n[profiles.a]\nurl = 'https://a'\npat = 'env:A'\n";
    assert_eq!(
        with(old, &entry("new")),
        "default = \"a\"\n[profiles.new]\n# one\nurl = \"https://h\" # two\ntimeout = 5\npat = \"stored\" # three\n# four\n[profiles.a]\nurl = 'https://a'\npat = 'env:A'\n"
    );
}

#[test]
fn what_says_the_same_already_is_not_written_anew() {
    let old = "[profiles.new]\nurl = 'HTTPS://H:443/'\npat = 'stored'\n";
    assert_eq!(with(old, &entry("new")), old);
}

#[test]
fn the_other_keys_are_written_where_they_are_asked_for() {
    let asked = ProfileEntry { allow_http: true, ca_file: Some("/a b.pem".into()), ..entry("new") };
    let new = format!("{NEW}allow_http = true\nca_file = \"/a b.pem\"\n");
    assert_eq!(with("", &asked), format!("default = \"new\"\n\n{new}"));
}

#[test]
fn a_name_that_needs_quotes_gets_them() {
    let text = with("", &entry("a b.c"));
    assert!(text.contains("[profiles.\"a b.c\"]") && text.contains("default = \"a b.c\""), "{text}");
}

#[test]
fn a_value_is_written_so_that_toml_reads_it_again() {
    let asked = ProfileEntry { pat: "cmd:a 'b' \"c\" \\ ü \u{1}\u{7f}".into(), ..entry("\"\\é") };
    let text = with("", &asked);
    assert!(text.ends_with(
        "[profiles.\"\\\"\\\\é\"]\nurl = \"https://h\"\npat = \"cmd:a 'b' \\\"c\\\" \\\\ ü \\u0001\\u007F\"\n"
    ));
    let root = DeTable::parse(&text).unwrap().into_inner();
    let profile = root["profiles"].as_ref()[asked.name.as_str()].as_ref();
    assert_eq!(profile["pat"].as_ref().as_str(), Some(asked.pat.as_str()));
    assert_eq!(with(&text, &asked), text);
    assert_eq!(without(&text, &asked.name), "");
}

#[test]
fn dotted_keys_are_changed_where_they_are() {
    let old = "# head\n\nprofiles.a.url = 'https://a'\nprofiles.a.pat = 'env:A' # x\n";
    let both = format!("# head\n\ndefault = \"a\"\n\n{}\n{NEW}", old.trim_start_matches("# head\n\n"));
    assert_eq!(with(old, &entry("new")), both);
    assert_eq!(without(&both, "a"), format!("# head\n\ndefault = \"new\"\n\n\n{NEW}"));
    let asked = ProfileEntry { ca_file: Some("/c".into()), ..entry("a") };
    assert_eq!(
        with(old, &asked),
        "# head\n\nprofiles.a.url = \"https://h\"\nprofiles.a.pat = \"stored\" # x\nprofiles.a.ca_file = \"/c\"\n"
    );
    let below = "[profiles]\n  a.url = 'https://h'\n  a.pat = 'stored'";
    assert_eq!(with(below, &asked), format!("{below}\n  a.ca_file = \"/c\"\n"));
}

#[test]
fn inline_tables_are_changed_where_each_has_a_line() {
    let old = "default = 'a'\n[profiles]\n# of a\na = { url = 'https://a', pat = 'env:A' } # x\nb = { url = 'https://b', pat = 'env:B' }\n";
    assert_eq!(with(old, &entry("a")), old.replace("'https://a'", "\"https://h\"").replace("'env:A'", "\"stored\""));
    assert_eq!(without(old, "a"), "default = \"b\"\n[profiles]\nb = { url = 'https://b', pat = 'env:B' }\n");
    let asked = ProfileEntry { allow_http: true, ..entry("a") };
    assert_eq!(put(old, &asked), None);
    let lines = |text: &str, entry: &ProfileEntry| Document::parse(text).unwrap().lines_to_write(entry);
    assert_eq!(lines(old, &asked), ["a = { url = \"https://h\", pat = \"stored\", allow_http = true }"]);
    let line = "default = 'a'\nprofiles = { a = { url = 'https://a', pat = 'env:A' } } # x\n";
    assert_eq!(put(line, &entry("new")), None);
    assert_eq!(lines(line, &entry("new")), ["new = { url = \"https://h\", pat = \"stored\" }"]);
    assert_eq!(without(line, "a"), "");
}

#[test]
fn what_is_to_be_written_or_removed_by_hand_is_named() {
    let old = "[profiles.a] # x\nurl = 'https://a'\n\n# where\npat = [\n  'show',\n]\n# end\n";
    let document = Document::parse(old).unwrap();
    assert_eq!(document.lines_to_write(&entry("new")).join("\n") + "\n", format!("default = \"a\"\n{NEW}"));
    assert_eq!(document.lines_to_write(&entry("a")).join("\n") + "\n", NEW.replace("new", "a"));
    let wanted = ["[profiles.a] # x", "url = 'https://a'", "# where", "pat = [", "  'show',", "]"];
    assert_eq!(document.lines_to_remove("a"), wanted);
    let dotted = Document::parse("profiles.a.url = 'https://a'\nprofiles.a.pat = 'env:A'\n").unwrap();
    assert_eq!(dotted.lines_to_remove("a"), ["profiles.a.pat = 'env:A'", "profiles.a.url = 'https://a'"]);
}

#[test]
fn a_profile_goes_with_the_comments_directly_above_it() {
    let old = "# head\n\ndefault = 'a'\n\n# of a\n[profiles.a]\nurl = 'https://a' # x\npat = 'env:A'\n\n# part two\n\n# of b\n[profiles.b]\nurl = 'https://b'\npat = 'env:B'\n\n# end\n";
    assert_eq!(
        without(old, "b"),
        "# head\n\ndefault = 'a'\n\n# of a\n[profiles.a]\nurl = 'https://a' # x\npat = 'env:A'\n\n# part two\n\n# end\n"
    );
    assert_eq!(
        without(old, "a"),
        "# head\n\ndefault = \"b\"\n\n# part two\n\n# of b\n[profiles.b]\nurl = 'https://b'\npat = 'env:B'\n\n# end\n"
    );
}

#[test]
fn the_default_goes_when_nothing_says_which_is_next() {
    let old = "# head\n\ndefault = 'a'\n[profiles.a]\nx = 1\n[profiles.b]\nx = 2\n[profiles.c]\nx = 3\n";
    assert_eq!(without(old, "a"), "# head\n\n[profiles.b]\nx = 2\n[profiles.c]\nx = 3\n");
    assert_eq!(without(old, "c"), "# head\n\ndefault = 'a'\n[profiles.a]\nx = 1\n[profiles.b]\nx = 2\n");
    let only = "# head\n\ndefault = 'a'\n[profiles.a]\nx = 1\n# end\n";
    assert_eq!(without(only, "a"), "# head\n\n# end\n");
}

#[test]
fn a_file_from_windows_keeps_its_line_ends() {
    let old = "# head\r\n\r\n# of a\r\n[profiles.a]\r\nurl = 'https://a'\r\n";
    let both = with(old, &entry("new"));
    let wanted = "# head\n\ndefault = \"a\"\n\n# of a\n[profiles.a]\nurl = 'https://a'\n\n".to_owned() + NEW;
    assert_eq!(both, wanted.replace('\n', "\r\n"));
    assert_eq!(
        without(&both, "new"),
        "# head\n\ndefault = \"a\"\n\n# of a\n[profiles.a]\nurl = 'https://a'\n".replace('\n', "\r\n")
    );
    assert_eq!(without(&both, "a"), format!("# head\n\ndefault = \"new\"\n\n{NEW}").replace('\n', "\r\n"));
}

#[test]
fn a_file_without_a_line_break_at_its_end_gets_one_where_something_is_added() {
    for old in ["default = 'a'", "default = 'a'\n[profiles.a]\nurl = 'https://a'", "default = 'a'\n# end"] {
        assert_eq!(with(old, &entry("new")), format!("{old}\n\n{NEW}"));
    }
    let old = "[profiles.new]\nurl = 'https://h'\npat = 'stored'";
    assert_eq!(with(old, &entry("new")), old);
    let asked = ProfileEntry { ca_file: Some("/c".into()), allow_http: true, ..entry("new") };
    assert_eq!(with(old, &asked), format!("{old}\nallow_http = true\nca_file = \"/c\"\n"));
    assert_eq!(without(old, "new"), "");
}

#[test]
fn what_was_put_in_can_be_taken_out_again() {
    for old in [
        "default = \"a\"\n\n[profiles.a]\nurl = 'https://a'\npat = 'env:A'\n",
        "# head\n\n# more\ndefault = \"a\" # x\n[profiles.b]\nurl = 'u'\n\n# of a\n[profiles.a]\nurl = 'https://a'\n# end",
        "default = \"a\"\nprofiles.a = { url = 'https://a', pat = 'env:A' }\n",
        "default = \"a\"\n[profiles]\n# in\na = { url = 'https://a', pat = 'env:A' }\n",
        "default = \"a\"\n[profiles]\n[profiles.a]\nurl = 'https://a'\n",
    ] {
        let text = with(old, &entry("new"));
        assert_ne!(text, old);
        assert_eq!(without(&text, "new").trim_end(), old.trim_end(), "{text}");
    }
}

#[test]
fn whatever_the_file_looks_like_only_the_profile_concerned_changes() {
    const PIECES: [&str; 15] = [
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
        "[profiles.h]\nurl = 'https://h'\npat = \"\"\"\n# no comment\"\"\"\n",
    ];
    let (mut put_in, mut taken_out, mut refused) = (0, 0, 0);
    for _ in 0..2_000 {
        let text: String = (0..fastrand::usize(1..9)).map(|_| PIECES[fastrand::usize(..PIECES.len())]).collect();
        let Some(before) = profiles_of(&text) else {
            continue;
        };
        let names: Vec<&str> = before.iter().map(|(name, _)| name.as_str()).collect();
        match put(&text, &entry("new")).filter(|after| put(after, &entry("new")).as_ref() == Some(after)) {
            Some(after) => {
                assert_eq!(others(&after, "new"), others(&text, "new"), "{text:?}\n{after:?}");
                assert!(profiles_of(&after).unwrap().iter().any(|(name, _)| name == "new"), "{text:?}\n{after:?}");
                assert!(names.contains(&"new") || has_lines_of(&after, &text), "{text:?}\n{after:?}");
                put_in += 1;
            }
            None => refused += 1,
        }
        for name in &names {
            // What `edit` would refuse: other profiles that are not what they were.
            let kept = |after: &String| others(after, name) == others(&text, name);
            match remove(&text, name).filter(kept) {
                Some(after) => {
                    assert!(profiles_of(&after).unwrap().iter().all(|(left, _)| left != name), "{text:?}\n{after:?}");
                    assert!(has_lines_of(&text, &after), "{text:?}\n{after:?}");
                    taken_out += 1;
                }
                None => refused += 1,
            }
        }
    }
    assert!(put_in > 400 && taken_out > 400 && refused < put_in, "{put_in} {taken_out} {refused}");
}

/// Tells whether a text has all lines of another, in their order. What a changed default says does not count.
fn has_lines_of(text: &str, other: &str) -> bool {
    let mut lines = text.lines();
    other.lines().all(|wanted| {
        lines.any(|line| line == wanted || wanted.starts_with("default = ") && line.starts_with("default = "))
    })
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
    let odd =
        |value: &DeValue<'_>| value.as_table().is_none_or(|keys| keys.values().any(|value| value.get_ref().is_table()));
    let is_odd = profiles.into_iter().flat_map(|profiles| profiles.values()).any(|value| odd(value.get_ref()));
    (!is_odd).then(|| list.collect())
}

fn others(text: &str, but: &str) -> Vec<(String, String)> {
    let mut profiles = profiles_of(text).unwrap_or_default();
    profiles.retain(|(name, _)| name != but);
    profiles
}
