//! Runs a command that prints or takes a personal access token, within limits of time, of output and of what it leaves.

mod foreground;
mod stderr;
mod tree;

use std::io::{ErrorKind, Read, Write as _};
use std::iter::once;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::SIGINT;
use zeroize::Zeroizing;

use super::environment::KEY_VARIABLE;
use super::process::lack;
use super::program;
use super::signals::{TICK, survive_failed_writes, wait_for_children};
use super::spinner::Spinner;
use crate::error::{Error, Kind, Result};
use crate::types::Secret;
use foreground::Foreground;
use stderr::Tail;
use tree::{KILL_TIMEOUT, Tree};

/// The most that a command may write to stdout, in bytes; a personal access token may have 16 KiB.
const MAX_OUTPUT_BYTES: usize = 64 * 1024;

/// How long output is still read after the command has ended: a daemon that it started may hold the pipe for ever.
const DRAIN_AFTER_EXIT: Duration = Duration::from_millis(250);

/// How long a command that was asked to end may take before it is killed.
const KILL_AFTER: Duration = Duration::from_millis(500);

/// The same where a signal ends this program, which is to happen within 100 ms.
const KILL_AFTER_SIGNAL: Duration = Duration::from_millis(50);

/// What makes a program write down the keys of its TLS connections.
const KEY_LOG_VARIABLE: &str = "SSLKEYLOGFILE";

/// Takes out of a command's environment what holds a personal access token, and what makes it write down TLS keys. The one
/// rule for every program that is run: sources, curl, and what `exec` runs.
pub(crate) fn hide_secrets<'a>(command: &mut Command, variables: impl IntoIterator<Item = &'a str>) {
    for name in variables.into_iter().chain([KEY_VARIABLE, KEY_LOG_VARIABLE]) {
        command.env_remove(name);
    }
}

pub(crate) struct Task<'a> {
    pub(crate) words: &'a [String],
    /// The variables that it does not get.
    pub(crate) hidden: &'a [Rc<str>],
    /// What it gets on stdin; nothing, where that is `None`.
    pub(crate) input: Option<&'a Secret>,
    pub(crate) timeout: Duration,
}

/// How a command ended by itself, and what it wrote.
pub(crate) struct Finished {
    /// Its exit status, or the signal that ended it.
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Zeroizing<Vec<u8>>,
    /// `: ` and the last line that it wrote to stderr, safe to show; or nothing.
    pub(crate) complaint: String,
}

fn failed(what: String) -> Error {
    Error::new(Kind::NoCredential, what).hint("run that command by hand to see what it needs")
}

/// Runs the command and returns what it wrote to stdout, which must be something.
pub(crate) fn output(task: &Task<'_>, spinner: &mut Spinner) -> Result<Vec<u8>> {
    let mut finished = run(task, spinner)?.succeeded(task)?;
    if finished.stdout.trim_ascii().is_empty() {
        return Err(failed(format!("`{}` printed nothing{}", task.name(), finished.complaint)));
    }
    Ok(std::mem::take(&mut *finished.stdout))
}

impl Task<'_> {
    fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }
}

impl Finished {
    pub(crate) fn succeeded(self, task: &Task<'_>) -> Result<Self> {
        let (name, last) = (task.name(), &self.complaint);
        let what = match (self.status.code(), self.status.signal()) {
            (Some(0), _) => return Ok(self),
            // Ctrl-C reaches both, and this one may be the first to end.
            (None, Some(SIGINT)) => return Err(Error::new(Kind::Interrupted(SIGINT), "interrupted")),
            (Some(code), _) => format!("`{name}` failed with exit status {code}{last}"),
            (None, signal) => format!("`{name}` was ended by signal {}{last}", signal.unwrap_or(0)),
        };
        Err(failed(what))
    }
}

/// Runs the command to its end. stderr is passed through, so that a prompt can be seen.
pub(crate) fn run(task: &Task<'_>, spinner: &mut Spinner) -> Result<Finished> {
    let name = task.name();
    let path = program::find(name).map_err(|error| Error { kind: Kind::NoCredential, ..error })?;
    let terminal = Foreground::of_ours();
    let mut command = Command::new(path);
    command.arg0(name).args(task.words.iter().skip(1));
    hide_secrets(&mut command, task.hidden.iter().map(|name| &**name));
    let stdin = if task.input.is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    if terminal.is_none() {
        // On a terminal the command stays in our group: one in the background may not ask for a password there.
        command.process_group(0);
    }
    wait_for_children();
    let tree = terminal.is_some().then(Tree::begin);
    survive_failed_writes();
    let child = command.spawn().map_err(|error| {
        let what = format!("cannot run `{name}`");
        lack(&what, &error).unwrap_or_else(|| failed(format!("{what}: {error}")))
    })?;
    let _ = child.stdin.as_ref().map(|pipe| fcntl_setfl(pipe, OFlags::NONBLOCK));
    let mut run = Run { child, tree, fed: 0, stdout: Zeroizing::default(), stderr: Tail::default() };
    let ended = run.follow(task, spinner);
    spinner.hide();
    if let Err(error) = &ended {
        let by_signal = matches!(error.kind, Kind::Interrupted(_));
        let had_terminal = run.stop(if by_signal { KILL_AFTER_SIGNAL } else { KILL_AFTER });
        terminal.inspect(|terminal| terminal.restore(had_terminal));
    }
    let complaint = run.stderr.finish();
    match ended {
        Ok(status) => Ok(Finished { status, stdout: run.stdout, complaint }),
        Err(error) => Err(Error { what: error.what + &complaint, ..error }),
    }
}

/// A command that runs, and what it has written so far.
struct Run {
    child: Child,
    /// What it has started, unless it leads a process group of its own.
    tree: Option<Tree>,
    /// How much of its input it has taken, in bytes.
    fed: usize,
    stdout: Zeroizing<Vec<u8>>,
    stderr: Tail,
}

impl Run {
    /// Reads the command's output until it has ended, the time is up, or a signal comes in.
    fn follow(&mut self, task: &Task<'_>, spinner: &mut Spinner) -> Result<ExitStatus> {
        let name = task.name();
        let mut ended: Option<(ExitStatus, Instant)> = None;
        loop {
            spinner.tick()?;
            self.feed(task.input);
            self.read(spinner);
            if self.stdout.len() > MAX_OUTPUT_BYTES {
                let most = MAX_OUTPUT_BYTES / 1024;
                return Err(failed(format!("`{name}` printed more than {most} KiB, which is no token")));
            }
            if ended.is_none() {
                let status = self.child.try_wait();
                let status = status.map_err(|error| failed(format!("cannot wait for `{name}`: {error}")))?;
                ended = status.map(|status| (status, Instant::now()));
            }
            match ended {
                Some((status, at)) if self.is_closed() || at.elapsed() > DRAIN_AFTER_EXIT => return Ok(status),
                None if spinner.elapsed() > task.timeout => {
                    return Err(failed(format!("`{name}` took longer than {} s", task.timeout.as_secs())));
                }
                _ => {}
            }
        }
    }

    fn is_closed(&self) -> bool {
        self.child.stdout.is_none() && self.child.stderr.is_none()
    }

    /// Gives the command its input, as far as it takes that: one that does not read must not hold us up.
    fn feed(&mut self, input: Option<&Secret>) {
        let (Some(pipe), Some(input)) = (&mut self.child.stdin, input) else { return };
        let rest = input.expose().as_bytes().get(self.fed..).unwrap_or_default();
        match pipe.write(rest) {
            Ok(count) if count < rest.len() => self.fed += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            _ => self.child.stdin = None,
        }
    }

    /// Reads what is there, and waits a short while for it; a stream that has ended becomes `None`.
    fn read(&mut self, spinner: &mut Spinner) {
        let pace = if self.is_closed() { TICK / 40 } else { TICK };
        let Child { stdout, stderr, .. } = &mut self.child;
        wait_for(stdout.iter().map(AsFd::as_fd).chain(stderr.iter().map(AsFd::as_fd)), pace);
        let mut buffer = Zeroizing::new([0; 4096]);
        self.stdout.extend_from_slice(read_ready(stdout, &mut *buffer));
        let said = read_ready(stderr, &mut *buffer);
        if !said.is_empty() {
            spinner.hide();
            self.stderr.take_in(said);
        }
        self.stderr.show_standing();
    }

    /// Ends the command and what it has started. Returns whether they had taken the terminal.
    fn stop(&mut self, grace: Duration) -> bool {
        let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else { return false };
        // The number of a process that is gone may be another's.
        let running = |child: &mut Child| matches!(child.try_wait(), Ok(None)).then_some(id);
        let asked = Instant::now();
        if self.tree.is_none() {
            let _ = kill_process_group(id, Signal::TERM);
        }
        let had_terminal = self.tree.as_ref().is_some_and(|tree| tree.terminate(running(&mut self.child)));
        let wait = |child: &mut Child, limit: Duration| {
            while running(child).is_some() && asked.elapsed() < limit {
                sleep(Duration::from_millis(5));
            }
        };
        wait(&mut self.child, grace);
        // What it has started lives on after it.
        match &self.tree {
            Some(tree) => tree.kill(running(&mut self.child)),
            None => _ = kill_process_group(id, Signal::KILL),
        }
        wait(&mut self.child, grace + KILL_TIMEOUT);
        had_terminal
    }
}

/// Waits until one of the streams has something to read, and tells whether it has.
fn wait_for<'a>(streams: impl Iterator<Item = BorrowedFd<'a>>, limit: Duration) -> bool {
    let mut watched: Vec<_> = streams.map(|stream| PollFd::from_borrowed_fd(stream, PollFlags::IN)).collect();
    poll(&mut watched, Timespec::try_from(limit).ok().as_ref()).is_ok_and(|ready| ready > 0)
}

/// Reads what a stream has, without waiting for it.
fn read_ready<'a>(stream: &mut Option<impl AsFd + Read>, buffer: &'a mut [u8]) -> &'a [u8] {
    let is_ready = |stream: &&mut _| wait_for(once(AsFd::as_fd(*stream)), Duration::ZERO);
    let Some(ready) = stream.as_mut().filter(is_ready) else { return &[] };
    let count = ready.read(buffer).unwrap_or(0);
    if count == 0 {
        *stream = None;
    }
    buffer.get(..count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f20_a_command_that_hangs_is_ended_with_its_group() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let words = ["sh", "-c", "sleep 600 & echo $! >\"$0\"; wait", file.path().to_str().unwrap()].map(str::to_owned);
        let task = Task { words: &words, hidden: &[], input: None, timeout: Duration::from_secs(1) };
        let error = output(&task, &mut Spinner::begin("sh".into())).unwrap_err();
        assert_eq!(error.what, "`sh` took longer than 1 s");
        let number = std::fs::read_to_string(file.path()).unwrap();
        let program = std::path::Path::new("/proc").join(number.trim()).join("exe");
        // It has been killed by then, which on a busy machine takes a moment; by itself it would live for ten minutes.
        let is_gone = (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            !program.exists()
        });
        assert!(!number.is_empty() && is_gone, "what it started lives on");
    }
}
