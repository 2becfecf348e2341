//! The cache is private: its own directory, its own files, nobody else's, and nothing that leads elsewhere.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::geteuid;

use crate::cache::{assert_mended, filled, mode};
use crate::sandbox::{read, ready};

#[test]
fn the_directory_and_the_files_are_private_whatever_the_umask() {
    let (sandbox, server) = ready();
    let token = sandbox.shell("umask 000; exec \"$LS_TOKEN\"").run().token();
    assert_eq!(
        (mode(&sandbox.cache()), mode(&sandbox.cache_file()), mode(&sandbox.lock_file())),
        (0o700, 0o600, 0o600)
    );
    let text = read(&sandbox.cache_file());
    assert!(text.contains(&token) && !text.contains(server.pat()), "the access token is kept, and nothing else");
    assert_eq!(fs::read_dir(sandbox.cache()).unwrap().count(), 2, "a cache file and a lock file");
}

#[test]
fn f32_a_symbolic_link_is_neither_read_nor_written_through() {
    let (sandbox, server, _) = filled();
    let name = sandbox.cache_file();
    let elsewhere = sandbox.root().join("elsewhere");
    fs::rename(&name, &elsewhere).unwrap();
    let before = read(&elsewhere);
    symlink(&elsewhere, &name).unwrap();
    assert_mended(&sandbox, &server, &name, "a symbolic link");
    assert_eq!(read(&elsewhere), before);
}

#[test]
fn f32_a_fifo_a_hard_link_and_an_open_mode_are_misses() {
    let (sandbox, server, _) = filled();
    let name = sandbox.cache_file();
    fs::remove_file(&name).unwrap();
    mknodat(CWD, &name, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    assert_mended(&sandbox, &server, &name, "a FIFO");
    let second = sandbox.root().join("a second name");
    fs::hard_link(&name, &second).unwrap();
    let before = read(&second);
    assert_mended(&sandbox, &server, &name, "a hard link");
    assert_eq!(read(&second), before);
    for open in [0o644, 0o640, 0o606] {
        fs::set_permissions(&name, Permissions::from_mode(open)).unwrap();
        assert_mended(&sandbox, &server, &name, &format!("mode {open:o}"));
    }
}

#[test]
fn f32_a_file_of_another_user_is_a_miss() {
    let (sandbox, server, _) = filled();
    let name = sandbox.cache_file();
    if geteuid().is_root() {
        chown(&name, Some(65_534), None).unwrap();
        assert_mended(&sandbox, &server, &name, "a file of another user");
    } else {
        // Only root can give a file away; a link to a file of root's stands for it.
        fs::remove_file(&name).unwrap();
        symlink("/etc/hostname", &name).unwrap();
        assert_mended(&sandbox, &server, &name, "a link to a file of root's");
    }
}

#[test]
fn f32_a_directory_that_is_open_to_others_is_not_used() {
    let (sandbox, server, cached) = filled();
    for open in [0o777, 0o755, 0o711] {
        fs::set_permissions(sandbox.cache(), Permissions::from_mode(open)).unwrap();
        let before = read(&sandbox.cache_file());
        let done = sandbox.ls_token(&[]).run();
        assert_ne!(done.says("warning: ").says("open to others").says("chmod 700").token(), cached);
        assert_eq!(read(&sandbox.cache_file()), before, "mode {open:o}");
    }
    fs::set_permissions(sandbox.cache(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(sandbox.ls_token(&[]).run().quiet().token(), cached);
    assert_eq!(server.exchanges(), 4);
}

#[test]
fn f32_a_directory_that_is_a_link_is_not_used() {
    let (sandbox, server, _) = filled();
    let elsewhere = sandbox.root().join("elsewhere");
    fs::rename(sandbox.cache(), &elsewhere).unwrap();
    symlink(&elsewhere, sandbox.cache()).unwrap();
    sandbox.ls_token(&[]).run().says("warning: ").says("not a directory").token();
    assert_eq!(server.exchanges(), 2);
}

#[test]
fn f29_the_directory_of_another_user_is_left_alone() {
    let (sandbox, server) = ready();
    let theirs = sandbox.root().join("of another user");
    fs::create_dir(&theirs).unwrap();
    // Only root can give a directory away; to anybody else, /usr is another user's, who may not even look for room in it.
    let theirs = if geteuid().is_root() {
        chown(&theirs, Some(65_534), None).unwrap();
        theirs
    } else {
        "/usr".into()
    };
    let count = || fs::read_dir(&theirs).unwrap().count();
    let before = count();
    sandbox.ls_token(&[]).env("XDG_RUNTIME_DIR", &theirs).run().quiet().token();
    assert_eq!(count(), before);
    assert_eq!(sandbox.cache_files().len(), 1, "the user's own cache directory is used instead");
    let done = sandbox.ls_token(&[]).env("LS_TOKEN_CACHE_DIR", theirs.join("ls-token")).run();
    done.says("warning: the token is not cached: the cache directory ")
        .says(&format!("({})", theirs.display()))
        .token();
    assert_eq!((count(), server.exchanges()), (before, 2));
}
