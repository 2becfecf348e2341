//! What is around ls-token: curl and its files, variables, shells, the cache, other programs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use rustix::process::geteuid;

use super::{doctor, finds, healthy, new_curl};
use crate::sandbox::{LS_TOKEN, need};
use crate::server::{REFRESH, ROTATE, Reply};

#[test]
fn a_curl_that_gives_the_token_away_is_named_by_its_version() {
    let (sandbox, _server) = healthy();
    for (version, mark, says) in [
        (
            "7.57.0",
            "warn",
            &["7.57.0 gives the token to other hosts or ports with -L", "fixed in 7.83.0", "do: update"][..],
        ),
        ("7.82.0", "warn", &["7.82.0 gives the token", "unless the distribution fixed it", "without -L until then"]),
        ("7.83.0", "ok", &["7.83.0: with -L, it gives the token to the same scheme, host and port alone"]),
        ("8.21.0-DEV", "ok", &["8.21.0-DEV: with -L"]),
        ("eight", "warn", &["an unknown version: eight"]),
    ] {
        new_curl(&sandbox, version);
        let done = doctor(&sandbox);
        assert_eq!(done.code, Some(0));
        finds(&done, mark, "curl", says);
    }
}

#[test]
fn a_curl_that_is_missing_or_hangs_is_a_warning() {
    let (sandbox, _server) = healthy();
    sandbox.command("curl", "sleep 100");
    let done = doctor(&sandbox);
    done.within(Duration::from_secs(8));
    finds(&done, "warn", "curl", &["`curl` took longer than 3 s"]);
    fs::remove_file(sandbox.bin().join("curl")).unwrap();
    sandbox.set("PATH", sandbox.bin());
    finds(&doctor(&sandbox), "warn", "curl", &["the program curl is not in PATH", "do: lscurl needs curl"]);
}

#[test]
fn f06_risky_lines_of_curlrc_are_named() {
    let (sandbox, _server) = healthy();
    sandbox.file("home of someone/.curlrc", "silent\n# insecure\n", 0o644);
    finds(&doctor(&sandbox), "ok", "curlrc", &["~/.curlrc has nothing that endangers a token"]);
    sandbox.file(
        "home of someone/.curlrc",
        "silent\n-k\nlocation-trusted\nheader = \"Authorization: Bearer x\"\nnetrc\nlibcurl = -\n",
        0o644,
    );
    let done = doctor(&sandbox);
    assert_eq!(done.code, Some(0));
    finds(
        &done,
        "warn",
        "curlrc",
        &["~/.curlrc, line 2", "line 3", "line 4", "line 5", "and 1 more", "curl itself obeys them"],
    );
}

#[test]
fn f06_what_lscurl_does_not_understand_in_curlrc_is_named_as_well() {
    let (sandbox, _server) = healthy();
    for (line, says) in [
        ("url = \"http://127.0.0.1:1/evil\"", "`url` has no place here"),
        ("next", "`next` has no place here"),
        ("nonsense", "--nonsense is no option of curl's"),
        ("proxy = \"x", "a quote that does not end"),
    ] {
        sandbox.file("home of someone/.curlrc", format!("silent\n{line}\n"), 0o644);
        finds(&doctor(&sandbox), "warn", "curlrc", &[says, "~/.curlrc, line 2"]);
    }
}

#[test]
fn f07_proxies_are_named_without_their_passwords() {
    let (sandbox, _server) = healthy();
    sandbox.set("https_proxy", "http://someone:sesame@proxy.example.com:3128");
    sandbox.set("NO_PROXY", "localhost");
    let done = doctor(&sandbox);
    finds(
        &done,
        "ok",
        "proxies",
        &[
            "https_proxy=http://proxy.example.com:3128, NO_PROXY=localhost; ls-token and lscurl connect to this server directly",
        ],
    );
    assert!(!done.stdout.contains("sesame"));
}

#[test]
fn a_token_in_the_environment_is_a_warning() {
    let (sandbox, server) = healthy();
    sandbox.set("LABEL_STUDIO_API_KEY", server.pat());
    finds(
        &doctor(&sandbox),
        "warn",
        "environment",
        &["every program that you start can read LABEL_STUDIO_API_KEY", "ls-token login"],
    );
    sandbox.set("LABEL_STUDIO_API_KEY", "");
    sandbox.set("SSLKEYLOGFILE", "/nowhere/keys");
    finds(
        &doctor(&sandbox),
        "warn",
        "environment",
        &["every program that you start can read SSLKEYLOGFILE", "unset SSLKEYLOGFILE"],
    );
}

#[test]
fn the_plugins_lines_and_files_are_found_and_compared() {
    let (sandbox, _server) = healthy();
    sandbox.set("SHELL", "/usr/bin/fish");
    finds(
        &doctor(&sandbox),
        "ok",
        "plugin",
        &["not found in your start-up files; to load it in fish, add: ls-token init fish | source"],
    );
    sandbox.file(
        "home of someone/.zshrc",
        "# ls-token init zsh\nalias ll='ls -l'\neval \"$(ls-token init zsh)\"\n",
        0o644,
    );
    let done = doctor(&sandbox);
    finds(&done, "ok", "plugin", &["loaded by zsh by init (~/.zshrc, line 3)"]);
    // A line in the file of another shell loads nothing.
    sandbox.file("home of someone/.bashrc", "eval \"$(ls-token init zsh)\"\n", 0o644);
    let done = doctor(&sandbox);
    finds(&done, "ok", "plugin", &["loaded by zsh by init (~/.zshrc, line 3)"]);
    assert!(!done.stdout.contains(".bashrc"), "{}", done.stdout);
    fs::remove_file(sandbox.root().join("home of someone/.bashrc")).unwrap();
    let plugin = sandbox.ls_token(&["init", "zsh"]).run().stdout;
    let directory = "home of someone/ls-token";
    for line in [
        "antigen bundle ~/ls-token --no-local-clone",
        "zplug ~/ls-token, from:local",
        "zinit light $HOME/ls-token",
        "zplug \"$HOME/ls-token/\", from:local",
        "zmodule ~/ls-token --source ls-token.plugin.zsh",
    ] {
        sandbox.file("home of someone/.zshrc", format!("{line}\n"), 0o644);
        sandbox.file(&format!("{directory}/ls-token.plugin.zsh"), &plugin, 0o644);
        let done = doctor(&sandbox);
        let says = ["zsh from ~/ls-token/ls-token.plugin.zsh"];
        finds(&done, "ok", "plugin", &says);
        sandbox.file(&format!("{directory}/ls-token.plugin.zsh"), "# old\n", 0o644);
        finds(&doctor(&sandbox), "warn", "plugin", &says);
    }
    sandbox.file("home of someone/.zshrc", "", 0o644);
    let plugin = sandbox.ls_token(&["init", "bash"]).run().stdout;
    sandbox.file("home of someone/plugins/ls-token.bash", &plugin, 0o644);
    sandbox.file("home of someone/.bashrc", "source ~/plugins/ls-token.bash\n", 0o644);
    finds(&doctor(&sandbox), "ok", "plugin", &["bash from ~/plugins/ls-token.bash"]);
    sandbox.file("home of someone/plugins/ls-token.bash", plugin.replace("xtrace", "x"), 0o644);
    sandbox.file("home of someone/plugins/ls-token.bash", format!("{plugin}\n# older\n"), 0o644);
    finds(
        &doctor(&sandbox),
        "warn",
        "plugin",
        &["from another version than this program: bash from ~/plugins/ls-token.bash"],
    );
    sandbox.file("home of someone/plugins/ls-token.bash", &plugin, 0o644);
    sandbox.file("home of someone/.config/fish/conf.d/ls-token.fish", "function lscurl; curl; end\n", 0o644);
    finds(&doctor(&sandbox), "warn", "plugin", &["fish from ~/.config/fish/conf.d/ls-token.fish"]);
}

#[test]
fn helpers_of_ones_own_are_named_with_their_lines() {
    let (sandbox, server) = healthy();
    for (line, says) in [
        (
            "ls_token() { curl -s \"$URL/api/token/refresh/\"; }",
            "your own function or alias hides ls-token's (~/.bashrc, line 2)",
        ),
        ("alias lscurl='curl -n'", "hides ls-token's"),
        ("t=$(curl -s \"$URL/api/token/refresh/\" -d @-)", "an exchange by hand (~/.bashrc, line 2)"),
        (
            &format!("export LABEL_STUDIO_API_KEY={}", server.pat()),
            "a personal access token in plain text (~/.bashrc, line 2)",
        ),
    ] {
        sandbox.file("home of someone/.bashrc", format!("# mine\n{line}\n"), 0o644);
        let done = doctor(&sandbox);
        assert_eq!(done.code, Some(0));
        finds(&done, "warn", "helpers", &[says]);
    }
    let definitions = "ls_token() {\nls_token () { curl; }\nfunction lscurl\nfunction ls_token {\n\
        function ls_token --description x\nalias lscurl='curl'\n";
    sandbox.file("home of someone/.bashrc", definitions, 0o644);
    let done = doctor(&sandbox);
    for number in 1..=6 {
        finds(&done, "warn", "helpers", &[&format!("hides ls-token's (~/.bashrc, line {number})")]);
    }
    let plugin = sandbox.ls_token(&["init", "fish"]).run().stdout;
    sandbox.file("home of someone/.config/fish/conf.d/ls-token.fish", plugin, 0o644);
    let calls = "ls_token\nt=$(ls_token)\neval \"$(ls-token init bash)\"\nls_tokens() {\nfunction ls_token_old {\nlscurl /\n\
        alias lscurl='noglob lscurl'\n";
    sandbox.file("home of someone/.bashrc", calls, 0o644);
    finds(&doctor(&sandbox), "ok", "helpers", &[]);
}

#[test]
fn another_program_of_the_name_is_a_warning() {
    let (sandbox, _server) = healthy();
    sandbox.file("other/ls-token", "#!/bin/sh\n", 0o755);
    let path = |first: &str, second: &str| format!("{0}/{first}:{0}/{second}:/usr/bin:/bin", sandbox.root().display());
    sandbox.set("PATH", path("bin", "other"));
    finds(&doctor(&sandbox), "warn", "program", &["PATH has others: ", "/other/ls-token"]);
    sandbox.set("PATH", path("other", "bin"));
    finds(&doctor(&sandbox), "warn", "program", &["but PATH has ", "/other/ls-token first"]);
    sandbox.set("PATH", "/usr/bin:/bin");
    finds(&doctor(&sandbox), "warn", "program", &["which is not in PATH"]);
    assert!(LS_TOKEN.ends_with("ls-token"));
}

#[test]
fn f32_a_cache_directory_that_is_not_used_is_a_warning() {
    let (sandbox, _server) = healthy();
    finds(&doctor(&sandbox), "ok", "cache", &["~/.cache/ls-token, on disk, mode 0700, ", " MB free"]);
    fs::set_permissions(sandbox.cache(), fs::Permissions::from_mode(0o755)).unwrap();
    finds(&doctor(&sandbox), "warn", "cache", &["the cache directory is open to others", "do: chmod 700"]);
    fs::set_permissions(sandbox.cache(), fs::Permissions::from_mode(0o700)).unwrap();
    finds(&doctor(&sandbox), "ok", "cache", &["mode 0700"]);
}

#[test]
fn f78_a_cache_that_cannot_be_written_is_a_warning_whatever_its_permissions_say() {
    need("strace");
    need("unshare");
    let (sandbox, _server) = healthy();
    for (call, error, said) in [("mkdir", "EDQUOT", "Disk quota exceeded"), ("mkdir", "EROFS", "Read-only file system")]
    {
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error={error}"));
        let options = ["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject, LS_TOKEN, "doctor"];
        let done = sandbox.program("strace", &options).run();
        finds(&done, "warn", "cache", &["none is used, so every call is an exchange", said, "LS_TOKEN_CACHE_DIR"]);
    }
    // Only root may mount; another user is root in a namespace of its own, where the kernel allows that.
    let namespaces = if geteuid().is_root() { "-m" } else { "-rm" };
    let cache = sandbox.directory("mounted cache");
    sandbox.set("LS_TOKEN_CACHE_DIR", &cache);
    for (spoil, said) in [
        ("dd if=/dev/zero of=\"$1/fill\" 2>/dev/null", "No space left on device"),
        ("mount -o remount,bind,ro \"$1\"", "Read-only file system"),
    ] {
        let script = format!("mount -t tmpfs -o size=64k,mode=700 tmpfs \"$1\"; {spoil}; exec \"$LS_TOKEN\" doctor");
        let done = sandbox.program("unshare", &[namespaces, "sh", "-c", &script, "sh"]).arg(&cache).run();
        finds(&done, "warn", "cache", &["none is used, so every call is an exchange", said, "LS_TOKEN_CACHE_DIR"]);
    }
    finds(&doctor(&sandbox), "ok", "cache", &["mode 0700"]);
}

#[test]
fn f28_a_file_system_without_locks_is_a_warning() {
    need("strace");
    let (sandbox, _server) = healthy();
    let trace = sandbox.root().join("trace");
    let done = sandbox
        .program("strace", &["-f", "-e", "trace=flock", "-e", "inject=flock:error=ENOLCK", "-o"])
        .arg(&trace)
        .arg(LS_TOKEN)
        .arg("doctor")
        .run();
    finds(&done, "warn", "cache", &["its file system has no locks (No locks available", "LS_TOKEN_CACHE_DIR"]);
}

#[test]
fn an_interrupted_rotation_is_named() {
    let (sandbox, server) = healthy();
    server.script(REFRESH, [Reply::Usual, Reply::error(401, "Token is invalid")]);
    sandbox.ls_token(&["rotate"]).run().fails(77);
    let done = doctor(&sandbox);
    finds(
        &done,
        "warn",
        "rotation",
        &["one was interrupted before its new personal access token", "do: finish it: ls-token rotate --profile test"],
    );
    finds(&done, "FAIL", "exchange", &["blacklisted"]);
    sandbox.ls_token(&["rotate"]).run().prints("finished");
    assert_eq!(server.count("POST", ROTATE), 1);
    assert!(!doctor(&sandbox).stdout.contains("rotation"));
}
