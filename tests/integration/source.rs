//! Where the personal access token comes from: 1Password, a command, a file, the environment; and from nowhere else.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use rustix::process::geteuid;

use crate::sandbox::{Sandbox, need};
use crate::server::Server;

/// Where 1Password has the token.
const ITEM: &str = "op://Development/Label Studio PAT/credential";

#[test]
fn a_token_comes_from_1password() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.one_password(ITEM, server.pat());
    sandbox.use_source(&server, ITEM, "");
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), server.issued()[0]);
    sandbox.ls_token(&[]).run().quiet().token();
    assert_eq!(sandbox.lines("op.calls"), [format!("read --no-newline {ITEM}")], "once, and as documented");
}

#[test]
fn f20_what_1password_complains_of_is_shown() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.one_password("op://Development/Other/credential", "x");
    sandbox.use_source(&server, ITEM, "");
    let done = sandbox.ls_token(&[]).run();
    done.fails(77).says("`op` failed with exit status 1: [ERROR] ").says("could not find item");
    done.says(&format!("source: {ITEM}")).says("profile: test").says("hint: ");
}

#[test]
fn a_token_comes_from_a_command_line_split_as_a_shell_splits_it() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    sandbox.command("give", r#"for word in "$@"; do echo "<$word>"; done >"$here/words"; cat "$here/pat""#);
    sandbox.use_source(&server, r#"cmd:give one 'two three' "four $HOME" five\ six * `seven` $(eight)"#, "");
    sandbox.ls_token(&[]).run().quiet().token();
    let words = ["<one>", "<two three>", "<four $HOME>", "<five six>", "<*>", "<`seven`>", "<$(eight)>"];
    assert_eq!(sandbox.lines("words"), words);
}

#[test]
fn a_token_comes_from_a_list_of_words_taken_as_they_are() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("pat", server.pat(), 0o600);
    let command =
        sandbox.command("give it", r#"for word in "$@"; do echo "<$word>"; done >"$here/words"; cat "$here/pat""#);
    let url = server.url();
    sandbox.settings(&format!(
        "[profiles.test]\nurl = \"{url}\"\npat = [{:?}, \"a b\", \"\", \"'\"]\n",
        command.display().to_string()
    ));
    sandbox.ls_token(&[]).run().quiet().token();
    assert_eq!(sandbox.lines("words"), ["<a b>", "<>", "<'>"]);
}

#[test]
fn a_token_comes_from_a_variable_that_the_profile_names() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_source(&server, "env:MY_PAT", "");
    sandbox
        .ls_token(&[])
        .run()
        .fails(77)
        .says("the variable MY_PAT is not set")
        .says("source: env:MY_PAT")
        .says("hint: export it");
    assert_eq!(sandbox.ls_token(&[]).env("MY_PAT", server.pat()).run().quiet().token(), server.issued()[0]);
}

#[test]
fn a_token_comes_from_a_file_and_its_newline_does_not_matter() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let file = sandbox.file("home of someone/my.pat", format!("\r\n  {}\t\n\n", server.pat()), 0o400);
    sandbox.use_source(&server, "file:~/my.pat", "");
    sandbox.ls_token(&[]).run().quiet().token();
    assert_eq!(server.requests()[0].text(), format!("{{\"refresh\":\"{}\"}}", server.pat()));
    fs::remove_file(&file).unwrap();
    sandbox.ls_token(&["--refresh"]).run().fails(77).says("No such file").says(&format!("file: {}", file.display()));
    fs::create_dir(&file).unwrap();
    sandbox.ls_token(&["--refresh"]).run().fails(77).says("not a regular file");
    assert_eq!(server.exchanges(), 1);
}

#[test]
fn a_link_to_a_private_file_is_followed() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let file = sandbox.file("secrets/..data/pat", server.pat(), 0o600);
    symlink(&file, sandbox.home().join("my.pat")).unwrap();
    sandbox.use_source(&server, "file:~/my.pat", "");
    sandbox.ls_token(&[]).run().quiet().token();
}

#[test]
fn f16_a_file_that_others_can_read_is_refused_with_the_chmod_that_mends_it() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    for mode in [0o644, 0o640, 0o604, 0o660, 0o602, 0o610, 0o677] {
        let file = sandbox.file("home of someone/label studio.pat", server.pat(), mode);
        sandbox.use_source(&server, "file:~/label studio.pat", "");
        let done = sandbox.ls_token(&[]).run();
        done.fails(77)
            .says(&format!("is open to others (mode 0{mode:o})"))
            .says(&format!("hint: chmod 600 '{}'", file.display()));
    }
}

#[test]
fn f16_the_chmod_of_the_hint_mends_it() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.file("home of someone/label studio.pat", server.pat(), 0o644);
    sandbox.use_source(&server, "file:~/label studio.pat", "");
    let done = sandbox.ls_token(&[]).run();
    let hint = done.fails(77).stderr.lines().find_map(|line| line.trim().strip_prefix("hint: ")).unwrap().to_owned();
    assert_eq!(sandbox.shell(&hint).run().code, Some(0), "{hint}");
    sandbox.ls_token(&[]).run().quiet().token();
}

#[test]
fn f16_a_file_of_another_user_is_refused() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    if geteuid().is_root() {
        let file = sandbox.file("home of someone/my.pat", server.pat(), 0o600);
        chown(&file, Some(65_534), None).unwrap();
        sandbox.use_source(&server, "file:~/my.pat", "");
        sandbox.ls_token(&[]).run().fails(77).says("belongs to another user (uid 65534)").says("hint: chown 0 ");
    } else {
        // Only root can give a file away; /etc/passwd is root's and open to all.
        sandbox.use_source(&server, "file:/etc/passwd", "");
        sandbox.ls_token(&[]).run().fails(77).says("is open to others");
    }
}

#[test]
fn f18_a_planted_command_in_the_current_directory_is_not_run() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    sandbox.file("work/op", "#!/bin/sh\necho run >../planted\n", 0o755);
    sandbox.file("work/bin/op", "#!/bin/sh\necho run >../../planted\n", 0o755);
    sandbox.use_source(&server, ITEM, "");
    for path in
        [".:/usr/bin:/bin", ":/usr/bin:/bin", "/usr/bin:/bin:", "/usr/bin::/bin", "./:bin:./bin:../work:/bin", ""]
    {
        let done = sandbox.ls_token(&[]).env("PATH", path).run();
        done.fails(77).says("the program op is not in PATH").says("hint: install it");
    }
    for pat in ["cmd:./op read", "cmd:bin/op", "cmd:", "file:x", "file:~x"] {
        sandbox.use_source(&server, pat, "");
        sandbox.ls_token(&[]).run().fails(78).says("hint: ");
    }
    assert!(!sandbox.root().join("planted").exists());
}

#[test]
fn a_word_of_a_command_may_be_below_the_home_directory() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let script = format!("#!/bin/sh\n[ \"$*\" = \"--in $HOME/x a~/b\" ] && echo {}\n", server.pat());
    sandbox.file("home of someone/bin/give", script, 0o700);
    sandbox.use_source(&server, "cmd:~/bin/give --in ~/x a~/b", "");
    sandbox.ls_token(&[]).run().quiet().token();
}

#[test]
fn a_secret_is_read_as_kubernetes_systemd_and_docker_mount_it() {
    need("setpriv");
    let (sandbox, server) = (Sandbox::new(), Server::start());
    // Kubernetes: links, so that all files of a secret change at once.
    let file = sandbox.file("secrets/..2026_11_23/pat", server.pat(), 0o440);
    let directory = sandbox.root().join("secrets");
    symlink("..2026_11_23", directory.join("..data")).unwrap();
    symlink("..data/pat", directory.join("pat")).unwrap();
    let settings =
        format!("[profiles.test]\nurl = \"{}\"\npat = \"file:{}\"\n", server.url(), directory.join("pat").display());
    sandbox.set("LS_TOKEN_CONFIG", sandbox.file("settings.toml", settings, 0o644));
    let with_mode = |mode: u32| fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    // Docker with uid and mode, systemd: one's own, whoever one is; and without a word about it: everybody's.
    with_mode(0o400);
    sandbox.ls_token(&["--no-cache"]).run().quiet().token();
    with_mode(0o444);
    sandbox.ls_token(&["--no-cache"]).run().fails(77).says("is open to others");
    if !geteuid().is_root() {
        // Only root can give a file to someone else, and become that one; to the others, root's own is another user's.
        assert_eq!(chown(&file, Some(0), None).unwrap_err().kind(), ErrorKind::PermissionDenied);
        assert_eq!(server.exchanges(), 1);
        return;
    }
    for directory in [sandbox.root(), &directory] {
        fs::set_permissions(directory, Permissions::from_mode(0o755)).unwrap();
    }
    let run_as_nobody = |mode: u32| {
        with_mode(mode);
        // By its descriptor, as nobody may look into the directories that the program is in.
        let become_nobody = "exec setpriv --reuid=65534 --regid=65534 --clear-groups /proc/self/fd/9 --no-cache";
        sandbox.shell(&format!("exec 9<\"$LS_TOKEN\"; {become_nobody}")).run()
    };
    // Kubernetes with fsGroup, systemd with an access list: root's, and readable by the group.
    chown(&file, Some(0), Some(65_534)).unwrap();
    run_as_nobody(0o440).quiet().token();
    // Docker with uid and mode: one's own.
    chown(&file, Some(65_534), Some(0)).unwrap();
    run_as_nobody(0o400).quiet().token();
    // Docker and Kubernetes without a word about it: everybody's.
    chown(&file, Some(0), Some(0)).unwrap();
    run_as_nobody(0o444).fails(77).says("is open to others");
    assert_eq!(server.exchanges(), 3);
}
