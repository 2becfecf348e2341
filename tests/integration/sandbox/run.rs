//! One run of a program: prepared, running, ended.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::PoisonError;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::tempfile;

use super::terminal::Terminal;
use super::{LONGEST_RUN, SPAWNING, Sandbox, assert_no_secret};
use crate::server;

/// A run that is being prepared.
pub(crate) struct Call<'a> {
    /// The command.
    command: Command,
    /// Where it runs.
    _sandbox: &'a Sandbox,
}

impl<'a> Call<'a> {
    /// Prepares a command, which is to run in the sandbox.
    pub(super) fn new(command: Command, sandbox: &'a Sandbox) -> Self {
        Self { command, _sandbox: sandbox }
    }

    /// Sets a variable for this run.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Gives it a text on stdin.
    pub(crate) fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        let mut file = tempfile().expect("a temporary file");
        file.write_all(text.as_ref()).expect("a text");
        file.seek(SeekFrom::Start(0)).expect("a start");
        self.command.stdin(file);
        self
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let (stdout, stderr) = (tempfile().expect("a file"), tempfile().expect("a file"));
        self.command.stdout(stdout.try_clone().expect("a file")).stderr(stderr.try_clone().expect("a file"));
        let spawning = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
        let since = Instant::now();
        let child =
            self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.command.get_program().display()));
        drop(spawning);
        Running { child, stdout, stderr, since, ended: None }
    }

    /// Starts it on a terminal of its own, which it controls.
    pub(crate) fn on_terminal(self) -> Terminal {
        Terminal::start(&self.command)
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Done {
        self.start().wait()
    }
}

/// A program that runs; it is killed when this is dropped before its end.
pub(crate) struct Running {
    /// The process.
    child: Child,
    /// What it writes to stdout goes here.
    stdout: File,
    /// And to stderr.
    stderr: File,
    /// When it was started.
    since: Instant,
    /// How it ended, once that is known.
    ended: Option<ExitStatus>,
}

impl Running {
    /// Returns its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub(crate) fn send(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the process is there");
    }

    /// Returns its process id as rustix has it.
    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id")).expect("not 0")
    }

    /// Tells whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("a child");
        }
        self.ended.is_some()
    }

    /// Returns the most memory that it has had so far, in KiB; `None` once it has ended.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Returns what it has written to stderr so far.
    pub(crate) fn stderr_so_far(&self) -> String {
        read_all(&self.stderr)
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Done {
        while !self.has_ended() {
            let so_far = || self.stderr_so_far();
            assert!(
                self.since.elapsed() < LONGEST_RUN,
                "it takes longer than {LONGEST_RUN:?}; stderr so far: {}",
                so_far()
            );
            thread::sleep(Duration::from_millis(1));
        }
        let took = self.since.elapsed();
        let status = self.ended.expect("an end");
        let (stdout, stderr) = (read_all(&self.stdout), read_all(&self.stderr));
        let pats = server::every_pat();
        assert_no_secret(&stdout, &pats, "stdout");
        assert_no_secret(&stderr, &pats, "stderr");
        assert_no_secret(&stderr, &server::every_access_token(), "stderr");
        let (code, signal, dumped) = (status.code(), status.signal(), status.core_dumped());
        Done { code, signal, dumped, stdout, stderr, took }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = kill_process_group(self.pid(), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Reads a file from its start, wherever its writer is.
fn read_all(file: &File) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = file.read_at(&mut buffer, bytes.len() as u64) {
        bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Done {
    /// Its exit status, if it exited.
    pub(crate) code: Option<i32>,
    /// The signal that ended it, if one did.
    pub(crate) signal: Option<i32>,
    /// Whether the kernel wrote a core file.
    pub(crate) dumped: bool,
    /// What it wrote to stdout.
    pub(crate) stdout: String,
    /// What it wrote to stderr.
    pub(crate) stderr: String,
    /// How long it ran.
    pub(crate) took: Duration,
}

impl Done {
    /// Returns what it printed, which has to be one line, after asserting that it succeeded.
    #[track_caller]
    pub(crate) fn line(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        let line = self.stdout.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(!line.is_empty() && !line.contains('\n'), "not one line: {self:?}");
        line
    }

    /// Returns the token that it printed, after asserting that it printed one and nothing else.
    #[track_caller]
    pub(crate) fn token(&self) -> String {
        let line = self.line();
        let parts: Vec<&str> = line.split('.').collect();
        assert!(parts.len() == 3 && parts.iter().all(|part| !part.is_empty()), "not a token: {self:?}");
        line.to_owned()
    }

    /// Asserts that it printed nothing to stderr.
    #[track_caller]
    pub(crate) fn quiet(&self) -> &Self {
        assert_eq!(self.stderr, "", "stderr of {self:?}");
        self
    }

    /// Asserts that it failed with this exit status, printed nothing to stdout and a complaint to stderr.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "exit status of {self:?}");
        assert_eq!(self.stdout, "", "stdout of {self:?}");
        assert!(self.stderr.contains("ls-token: "), "stderr of {self:?}");
        self
    }

    /// Asserts that it died of this signal and printed nothing to stdout.
    #[track_caller]
    pub(crate) fn dies_of(&self, signal: Signal) -> &Self {
        assert_eq!(self.signal, Some(signal.as_raw()), "signal of {self:?}");
        assert_eq!(self.stdout, "", "stdout of {self:?}");
        self
    }

    /// Asserts that stderr has a text in it.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "{text:?} is missing in: {}", self.stderr);
        self
    }

    /// Asserts that stderr does not have a text in it.
    #[track_caller]
    pub(crate) fn does_not_say(&self, text: &str) -> &Self {
        assert!(!self.stderr.contains(text), "{text:?} should not be in: {}", self.stderr);
        self
    }

    /// Asserts that it took less than that.
    #[track_caller]
    pub(crate) fn within(&self, limit: Duration) -> &Self {
        assert!(self.took < limit, "it took {:?}: {self:?}", self.took);
        self
    }
}
