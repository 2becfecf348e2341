//! What other processes can see of curl: its arguments, its environment, its descriptors. The token is in the pipe alone.

use std::fs;

use super::kit::{CURLRC, asked, assert_no_token, assert_own_tokens, curl, profile, watch, with_server};
use crate::sandbox::{Call, Done, Sandbox, wait_until};
use crate::server::{PROJECTS, Reply, Server};

/// A curl that keeps what the system shows of it, and the configuration that it is told to read.
const RECORDER: &str = "mkdir -p \"$here/record\" && cd \"$here/record\" || exit
cat \"/proc/$$/cmdline\" >arguments
cat \"/proc/$$/environ\" >environment
for descriptor in /proc/$$/fd/*; do
    readlink \"$descriptor\"
    case $descriptor in */1 | */2) continue ;; esac
    if [ -f \"$descriptor\" ]; then cat \"$descriptor\"; fi
done >descriptors
for argument; do
    case $previous in --config | -K) cat \"$argument\" ;; esac
    previous=$argument
done >config";

/// What the recorder has seen.
struct Record {
    /// Its arguments, one a line.
    arguments: String,
    /// Its variables, one a line.
    environment: String,
    /// What its descriptors lead to.
    descriptors: String,
    /// What it was told to read as its configuration.
    config: String,
}

impl Record {
    /// Reads what was recorded, and takes it away, so that secrets are found in it once.
    fn take(sandbox: &Sandbox) -> Self {
        let directory = sandbox.root().join("record");
        let read = |name: &str| {
            let bytes = fs::read(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            String::from_utf8_lossy(&bytes).replace('\0', "\n")
        };
        let record = Self {
            arguments: read("arguments"),
            environment: read("environment"),
            descriptors: read("descriptors"),
            config: read("config"),
        };
        fs::remove_dir_all(directory).unwrap();
        assert!(
            record.arguments.contains("curl")
                && record.environment.contains("HOME=")
                && record.descriptors.lines().count() >= 3
        );
        record
    }

    /// Asserts that no token and none of the variables that hold one can be seen.
    #[track_caller]
    fn assert_clean(&self) {
        assert_no_token(&self.arguments, "curl's arguments");
        assert_no_token(&self.environment, "curl's environment");
        assert_no_token(&self.descriptors, "a file that curl has open");
        assert!(!self.environment.contains("LABEL_STUDIO_API_KEY"), "{}", self.environment.len());
    }
}

#[test]
fn f13_the_token_is_in_the_pipe_and_in_nothing_that_others_see() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.command("curl", RECORDER);
    sandbox.use_env(&server);
    for line in [&["-sS", PROJECTS][..], &["-d", "@-", "-sS", PROJECTS], &["-sS", "/a", "--next", "/b", "-:", "/c"]] {
        let done: Done = curl(&sandbox, line).run();
        assert_eq!(done.quiet().code, Some(0), "{done:?}");
        let record = Record::take(&sandbox);
        record.assert_clean();
        let header = format!("header = \"Authorization: Bearer {}\"\n", server.issued()[0]);
        let parts = line.iter().filter(|word| ["--next", "-:"].contains(word)).count() + 1;
        assert_eq!(record.config.matches(&header).count(), parts, "{line:?}");
        assert!(record.descriptors.contains("pipe:["), "{}", record.descriptors);
    }
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn f13_the_recorder_catches_the_plain_form_and_a_variable_that_is_left_in() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.command("curl", RECORDER);
    sandbox.settings(&profile(&sandbox, "test", &server, ""));
    let done = sandbox
        .shell("exec curl -H \"Authorization: Bearer $(\"$LS_TOKEN\")\" http://127.0.0.1:1/")
        .env("LABEL_STUDIO_API_KEY", server.pat())
        .run();
    assert_eq!(done.code, Some(0), "{done:?}");
    let record = Record::take(&sandbox);
    assert!(record.arguments.contains(&server.issued()[0]), "the plain form shows the token in the arguments");
    assert!(record.environment.contains(server.pat()), "an exported variable is seen in the environment");
    let done = sandbox.shell("\"$LS_TOKEN\" >token; exec curl http://127.0.0.1:1/ <token").run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        Record::take(&sandbox).descriptors.contains(&server.issued()[0]),
        "a token's file is seen among the descriptors"
    );
}

#[test]
fn f13_variables_that_profiles_name_do_not_reach_curl() {
    let (sandbox, one, two) = (Sandbox::new(), Server::start(), Server::start());
    let two = two.expect_anything();
    sandbox.command("curl", RECORDER);
    let by_variable = |name: &str, server: &Server, variable: &str| {
        format!("[profiles.{name}]\nurl = \"{}\"\npat = \"env:{variable}\"\n", server.url())
    };
    sandbox.settings(&(by_variable("one", &one, "PAT_OF_ONE") + &by_variable("two", &two, "PAT_OF_TWO")));
    sandbox.set("PAT_OF_ONE", one.pat());
    sandbox.set("PAT_OF_TWO", two.pat());
    sandbox.set("LABEL_STUDIO_API_KEY", two.pat());
    let done = curl(&sandbox, &[&format!("{}/x", one.url())]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    let record = Record::take(&sandbox);
    record.assert_clean();
    assert!(!record.environment.contains("PAT_OF_"));
}

#[test]
fn f13_curls_help_does_not_get_the_personal_access_token_either() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.command("curl", RECORDER);
    sandbox.use_env(&server);
    for line in [&["--version"][..], &["--help", "all"], &["-V"], &["/x", "-h"]] {
        assert_eq!(curl(&sandbox, line).run().code, Some(0));
        Record::take(&sandbox).assert_clean();
    }
}

#[test]
fn f13_the_command_of_one_profile_does_not_get_the_variable_of_another() {
    let (sandbox, one, two) = (Sandbox::new(), Server::start(), Server::start());
    let one = one.expect_anything();
    sandbox.file("vault", two.pat(), 0o600);
    sandbox.command("vault", "cat \"/proc/$$/environ\" >\"$here/environment\"\ncat \"$here/vault\"");
    sandbox.settings(&format!(
        "default = \"two\"\n[profiles.one]\nurl = \"{}\"\npat = \"env:PAT_OF_ONE\"\n[profiles.two]\nurl = \"{}\"\npat = \"cmd:vault\"\n",
        one.url(),
        two.url()
    ));
    sandbox.set("PAT_OF_ONE", one.pat());
    sandbox.ls_token(&[]).run().token();
    let file = sandbox.root().join("environment");
    let environment = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
    fs::remove_file(file).unwrap();
    assert!(environment.contains("HOME="));
    assert_no_token(&environment, "the environment of a command");
}

#[test]
fn f13_the_real_curl_shows_no_token_while_it_runs() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    watch(&sandbox);
    sandbox.use_env(&server);
    server.always("/slow", Reply::Silence);
    let running = curl(&sandbox, &["-sS", "/slow"]).start();
    wait_until("the request is there", || !asked(&server).is_empty());
    let about = |name: &str| {
        let bytes = fs::read(format!("/proc/{}/{name}", running.id())).unwrap();
        String::from_utf8_lossy(&bytes).replace('\0', "\n")
    };
    let (arguments, environment) = (about("cmdline"), about("environ"));
    assert!(arguments.contains("--config\n/dev/fd/") && environment.contains("HOME="), "{arguments}");
    assert_no_token(&arguments, "curl's arguments");
    assert_no_token(&environment, "curl's environment");
    assert!(!environment.contains("LABEL_STUDIO_API_KEY"));
    assert_own_tokens(&server);
    drop(running);
}

#[test]
fn f15_verbosity_and_errors_of_curl_show_no_token() {
    // stdout and stderr of each run are searched for tokens by the sandbox.
    let (sandbox, server) = with_server();
    sandbox.file(CURLRC, "libcurl = -\nverbose\n", 0o600);
    for line in [
        &["-sS", "/x"][..],
        &["--trace-time", "-sS", "/x"],
        &["-sS", "/x[1-"],
        &["-sS", "--stderr", "-", "-i", "-w", "%{json}%{header_json}\n%{url_effective}", "/x"],
        &["-sS", "-#", "/x"],
    ] {
        let done = sandbox.ls_token(&["-v", "curl"]);
        let done = line.iter().fold(done, Call::arg).run();
        assert_no_token(&done.stdout, &format!("stdout of {line:?}"));
        assert_no_token(&done.stderr, &format!("stderr of {line:?}"));
    }
    assert_own_tokens(&server);
}
