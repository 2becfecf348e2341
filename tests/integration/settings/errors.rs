//! What is wrong with the settings: each error names the file, the line, the key, and what to do, and repeats no secret.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::profile;
use crate::sandbox::{Call, Sandbox};
use crate::server::{Server, remember_pat};

/// A profile in whose place something is wrong.
const GOOD: &str = "[profiles.prod]\nurl = \"https://label.example.com\"\npat = \"stored\"\n";

/// Settings, the line that is named, and what is said of it.
#[rustfmt::skip]
const FAULTS: &[(&str, usize, &[&str])] = &[
    // Unknown keys.
    ("deflaut = \"prod\"", 1, &["unknown key deflaut at the top", "hint: valid keys: default, profiles"]),
    ("\n# note\nurl = \"https://h\"", 3, &["unknown key url at the top"]),
    ("[profile.prod]\nurl = \"https://h\"", 1, &["unknown key profile at the top"]),
    ("[profiles.prod]\nurl = \"https://h\"\npat = \"stored\"\ntoken = \"x\"", 4, &["unknown key token in profile prod", "hint: valid keys: url, pat, allow_http, ca_file, timeout, min_ttl, keep"]),
    ("[profiles.prod]\nURL = \"https://h\"", 2, &["unknown key URL in profile prod"]),
    ("[profiles.prod.url]\nx = 1", 1, &["url must be a string"]),
    ("[profiles.prod]\n\"a\\u001b[2Jb\" = 1", 2, &["unknown key a\\u{1b}[2Jb"]),
    // Wrong types.
    ("default = 1", 1, &["default must be a string"]),
    ("default = [\"prod\"]", 1, &["default must be a string"]),
    ("profiles = \"prod\"", 1, &["profiles must be tables"]),
    ("profiles = []", 1, &["profiles must be tables"]),
    ("[[profiles]]\nurl = \"x\"", 1, &["profiles must be tables"]),
    ("[profiles]\nprod = \"https://h\"", 2, &["prod must be a table"]),
    ("[profiles.prod]\nurl = 5\npat = \"stored\"", 2, &["url must be a string"]),
    ("[profiles.prod]\npat = true\nurl = \"https://h\"", 2, &["pat must be a string or a list of strings"]),
    ("[profiles.prod]\npat = 5\nurl = \"https://h\"", 2, &["pat must be a string or a list of strings"]),
    ("[profiles.prod]\npat = { op = \"x\" }\nurl = \"https://h\"", 2, &["pat must be a string or a list of strings"]),
    ("[profiles.prod]\npat = [\"op\", 5]\nurl = \"https://h\"", 2, &["pat must be a string, or a list of strings alone"]),
    ("[profiles.prod]\nallow_http = \"yes\"", 2, &["allow_http must be true or false"]),
    ("[profiles.prod]\nallow_http = 1", 2, &["allow_http must be true or false"]),
    ("[profiles.prod]\nca_file = true", 2, &["ca_file must be a string"]),
    ("[profiles.prod]\nca_file = [\"/a\"]", 2, &["ca_file must be a string"]),
    ("[profiles.prod]\ntimeout = \"15\"", 2, &["timeout must be a whole number of seconds from 1 to 300"]),
    ("[profiles.prod]\ntimeout = 1.5", 2, &["timeout must be a whole number"]),
    ("[profiles.prod]\ntimeout = 0", 2, &["from 1 to 300"]),
    ("[profiles.prod]\ntimeout = 301", 2, &["from 1 to 300"]),
    ("[profiles.prod]\ntimeout = -1", 2, &["from 1 to 300"]),
    ("[profiles.prod]\ntimeout = 18446744073709551616", 2, &["from 1 to 300"]),
    ("[profiles.prod]\nmin_ttl = 86401", 2, &["min_ttl must be a whole number of seconds from 0 to 86400"]),
    ("[profiles.prod]\nmin_ttl = -0.5", 2, &["from 0 to 86400"]),
    ("[profiles.prod]\nmin_ttl = 2020-01-01", 2, &["from 0 to 86400"]),
    ("[profiles.prod]\nkeep = 59", 2, &["keep must be a whole number of seconds from 60 to 86400", "hint: write keep = 60, without"]),
    ("[profiles.prod]\nkeep = 86401", 2, &["from 60 to 86400"]),
    ("[profiles.prod]\nkeep = \"1h\"", 2, &["from 60 to 86400"]),
    ("[profiles.prod]\nkeep = true", 2, &["from 60 to 86400"]),
    ("[profiles.prod]\nkeep = 60\nurl = \"https://h\"\npat = \"stored\"", 2, &["keep is for a pat that a program gives: op://, cmd: or keyring", "hint: remove this line"]),
    ("[profiles.prod]\nurl = \"https://h\"\npat = \"env:X\"\nkeep = 60", 4, &["keep is for a pat that a program gives"]),
    ("[profiles.prod]\nurl = \"https://h\"\npat = \"file:/x\"\nkeep = 60", 4, &["keep is for a pat that a program gives"]),
    // What is missing.
    ("[profiles.prod]\npat = \"stored\"", 1, &["profile prod has no url", "hint: add a line such as url = \"https://"]),
    ("# note\n[profiles.prod]\nurl = \"https://h\"", 2, &["profile prod has no pat", "hint: add a line such as pat = \"op://"]),
    ("[profiles.prod]", 1, &["profile prod has no url"]),
    ("default = \"lab\"\n[profiles.prod]\nurl = \"https://h\"\npat = \"stored\"", 1, &["the default profile lab is not in the file"]),
    ("default = \"prod\"", 1, &["the default profile prod is not in the file"]),
    ("\ndefault = \"\"", 2, &["the default profile  is not in the file"]),
    // URLs.
    ("[profiles.prod]\npat = \"stored\"\nurl = \"label.example.com\"", 3, &["the url has no scheme"]),
    ("[profiles.prod]\nurl = \"\"\npat = \"stored\"", 2, &["the url has no scheme"]),
    ("[profiles.prod]\nurl = \"ftp://h\"\npat = \"stored\"", 2, &["the url has a scheme other than https and http"]),
    ("[profiles.prod]\nurl = \"https://\"\npat = \"stored\"", 2, &["the url has no host"]),
    ("[profiles.prod]\nurl = \"https://user:hunter2@h\"\npat = \"stored\"", 2, &["the url has user info in it"]),
    ("[profiles.prod]\nurl = \"https://h?x=1\"\npat = \"stored\"", 2, &["the url has a query or a fragment"]),
    ("[profiles.prod]\nurl = \"https://h/#x\"\npat = \"stored\"", 2, &["the url has a query or a fragment"]),
    ("[profiles.prod]\nurl = \"https://h/a/../b\"\npat = \"stored\"", 2, &["the url has an empty or a dot segment"]),
    ("[profiles.prod]\nurl = \"https://h \"\npat = \"stored\"", 2, &["the url has white space in it"]),
    ("[profiles.prod]\nurl = \"https://h\\n\"\npat = \"stored\"", 2, &["the url has white space in it"]),
    ("[profiles.prod]\nurl = \"https://h\\\\@evil\"\npat = \"stored\"", 2, &["a character that no URL has"]),
    ("[profiles.prod]\nurl = \"https://bücher.example\"\npat = \"stored\"", 2, &["is not ASCII", "xn--"]),
    ("[profiles.prod]\nurl = \"https://h:99999\"\npat = \"stored\"", 2, &["a port outside 1 to 65535"]),
    ("[profiles.prod]\nurl = \"https://h.\"\npat = \"stored\"", 2, &["a dot at its end"]),
    ("[profiles.prod]\nurl = \"https://127.1\"\npat = \"stored\"", 2, &["not four decimal numbers"]),
    ("[profiles.prod]\nurl = \"http://label.example.com\"\npat = \"stored\"", 2, &["plain http to http://label.example.com", "hint: use https, or add `allow_http = true`"]),
    ("[profiles.prod]\nallow_http = false\nurl = \"http://label.example.com\"\npat = \"stored\"", 3, &["plain http to"]),
    // Sources.
    ("[profiles.prod]\npat = \"\"\nurl = \"https://h\"", 2, &["pat is not a known source", "hint: pat is one of op://VAULT/ITEM/FIELD, env:NAME, file:PATH, cmd:COMMAND"]),
    ("[profiles.prod]\npat = \"vault\"\nurl = \"https://h\"", 2, &["pat is not a known source"]),
    ("[profiles.prod]\npat = \"Stored\"\nurl = \"https://h\"", 2, &["pat is not a known source"]),
    ("[profiles.prod]\npat = \"op:/x\"\nurl = \"https://h\"", 2, &["pat is not a known source"]),
    ("[profiles.prod]\npat = \"env:\"\nurl = \"https://h\"", 2, &["pat names no variable after env:"]),
    ("[profiles.prod]\npat = \"env:MY-PAT\"\nurl = \"https://h\"", 2, &["pat names no variable after env:"]),
    ("[profiles.prod]\npat = \"env:1PAT\"\nurl = \"https://h\"", 2, &["pat names no variable after env:"]),
    ("[profiles.prod]\npat = \"env:A=B\"\nurl = \"https://h\"", 2, &["pat names no variable after env:"]),
    ("[profiles.prod]\npat = \"env:$PAT\"\nurl = \"https://h\"", 2, &["pat names no variable after env:"]),
    ("[profiles.prod]\npat = \"file:\"\nurl = \"https://h\"", 2, &["depends on the current directory", "hint: begin the path with / or ~/"]),
    ("[profiles.prod]\npat = \"file:lab.pat\"\nurl = \"https://h\"", 2, &["the path lab.pat, which depends on the current directory"]),
    ("[profiles.prod]\npat = \"file:./lab.pat\"\nurl = \"https://h\"", 2, &["depends on the current directory"]),
    ("[profiles.prod]\npat = \"file:../lab.pat\"\nurl = \"https://h\"", 2, &["depends on the current directory"]),
    ("[profiles.prod]\npat = \"file:~someone/lab.pat\"\nurl = \"https://h\"", 2, &["depends on the current directory"]),
    ("[profiles.prod]\nca_file = \"lab.pem\"", 2, &["the path lab.pem depends on the current directory", "hint: begin it with / or ~/"]),
    ("[profiles.prod]\nca_file = \"\"", 2, &["depends on the current directory"]),
    ("[profiles.prod]\npat = \"cmd:\"\nurl = \"https://h\"", 2, &["pat names no command"]),
    ("[profiles.prod]\npat = \"cmd:  \"\nurl = \"https://h\"", 2, &["pat names no command"]),
    ("[profiles.prod]\npat = \"cmd:'' x\"\nurl = \"https://h\"", 2, &["pat names an empty command"]),
    ("[profiles.prod]\npat = []\nurl = \"https://h\"", 2, &["pat names no command"]),
    ("[profiles.prod]\npat = [\"\"]\nurl = \"https://h\"", 2, &["pat names an empty command"]),
    ("[profiles.prod]\npat = \"cmd:pass 'show\"\nurl = \"https://h\"", 2, &["pat has a quote in its command that is not closed"]),
    ("[profiles.prod]\npat = \"cmd:pass show x | head -1\"\nurl = \"https://h\"", 2, &["pat has a shell operator in its command", "write [\"sh\", \"-c\", "]),
    ("[profiles.prod]\npat = \"cmd:./pass show\"\nurl = \"https://h\"", 2, &["relative to the current directory"]),
    ("[profiles.prod]\npat = [\"bin/pass\"]\nurl = \"https://h\"", 2, &["relative to the current directory"]),
    // Not TOML.
    ("default = prod", 1, &["the settings are not TOML"]),
    ("\n\n[profiles.prod\nurl = \"https://h\"", 3, &["the settings are not TOML"]),
    ("a = 1\na = 2", 2, &["the settings are not TOML"]),
    ("[profiles.a]\nurl = \"x\n", 2, &["the settings are not TOML"]),
    ("<html>", 1, &["the settings are not TOML"]),
    ("{\"default\": \"prod\"}", 1, &["the settings are not TOML"]),
];

#[test]
fn each_fault_is_told_with_file_line_and_remedy() {
    let sandbox = Sandbox::new();
    let mut without = Vec::new();
    for (text, line, said) in FAULTS {
        let file = sandbox.settings(text);
        for arguments in [&[][..], &["--profile", "prod"], &["curl", "/x"]] {
            let done = sandbox.ls_token(arguments).run();
            done.fails(78).does_not_say("hunter2");
            for text in *said {
                assert!(done.stderr.contains(text), "{text:?} is missing for {file:?}: {done:?}");
            }
            let place = format!("  file: {}, line {line}\n", file.display());
            assert!(done.stderr.contains(&place), "{place:?} is missing: {done:?}");
            assert!(!done.stderr.contains('\x1b'), "{done:?}");
            // What a value must be is said already, and what TOML wants instead.
            let message = done.stderr.lines().next().unwrap_or_default().to_owned();
            let said = [" must be ", "it begins with https://", "in its xn-- form", "are not TOML"]
                .iter()
                .any(|words| message.contains(words));
            if !said && !done.stderr.contains("\n  hint: ") {
                without.push(message);
            }
        }
    }
    assert!(without.is_empty(), "no remedy: {without:#?}");
}

#[test]
fn limits_are_part_of_what_they_allow() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    for more in [
        "timeout = 1",
        "timeout = 300",
        "timeout = 0x10",
        "timeout = 1_5",
        "timeout = +15",
        "min_ttl = 0",
        "min_ttl = 100",
        "min_ttl = 1_00",
        "allow_http = true",
    ] {
        sandbox.settings(&profile(&sandbox, "test", &server, more));
        let done = sandbox.ls_token(&["-v"]).run();
        // On a busy machine a second may be too short for the server, but is what it may be.
        let in_vain = more == "timeout = 1" && done.stderr.contains("did not answer within 1 s");
        assert!(done.code == Some(0) || in_vain, "{more}: {done:?}");
    }
    sandbox.settings(&profile(&sandbox, "test", &server, "min_ttl = 86400"));
    assert_eq!(sandbox.ls_token(&[]).run().code, Some(0));
}

#[test]
fn f15_a_token_pasted_into_the_settings_is_refused_and_not_repeated() {
    // The sandbox looks for it in all that is printed.
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let pat = server.pat();
    let legacy = "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678";
    remember_pat(legacy);
    for secret in [pat, legacy] {
        for text in [
            format!("[profiles.x]\nurl = \"https://h\"\npat = \"{secret}\"\n"),
            format!("[profiles.x]\nurl = \"https://h\"\npat = \" {secret}\"\n"),
            format!("[profiles.x]\nurl = \"https://h\"\npat = \"file:{secret}\"\n"),
            format!("[profiles.x]\nurl = \"https://h\"\npat = \"cmd:echo '{secret}\"\n"),
            format!("[profiles.x]\nurl = \"{secret}\"\npat = \"stored\"\n"),
            format!("[profiles.x]\nurl = \"https://{secret}@h\"\npat = \"stored\"\n"),
            format!("[profiles.x]\nurl = \"https://h?token={secret}\"\npat = \"stored\"\n"),
            format!("[profiles.x]\nurl = \"https://h\"\npat = {secret}\n"),
            format!("default = \"{secret}\"\n"),
            format!("\"{secret}\" = 1\n"),
            format!("[profiles.\"{secret}\"]\n"),
            format!("[profiles.x]\n\"{secret}\" = 1\n"),
            format!("[profiles.x]\nca_file = \"{secret}\"\n"),
            format!("{secret}\n"),
        ] {
            sandbox.settings(&text);
            sandbox.ls_token(&["-v"]).run().fails(78);
        }
    }
    sandbox.settings(&format!("[profiles.x]\nurl = \"https://h\"\npat = \"{pat}\"\n"));
    let done = sandbox.ls_token(&[]).run();
    done.fails(78).says("pat holds a token; settings must not contain secrets").says("hint: pat is one of");
}

#[test]
fn f15_a_token_given_in_place_of_a_name_or_url_is_not_repeated() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("curl", "");
    let pat = server.pat();
    let mut repeated = Vec::new();
    // The sandbox panics where it finds a token in what was printed.
    let mut run = |call: Call<'_>, what: String| {
        if catch_unwind(AssertUnwindSafe(|| call.run())).is_err() {
            repeated.push(what.replace(pat, "PAT"));
        }
    };
    for line in [
        &["--profile", "PAT"][..],
        &["--url", "PAT"],
        &["--url", "https://PAT@h"],
        &["--url", "https://h/PAT"],
        &["--url", "https://PAT/"],
        &["--format", "PAT"],
        &["--min-ttl", "PAT"],
        &["PAT"],
        &["--PAT"],
        &["-PAT"],
        &["curl", "PAT"],
        &["curl", "https://h/PAT"],
        &["curl", "--PAT"],
        &["curl", "--url=PAT"],
        &["curl", "-H", "Authorization: Bearer PAT", "/x"],
        &["curl", "-HAuthorization: Bearer PAT", "/x"],
        &["curl", "--header=X-Api-Key: PAT", "/x"],
        &["curl", "-uPAT:", "/x"],
        &["curl", "--oauth2-bearer=PAT", "/x"],
        &["curl", "--bearer=PAT", "/x"],
    ] {
        let line: Vec<String> = line.iter().map(|word| word.replace("PAT", pat)).collect();
        let call = line.iter().fold(sandbox.ls_token(&["-v"]), Call::arg);
        run(call, line.join(" "));
    }
    for name in ["LS_TOKEN_PROFILE", "LABEL_STUDIO_URL", "LS_TOKEN_CONFIG", "LS_TOKEN_CACHE_DIR"] {
        run(sandbox.ls_token(&["-v"]).env(name, pat), format!("{name}=PAT"));
    }
    assert!(repeated.is_empty(), "the token is repeated for {repeated:#?}");
}

#[test]
fn f10_a_profiles_name_with_terminal_escapes_is_shown_not_obeyed() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_anything());
    let pat = sandbox.pat_file(server.pat());
    let entry =
        |name: &str| format!("[profiles.\"{name}\"]\nurl = \"{}\"\npat = \"file:{}\"\n", server.url(), pat.display());
    sandbox.settings(&(entry("\\u001b[2Ja") + &entry("b\\u202e")));
    for arguments in [
        &[][..],
        &["--profile", "nobody"],
        &["--url", &server.url()],
        &["-v", "--profile", "\x1b[2Ja"],
        &["--profile", "c\x1b[2J"],
    ] {
        let done = sandbox.ls_token(arguments).run();
        assert!(!done.stderr.contains(['\x1b', '\u{202e}']), "{arguments:?}: {done:?}");
    }
}

#[test]
fn a_profile_that_is_not_there_is_told_with_those_that_are() {
    let sandbox = Sandbox::new();
    let file = sandbox.settings(&format!("{GOOD}{}", GOOD.replace("prod", "lab")));
    let done = sandbox.ls_token(&["--profile", "nobody"]).run();
    done.fails(78)
        .says("there is no profile nobody")
        .says(&file.display().to_string())
        .says("hint: available profiles: lab, prod");
    sandbox.ls_token(&[]).env("LS_TOKEN_PROFILE", "nobody").run().fails(78).says("hint: available profiles: lab, prod");
    sandbox.settings("");
    sandbox.ls_token(&["--profile", "x"]).run().fails(78).says("hint: available profiles: none");
}

#[test]
fn settings_that_cannot_be_read_are_an_error_and_settings_that_are_not_there_are_none() {
    let sandbox = Sandbox::new();
    sandbox
        .ls_token(&[])
        .run()
        .fails(78)
        .says("no Label Studio server is set")
        .says("config.toml (does not exist)")
        .says("hint: run `ls-token login`, or export LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY");
    let named = |path: &str| sandbox.ls_token(&[]).env("LS_TOKEN_CONFIG", sandbox.root().join(path)).run();
    named("missing.toml")
        .fails(78)
        .says("cannot read the settings: No such file")
        .says("missing.toml")
        .says("hint: LS_TOKEN_CONFIG names this file");
    named("work").fails(78).says("cannot read the settings: Is a directory").says("hint: LS_TOKEN_CONFIG");
    sandbox.file("binary.toml", b"default = \"\xff\"\n", 0o600);
    named("binary.toml").fails(78).says("cannot read the settings: it is not UTF-8").says("binary.toml");
    let file = sandbox.settings(GOOD);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    sandbox
        .ls_token(&[])
        .run()
        .fails(78)
        .says("cannot read the settings: Is a directory")
        .says("hint: fix it, or move it away");
    fs::remove_dir(&file).unwrap();
    fs::remove_dir(file.parent().unwrap()).unwrap();
    fs::write(file.parent().unwrap(), "a file").unwrap();
    sandbox.ls_token(&[]).run().fails(78).says("cannot read the settings: Not a directory");
}

#[test]
fn settings_that_are_too_large_are_not_read_in_part() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_anything());
    let good = profile(&sandbox, "first", &server, "");
    sandbox.settings(&format!("{good}{}default = \"nobody\"\n", "# note\n".repeat(200_000)));
    let done = sandbox.ls_token(&[]).run();
    assert_ne!(done.code, Some(0), "settings of more than 1 MiB were cut: {done:?}");
}

#[test]
fn variables_that_are_wrong_are_named() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    let odd = OsStr::from_bytes(b"\xff");
    sandbox.ls_token(&[]).env("LS_TOKEN_PROFILE", odd).run().fails(78).says("(LS_TOKEN_PROFILE, which is not UTF-8)");
    let call = sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", odd).env("LABEL_STUDIO_API_KEY", server.pat());
    call.run().fails(78).says("the URL is not UTF-8").says("from: LABEL_STUDIO_URL=");
    let call = sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", server.url()).env("LABEL_STUDIO_API_KEY", odd);
    call.run().fails(77).says("the variable LABEL_STUDIO_API_KEY is not UTF-8");
    for url in
        ["label.example.com", "https://user:hunter2@h", "https://h\nh", "https://h/../x", "http://label.example.com"]
    {
        let call = sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", url);
        let done = call.env("LABEL_STUDIO_API_KEY", server.pat()).run();
        done.fails(78).says("LABEL_STUDIO_URL=").says("  hint: ").does_not_say("hunter2");
        let done = sandbox.ls_token(&[]).env("LABEL_STUDIO_URL", url).run();
        done.fails(78).says("LABEL_STUDIO_URL").says("  hint: ").does_not_say("hunter2");
        let done = sandbox.ls_token(&["--url", url]).run();
        done.fails(78).says("--url").says("  hint: ").does_not_say("hunter2");
    }
}
