//! One run of a program: prepared, running, ended.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fmt::{self, Debug, Formatter};
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};
use tempfile::tempfile;

use super::terminal::Terminal;
use super::{LONGEST_RUN, SPAWNING, Sandbox, assert_no_pat, wait_until};
use crate::server::{access_token_in, redacted};

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
        let started = Mark { since, ..Mark::now(child.id()) };
        let end = pidfd_open(pid_of(&child), PidfdFlags::empty()).expect("a child");
        Running { child, end, stdout, stderr, started, signalled: Cell::new(None), ended: None }
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

/// A moment from which on time is measured as on a machine that has nothing else to do: less what the program, and the
/// test that watches it, had to wait for a processor. Linux keeps count of that:
/// <https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat>.
#[derive(Clone, Copy)]
struct Mark {
    /// The moment.
    since: Instant,
    /// How long the program has waited for a processor until then.
    waited: Duration,
    /// How long the test has.
    watcher_waited: Duration,
}

impl Mark {
    /// Marks this moment in the life of a process.
    fn now(id: u32) -> Self {
        let waited = |whose: &str| {
            let text = fs::read_to_string(format!("/proc/{whose}/schedstat")).unwrap_or_default();
            let nanoseconds = text.split_whitespace().nth(1).and_then(|text| text.parse().ok());
            Duration::from_nanos(nanoseconds.unwrap_or_default())
        };
        let (since, waited, watcher_waited) = (Instant::now(), waited(&id.to_string()), waited("thread-self"));
        Self { since, waited, watcher_waited }
    }

    /// Returns how much later another moment is.
    fn until(self, end: Self) -> Duration {
        let waited = end.waited.saturating_sub(self.waited) + end.watcher_waited.saturating_sub(self.watcher_waited);
        (end.since - self.since).saturating_sub(waited)
    }
}

/// A program that runs; it is killed when this is dropped before its end.
pub(crate) struct Running {
    /// The process.
    child: Child,
    /// What becomes readable at its end.
    end: OwnedFd,
    /// What it writes to stdout goes here.
    stdout: File,
    /// And to stderr.
    stderr: File,
    /// When it was started.
    started: Mark,
    /// When it was last sent a signal.
    signalled: Cell<Option<Mark>>,
    /// How it ended and when, once that is known.
    ended: Option<(ExitStatus, Mark)>,
}

/// Returns the id of a child as rustix has it.
fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a process id")).expect("not 0")
}

impl Running {
    /// Returns its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub(crate) fn send(&self, signal: Signal) {
        self.signalled.set(Some(Mark::now(self.id())));
        kill_process(pid_of(&self.child), signal).expect("the process is there");
    }

    /// Returns whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.ends_within(Duration::ZERO)
    }

    /// Waits so long for its end, and tells whether it has ended.
    fn ends_within(&mut self, limit: Duration) -> bool {
        if self.ended.is_none() {
            let limit = Timespec::try_from(limit).expect("a short time");
            // Interrupted, it is looked at again anyway.
            if poll(&mut [PollFd::new(&self.end, PollFlags::IN)], Some(&limit)).unwrap_or(0) > 0 {
                // As long as nobody has waited for it, it is there to be asked.
                let end = Mark::now(self.id());
                self.ended = Some((self.child.wait().expect("a child"), end));
            }
        }
        self.ended.is_some()
    }

    /// Returns a number that Linux tells of it; `None` once it has ended.
    fn number(&self, name: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Returns the most memory that it has had so far, in KiB; `None` once it has ended.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        self.number("VmHWM")
    }

    /// Waits until it looks again and again whether something has come about: it has paused more often than any run does
    /// that has nothing to wait for.
    #[track_caller]
    pub(crate) fn wait_until_it_waits(&self) {
        const PAUSES: u64 = 12;
        wait_until("it waits", || self.number("voluntary_ctxt_switches").is_none_or(|pauses| pauses >= PAUSES));
    }

    /// Returns what it has written to stderr so far.
    pub(crate) fn stderr_so_far(&self) -> String {
        read_all(&self.stderr)
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Done {
        while !self.ends_within(LONGEST_RUN.saturating_sub(self.started.since.elapsed())) {
            assert!(
                self.started.since.elapsed() < LONGEST_RUN,
                "it takes longer than {LONGEST_RUN:?}; stderr so far: {}",
                redacted(self.stderr_so_far())
            );
        }
        let (status, end) = self.ended.expect("an end");
        let (stdout, stderr) = (read_all(&self.stdout), read_all(&self.stderr));
        assert_no_pat(&stdout, "stdout");
        assert_no_pat(&stderr, "stderr");
        assert!(access_token_in(&stderr).is_none(), "an access token in stderr: {}", redacted(&stderr));
        Done {
            code: status.code(),
            signal: status.signal(),
            dumped: status.core_dumped(),
            stdout,
            stderr,
            took: end.since - self.started.since,
            needed: self.started.until(end),
            needed_to_end: self.signalled.get().map(|signalled| signalled.until(end)),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = kill_process_group(pid_of(&self.child), Signal::KILL);
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
    /// How long it would have run on a machine that has nothing else to do.
    needed: Duration,
    /// The same from the last signal that it was sent.
    needed_to_end: Option<Duration>,
}

impl Debug for Done {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let mut fields = out.debug_struct("Done");
        fields.field("code", &self.code).field("signal", &self.signal).field("dumped", &self.dumped);
        fields.field("stdout", &redacted(&self.stdout)).field("stderr", &redacted(&self.stderr));
        fields.field("took", &self.took).field("needed", &self.needed).finish_non_exhaustive()
    }
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
        assert!(self.stderr.contains(text), "{text:?} is missing in: {}", redacted(&self.stderr));
        self
    }

    /// Asserts that stderr does not have a text in it.
    #[track_caller]
    pub(crate) fn does_not_say(&self, text: &str) -> &Self {
        assert!(!self.stderr.contains(text), "{text:?} should not be in: {}", redacted(&self.stderr));
        self
    }

    /// Asserts that it took less than that, on a machine that has nothing else to do.
    #[track_caller]
    pub(crate) fn within(&self, limit: Duration) -> &Self {
        assert!(self.needed < limit, "it took {:?}: {self:?}", self.needed);
        self
    }

    /// Asserts that it ended less than that after the last signal, on a machine that has nothing else to do.
    #[track_caller]
    pub(crate) fn ends_within(&self, limit: Duration) -> &Self {
        let took = self.needed_to_end.expect("a signal");
        assert!(took < limit, "it went on for {took:?} after the signal: {self:?}");
        self
    }
}
