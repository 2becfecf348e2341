//! One list of CAs for one errand: the exchange, curl and what `exec` runs trust the same.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::curl::kit::real_curl;
use crate::sandbox::{Sandbox, need};
use crate::server::{PROJECTS, Server};
use crate::tls::Authority;

/// A server that speaks TLS, and what names its CA: a file, and a directory as OpenSSL wants it.
struct Setting {
    sandbox: Sandbox,
    server: Server,
    good: PathBuf,
    good_directory: PathBuf,
    other: PathBuf,
    other_directory: PathBuf,
}

impl Setting {
    fn new() -> Self {
        need("openssl");
        let (sandbox, authority, other) = (Sandbox::new(), Authority::new(), Authority::new());
        let server = authority.server(&["127.0.0.1"]).expect_anything();
        let file = |name: &str, pem: &str| {
            let file = sandbox.file(&format!("{name}/ca.pem"), pem, 0o644);
            let directory = file.parent().unwrap().to_owned();
            let rehash = sandbox.program("/usr/bin/openssl", &["rehash", &directory.display().to_string()]);
            assert_eq!(rehash.run().code, Some(0));
            (file, directory)
        };
        let ((good, good_directory), (other, other_directory)) =
            (file("good", &authority.pem), file("other", &other.pem));
        sandbox.command("curl", &format!("exec {} \"$@\"", real_curl().display()));
        Self { sandbox, server, good, good_directory, other, other_directory }
    }

    /// Writes the profile, with the good or the other CA as its `ca_file`, or none.
    fn profile(&self, ca_file: &str) {
        let line = if ca_file.is_empty() { String::new() } else { format!("ca_file = \"{}\"", self.named(ca_file)) };
        let pat = self.sandbox.home().join("label studio.pat");
        if !pat.exists() {
            self.sandbox.pat_file(self.server.pat());
        }
        self.sandbox.use_source(&self.server, &format!("file:{}", pat.display()), &line);
    }

    /// Returns the path that a word stands for.
    fn named(&self, word: &str) -> String {
        let path = match word {
            "good" => &self.good,
            "good/" => &self.good_directory,
            "other" => &self.other,
            "other/" => &self.other_directory,
            _ => return word.to_owned(),
        };
        path.display().to_string()
    }
}

#[test]
fn f65_the_exchange_and_curl_trust_the_same() {
    let setting = Setting::new();
    // From a time when the CA was trusted: curl has a token, whatever the exchange says.
    setting.profile("good");
    setting.sandbox.ls_token(&[]).run().token();
    for (ca_file, variables, is_trusted) in [
        ("", "", false),
        ("", "SSL_CERT_FILE=good", true),
        ("", "SSL_CERT_DIR=good/", true),
        ("", "SSL_CERT_DIR=other/:good/", true),
        ("", "SSL_CERT_FILE=other SSL_CERT_DIR=good/", true),
        ("", "SSL_CERT_FILE=good SSL_CERT_DIR=/nonexistent/none", true),
        ("", "SSL_CERT_FILE=other", false),
        ("", "SSL_CERT_DIR=other/", false),
        // A variable of curl's own says nothing of who gets the personal access token.
        ("", "CURL_CA_BUNDLE=good", false),
        ("", "REQUESTS_CA_BUNDLE=good", false),
        ("", "SSL_CERT_FILE=other CURL_CA_BUNDLE=good", false),
        ("", "SSL_CERT_FILE=good CURL_CA_BUNDLE=other", true),
        ("", "SSL_CERT_DIR=good/ CURL_CA_BUNDLE=other", true),
        ("good", "SSL_CERT_FILE=other SSL_CERT_DIR=other/ CURL_CA_BUNDLE=other", true),
        ("other", "SSL_CERT_FILE=good", false),
        ("other", "SSL_CERT_DIR=good/", false),
        ("other", "CURL_CA_BUNDLE=good", false),
        ("other", "SSL_CERT_FILE=good SSL_CERT_DIR=good/ CURL_CA_BUNDLE=good", false),
    ] {
        setting.profile(ca_file);
        let what = format!("ca_file={ca_file} {variables}");
        let mut exchange = setting.sandbox.ls_token(&["--no-cache"]);
        let mut curl = setting.sandbox.ls_token(&["curl", "-sSf", PROJECTS]);
        for (name, words) in variables.split_whitespace().map(|pair| pair.split_once('=').unwrap()) {
            let value = words.split(':').map(|word| setting.named(word)).collect::<Vec<_>>().join(":");
            exchange = exchange.env(name, &value);
            curl = curl.env(name, &value);
        }
        let (exchange, curl) = (exchange.run(), curl.run());
        assert_eq!(exchange.code, Some(if is_trusted { 0 } else { 69 }), "{what}: {exchange:?}");
        assert_eq!(curl.code, Some(if is_trusted { 0 } else { 60 }), "{what}: {curl:?}");
    }
}

#[test]
fn f65_curl_gets_no_ca_beside_those_of_the_exchange() {
    let setting = Setting::new();
    setting.profile("good");
    setting.sandbox.ls_token(&[]).run().token();
    setting.sandbox.command("curl", "cat \"$3\" >\"$here/config\"; env >\"$here/environment\"");
    let bundle = setting.named("other");
    for (ca_file, file, directory, wanted) in [
        ("good", "other", "other/", ["good", "/dev/null"]),
        ("", "good", "", ["good", "/dev/null"]),
        ("", "good", "other/", ["good", "other/"]),
        // curl would add the file that it was built with, so it gets one of the directory.
        ("", "", "good/", ["good/", "good/"]),
        ("", "", "", ["", ""]),
    ] {
        setting.profile(ca_file);
        let call = setting.sandbox.ls_token(&["curl", "/x"]).env("CURL_CA_BUNDLE", &bundle);
        let call = call.env("SSL_CERT_FILE", setting.named(file)).env("SSL_CERT_DIR", setting.named(directory));
        assert_eq!(call.run().code, Some(0));
        let config = setting.sandbox.lines("config");
        let lines: Vec<_> = config.iter().filter(|line| line.starts_with("ca")).collect();
        if wanted[0].is_empty() {
            assert!(lines.is_empty(), "{lines:?}");
        } else {
            assert_eq!(lines.len(), 2, "{lines:?}");
            assert!(lines[0].starts_with(&format!("cacert = \"{}", setting.named(wanted[0]))), "{lines:?}");
            assert_eq!(*lines[1], format!("capath = \"{}\"", setting.named(wanted[1])));
        }
        let environment = setting.sandbox.lines("environment");
        let named: Vec<_> = environment.iter().filter(|line| line.contains("_CA_") || line.contains("SSL_")).collect();
        assert!(environment.len() > 2 && named.is_empty(), "{named:?}");
    }
}

#[test]
fn f65_what_exec_runs_trusts_the_same() {
    let script = "import os, requests, httpx\nurl = os.environ['LABEL_STUDIO_URL'] + '/health'\n\
        print(requests.get(url).status_code, httpx.get(url).status_code)\n";
    let python = "/usr/bin/python3";
    let setting = Setting::new();
    let is_there = setting.sandbox.program(python, &["-c", "import requests, httpx"]).run();
    assert_eq!(is_there.code, Some(0), "apt-get install python3-requests python3-httpx");
    let show = "echo \"$SSL_CERT_FILE|$REQUESTS_CA_BUNDLE|$CURL_CA_BUNDLE|$SSL_CERT_DIR\"";
    let curl = format!("{} -sS -o /dev/null -w '%{{http_code}}' \"$LABEL_STUDIO_URL/health\"", real_curl().display());
    for (ca_file, file, wanted) in [("good", "other", "good|good|good|"), ("", "good", "good|good|good|other/")] {
        setting.profile(ca_file);
        let run = |words: &[&str]| {
            let mut call = setting.sandbox.ls_token(&["exec"]);
            for word in words {
                call = call.arg(word);
            }
            call = call.env("SSL_CERT_FILE", setting.named(file)).env("SSL_CERT_DIR", setting.named("other/"));
            call.env("REQUESTS_CA_BUNDLE", setting.named("other")).env("CURL_CA_BUNDLE", setting.named("other")).run()
        };
        let wanted = wanted.split('|').map(|word| setting.named(word)).collect::<Vec<_>>().join("|");
        assert_eq!(run(&["sh", "-c", show]).quiet().line(), wanted);
        let done = run(&["sh", "-c", &curl]);
        assert_eq!((done.quiet().stdout.as_str(), done.code), ("200", Some(0)));
        assert_eq!(run(&[python, "-c", script]).line(), "200 200");
    }
    // By itself it would not.
    let url = setting.server.url();
    let alone = setting.sandbox.program(python, &["-c", script]).env("LABEL_STUDIO_URL", url).run();
    assert_ne!(alone.code, Some(0), "{alone:?}");
}

#[test]
fn f65_without_a_list_of_its_own_exec_leaves_the_variables_alone() {
    let show = "echo \"$SSL_CERT_FILE|$REQUESTS_CA_BUNDLE|$CURL_CA_BUNDLE|$SSL_CERT_DIR\"";
    let setting = Setting::new();
    setting.profile("");
    let call = setting.sandbox.ls_token(&["exec", "sh", "-c", show]);
    let call = call.env("REQUESTS_CA_BUNDLE", "/r").env("CURL_CA_BUNDLE", "/c");
    assert_eq!(call.run().quiet().line(), "|/r|/c|");
    let call = setting.sandbox.ls_token(&["exec", "sh", "-c", show]);
    assert_eq!(
        call.env("REQUESTS_CA_BUNDLE", "/r").env("SSL_CERT_DIR", "/etc/ssl/certs").run().line(),
        "|/r||/etc/ssl/certs"
    );
    // Plain http needs no CA, and the command may ask other servers.
    let plain = Server::start().expect_no_calls();
    setting.sandbox.use_file(&plain, &format!("ca_file = \"{}\"", setting.named("good")));
    let call = setting.sandbox.ls_token(&["exec", "sh", "-c", show]);
    assert_eq!(call.env("SSL_CERT_FILE", "/f").env("SSL_CERT_DIR", "/d").run().quiet().line(), "/f|||/d");
}

#[test]
fn f65_cas_that_someone_else_may_have_written_are_refused_wherever_they_are_named() {
    let setting = Setting::new();
    setting.profile("good");
    setting.sandbox.ls_token(&[]).run().token();
    let before = setting.server.connections();
    let open = |path: &str, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for (ca_file, variable, word) in
        [("good", "", "good"), ("", "SSL_CERT_FILE", "good"), ("", "SSL_CERT_DIR", "good/")]
    {
        setting.profile(ca_file);
        let path = setting.named(word);
        open(&path, if word.ends_with('/') { 0o775 } else { 0o664 });
        for words in [&["--no-cache"][..], &["curl", "-sS", PROJECTS], &["exec", "true"]] {
            let mut call = setting.sandbox.ls_token(words);
            if !variable.is_empty() {
                call = call.env(variable, &path);
            }
            let done = call.run();
            let name = if variable.is_empty() { "ca_file" } else { variable };
            done.fails(78).says(&format!("cannot use the certificates of {name}: other users can write"));
            done.says(&format!("file: {path}"));
        }
        open(&path, if word.ends_with('/') { 0o755 } else { 0o644 });
    }
    assert_eq!(setting.server.connections(), before, "nobody was asked");
    setting.profile("");
    for value in ["/nonexistent.pem", "/dev/null", "/etc"] {
        let done = setting.sandbox.ls_token(&["--no-cache"]).env("SSL_CERT_FILE", value).run();
        done.fails(78).says("cannot use the certificates of SSL_CERT_FILE: ").says(&format!("file: {value}"));
    }
}

#[test]
fn f65_of_a_directory_only_what_openssl_looks_for_counts_and_each_file_of_it_is_looked_at() {
    let setting = Setting::new();
    setting.profile("good");
    setting.sandbox.ls_token(&[]).run().token();
    setting.profile("");
    let run =
        |arguments: &[&str], directory: &Path| setting.sandbox.ls_token(arguments).env("SSL_CERT_DIR", directory).run();
    // A CA under a name that is no hash is not looked for; beside one that is, it is passed over as well.
    let pem = fs::read(&setting.good).unwrap();
    let plain = setting.sandbox.file("plain/ca.pem", &pem, 0o644).parent().unwrap().to_owned();
    fs::write(setting.other_directory.join("a.pem"), &pem).unwrap();
    for directory in [&plain, &setting.other_directory] {
        assert_ne!(run(&["--no-cache"], directory).code, Some(0), "{directory:?}");
        assert_ne!(run(&["curl", "-sSf", PROJECTS], directory).code, Some(0), "{directory:?}");
    }
    fs::set_permissions(&setting.good, fs::Permissions::from_mode(0o666)).unwrap();
    run(&["--no-cache"], &setting.good_directory).fails(78).says("other users can write to the file");
    run(&["curl", "-sSf", PROJECTS], &setting.good_directory).fails(78).says("other users can write to the file");
}
