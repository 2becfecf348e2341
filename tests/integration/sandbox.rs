//! A sandbox in which the real program runs: a HOME of its own with a space in its name, an environment with nothing in
//! it, a directory of commands before the system's. Whatever a run prints, and every file that it leaves, is searched
//! for secrets.
//!
//! ```ignore
//! let (sandbox, server) = (Sandbox::new(), Server::start());
//! sandbox.use_env(&server);                       // or: sandbox.use_file(&server, "timeout = 1");
//! let token = sandbox.ls_token(&[]).run().token();
//! sandbox.ls_token(&["--refresh"]).run().fails(69).says("server: ");
//! ```

mod canary;
mod machine;
mod run;
mod terminal;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::{Builder, TempDir};

use crate::server::{Server, pat_in, redacted};
use machine::Machine;
pub(crate) use run::{Call, Done, Running};
pub(crate) use terminal::{Freeze, Terminal};

/// The program under test.
pub(crate) const LS_TOKEN: &str = env!("CARGO_BIN_EXE_ls-token");

/// How long a run may take before it counts as hanging: longer than any time limit of the program, on a busy machine too.
const LONGEST_RUN: Duration = Duration::from_secs(120);

/// How long a test waits for something that should happen at once, before it counts as never happening.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps a command from being written while another thread starts a program, which would have it open for writing for a
/// moment, and so keep it from being run: "Text file busy".
static SPAWNING: Mutex<()> = Mutex::new(());

/// A place for one test.
pub(crate) struct Sandbox {
    /// The directory of everything.
    root: TempDir,
    /// The variables that every run gets.
    environment: Mutex<Vec<(OsString, OsString)>>,
    /// The files that tests wrote, which may hold secrets.
    written: Mutex<Vec<PathBuf>>,
    /// The share of the machine.
    _machine: Arc<Machine>,
}

impl Sandbox {
    /// Makes a sandbox.
    pub(crate) fn new() -> Self {
        Self::with(false)
    }

    /// Makes a sandbox that has the machine to itself. A test makes one of these, or some of the others.
    pub(crate) fn alone() -> Self {
        Self::with(true)
    }

    /// Makes a sandbox.
    fn with(alone: bool) -> Self {
        let machine = Machine::take(alone);
        let root = Builder::new().prefix("ls-token test ").tempdir().expect("a temporary directory");
        let sandbox = Self { root, environment: Mutex::default(), written: Mutex::default(), _machine: machine };
        for directory in [sandbox.home(), sandbox.bin(), sandbox.work(), sandbox.root().join("tmp")] {
            fs::create_dir(&directory).expect("a directory");
            fs::set_permissions(&directory, Permissions::from_mode(0o700)).expect("a mode");
        }
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", sandbox.bin().display());
        sandbox.set("HOME", sandbox.home());
        sandbox.set("PATH", path);
        sandbox.set("TMPDIR", sandbox.root().join("tmp"));
        sandbox.set("LS_TOKEN", LS_TOKEN);
        // Whatever these make a program tell, it must not tell a secret.
        sandbox.set("RUST_LOG", "trace");
        sandbox.set("RUST_BACKTRACE", "1");
        sandbox
    }

    /// Returns the directory of everything, which has a space in its name.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Returns HOME, which has two.
    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("home of someone")
    }

    /// Returns the directory that is first in PATH.
    pub(crate) fn bin(&self) -> PathBuf {
        self.root().join("bin")
    }

    /// Returns the directory that programs are started in.
    pub(crate) fn work(&self) -> PathBuf {
        self.root().join("work")
    }

    /// Makes a private directory below the sandbox.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        let directory = self.root().join(name);
        fs::create_dir_all(&directory).expect("a directory");
        fs::set_permissions(&directory, Permissions::from_mode(0o700)).expect("a mode");
        directory
    }

    /// Returns the directory that the cache is in, where no variable says otherwise.
    pub(crate) fn cache(&self) -> PathBuf {
        self.home().join(".cache/ls-token")
    }

    /// Returns the cache file; there must be exactly one.
    pub(crate) fn cache_file(&self) -> PathBuf {
        let mut files = self.cache_files();
        assert_eq!(files.len(), 1, "one cache file: {files:?}");
        files.remove(0)
    }

    /// Returns the cache files, without locks.
    pub(crate) fn cache_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.cache()).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(|path| path.extension().is_none()).collect()
    }

    /// Returns the lock file; there must be exactly one.
    pub(crate) fn lock_file(&self) -> PathBuf {
        let entries = fs::read_dir(self.cache()).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = entries.filter(|path| path.extension() == Some(OsStr::new("lock"))).collect();
        assert_eq!(files.len(), 1, "one lock file: {files:?}");
        files.remove(0)
    }

    /// Sets a variable for every run from now on.
    pub(crate) fn set(&self, name: &str, value: impl AsRef<OsStr>) {
        self.environment.lock().expect("no panic").push((name.into(), value.as_ref().to_owned()));
    }

    /// Sets `LABEL_STUDIO_URL` and `LABEL_STUDIO_API_KEY` to those of the server.
    pub(crate) fn use_env(&self, server: &Server) {
        self.set("LABEL_STUDIO_URL", server.url());
        self.set("LABEL_STUDIO_API_KEY", server.pat());
    }

    /// Writes settings with one profile, `test`, whose token is in a file; `more` is added to it as it is. Returns the
    /// token's file.
    pub(crate) fn use_file(&self, server: &Server, more: &str) -> PathBuf {
        let file = self.pat_file(server.pat());
        self.use_source(server, &format!("file:{}", file.display()), more);
        file
    }

    /// Writes settings with one profile, `test`, with that `pat`; `more` is added to it as it is.
    pub(crate) fn use_source(&self, server: &Server, pat: &str, more: &str) {
        self.settings(&format!("[profiles.test]\nurl = \"{}\"\npat = {pat:?}\n{more}\n", server.url()));
    }

    /// Writes the settings file and returns its path.
    pub(crate) fn settings(&self, toml: &str) -> PathBuf {
        self.file("home of someone/.config/ls-token/config.toml", toml, 0o600)
    }

    /// Writes a file with a personal access token and a newline.
    pub(crate) fn pat_file(&self, pat: &str) -> PathBuf {
        self.file("home of someone/label studio.pat", format!("{pat}\n"), 0o600)
    }

    /// Writes a file, given by its path below the sandbox, with a mode.
    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
        let spawning = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
        fs::write(&path, content).expect("a file");
        drop(spawning);
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
        self.written.lock().expect("no panic").push(path.clone());
        path
    }

    /// Writes a command of `/bin/sh` into the first directory of PATH; `$here` is the sandbox. Returns its path.
    pub(crate) fn command(&self, name: &str, script: &str) -> PathBuf {
        let here = shell_words::quote(&self.root().to_string_lossy()).into_owned();
        self.file(&format!("bin/{name}"), format!("#!/bin/sh\nhere={here}\n{script}\n"), 0o700)
    }

    /// Puts a 1Password into the sandbox, with one secret in it. It behaves as `op read`, `op item get` and `op item edit`
    /// are documented to, and notes its calls in the file `op.calls`:
    /// <https://developer.1password.com/docs/cli/reference/commands/read>,
    /// <https://developer.1password.com/docs/cli/reference/management-commands/item>. The file `op.category` names another
    /// category for its item.
    pub(crate) fn one_password(&self, reference: &str, secret: &str) {
        let name = reference.replace(['/', ' ', ':'], "_");
        self.file(&format!("vault/{name}"), secret, 0o600);
        self.file("op.reference", reference, 0o600);
        self.command(
            "op",
            r#"echo "$*" >>"$here/op.calls"
fail() { echo "[ERROR] $(date '+%Y/%m/%d %H:%M:%S') $1" >&2; exit 1; }
secret="$here/vault/$(tr '/ :' '___' <"$here/op.reference")"
IFS=/ read -r _ _ vault item field <"$here/op.reference" || :
id=abcdefghijklmnopqrstuvwxyz
show() {
    category=$(cat "$here/op.category" 2>/dev/null || echo API_CREDENTIAL)
    jq -n --arg id "$id" --arg title "$item" --arg vault "$vault" --arg field "${field##*/}" --arg category "$category" --rawfile value "$secret" \
        '{id: $id, title: $title, version: 1, vault: {id: "v", name: $vault}, category: $category, fields: [
            {id: "notesPlain", type: "STRING", purpose: "NOTES", label: "notesPlain", value: "kept"},
            {id: "x", section: {id: "s", label: "other"}, type: "CONCEALED", label: "other", value: "kept"},
            {id: "y", type: "CONCEALED", label: $field, value: $value}]}'
}
case "$1 $2" in
"item get" | "item edit")
    [ "$3" = "$item" ] || [ "$3" = "$id" ] || fail "\"$3\" isn't an item. Specify the item with its UUID, name, or domain."
    [ "$4" = "--vault=$vault" ] || fail "\"$4\" isn't a vault in this account."
    [ "$5 $6" = "--format json" ] || fail "unknown flag: $5"
    if [ "$2" = get ]; then show; exit; fi
    new=$(mktemp "$here/vault/new.XXXXXX")
    cat >"$new"
    [ "$(jq '[.fields[] | select(.value == "kept")] | length' <"$new")" = 2 ] || fail "the item lost a field"
    jq -j --arg field "${field##*/}" '.fields[] | select(.label == $field) | .value' <"$new" >"$secret"
    rm "$new"
    show
    exit
    ;;
read*) ;;
*) fail "unknown command \"$1\" for \"op\"" ;;
esac
shift
newline='\n'
if [ "$1" = --no-newline ] || [ "$1" = -n ]; then newline=; shift; fi
item="$here/vault/$(printf %s "$1" | tr '/ :' '___')"
[ -f "$item" ] || fail "could not read secret '$1': could not find item"
printf "%s$newline" "$(cat "$item")""#,
        );
    }

    /// Says that this file, given by its path below the sandbox, may hold a personal access token.
    pub(crate) fn may_hold_a_token(&self, path: impl AsRef<Path>) {
        let path = self.root().join(path);
        self.written.lock().expect("no panic").push(path);
    }

    /// Returns the lines of a file below the sandbox that a command keeps; none where it is not there.
    pub(crate) fn lines(&self, path: &str) -> Vec<String> {
        let text = fs::read_to_string(self.root().join(path)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Prepares a run of ls-token.
    pub(crate) fn ls_token(&self, arguments: &[&str]) -> Call<'_> {
        self.program(LS_TOKEN, arguments)
    }

    /// Prepares a run of `/bin/sh`; `$LS_TOKEN` is ls-token.
    pub(crate) fn shell(&self, script: &str) -> Call<'_> {
        self.program("/bin/sh", &["-c", script])
    }

    /// Prepares a run of a program in the sandbox's environment.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Call<'_> {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).env_clear().current_dir(self.work()).stdin(Stdio::null());
        // In the background of whatever terminal the tests run on: no command asks for anything there.
        command.process_group(0);
        for (name, value) in self.environment.lock().expect("no panic").iter() {
            command.env(name, value);
        }
        Call::new(command, self)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        // No file but those of the test holds a personal access token.
        let written: HashSet<PathBuf> = self.written.lock().expect("no panic").drain(..).collect();
        for path in files_below(self.root()).into_iter().filter(|path| !written.contains(path)) {
            assert_no_pat(fs::read(&path).unwrap_or_default(), &format!("the file {}", path.display()));
        }
    }
}

/// Makes a sandbox whose environment names a server.
pub(crate) fn ready() -> (Sandbox, Server) {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_env(&server);
    (sandbox, server)
}

/// Lists the regular files below a directory.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_below(&entry.path())),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}

/// Fails when a text holds a personal access token, or the telling part of one.
fn assert_no_pat(text: impl AsRef<[u8]>, whose: &str) {
    let found = pat_in(&text);
    assert!(found.is_none(), "a personal access token in {whose}: {}", redacted(text));
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Fails, naming the package, when a tool that a test needs is not there.
#[track_caller]
pub(crate) fn need(tool: &str) {
    need_from(tool, tool);
}

/// The same for a tool whose package has another name.
#[track_caller]
pub(crate) fn need_from(tool: &str, package: &str) {
    let directories = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"];
    let there = directories.iter().any(|directory| Path::new(directory).join(tool).exists());
    assert!(there, "{tool} is missing: apt-get install {package}");
}

/// Reads a small file as text.
#[track_caller]
pub(crate) fn read(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|mut file| file.read_to_string(&mut text));
    read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text
}
