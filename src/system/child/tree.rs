//! A command that shares our process group, and what it has started: all of it is to end, and nobody else in the group.
//! Linux lists the processes (proc(5)); elsewhere only the command itself is known.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{Dir, Mode, OFlags};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpgrp, getpid, getsid, kill_process, waitid};

/// How long processes that were killed may take to end. Those that wait for a disk do, and others' (sudo) may stay.
pub(super) const KILL_TIMEOUT: Duration = Duration::from_millis(500);

/// While this lives, orphans among our descendants become our children, so that none is lost from sight.
pub(super) struct Tree {
    adopts: bool,
}

struct Process {
    id: Pid,
    parent: i32,
    /// Whether it has taken the terminal from our process group.
    has_terminal: bool,
}

impl Tree {
    /// Has to come before the command is started. Children that are there already are those of a shell that became this
    /// program (`exec ls-token`), and orphans of theirs could not be told from the command's: then none is adopted, and
    /// what outlives the command is asked to end, but not killed.
    pub(super) fn begin() -> Self {
        let any = waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT);
        Self { adopts: any.is_err() && adopt(true) }
    }

    /// Asks the command, where that has not ended, and what it has started to end. Returns whether they have the terminal.
    pub(super) fn terminate(&self, command: Option<Pid>) -> bool {
        let started = self.signal(command, Signal::TERM);
        started.iter().any(|process| process.has_terminal)
    }

    /// Ends them, and what they start meanwhile.
    pub(super) fn kill(&self, command: Option<Pid>) {
        let since = Instant::now();
        while !self.signal(command, Signal::KILL).is_empty() && since.elapsed() < KILL_TIMEOUT {
            sleep(Duration::from_millis(1));
        }
    }

    /// Sends them a signal, and lists those that were started.
    fn signal(&self, command: Option<Pid>, signal: Signal) -> Vec<Process> {
        let root = if self.adopts { Some(getpid()) } else { command };
        let started = root.map(descendants).unwrap_or_default();
        let others = started.iter().map(|process| process.id).filter(|id| Some(*id) != command);
        for id in command.into_iter().chain(others) {
            let _ = kill_process(id, signal);
        }
        started
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if self.adopts {
            // Or the program that this one becomes would go on with it.
            adopt(false);
        }
    }
}

/// Makes orphans among our descendants our children from now on, or no longer (prctl(2), `PR_SET_CHILD_SUBREAPER`).
fn adopt(on: bool) -> bool {
    #[cfg(target_os = "linux")]
    return rustix::process::set_child_subreaper(on.then(getpid)).is_ok();
    #[cfg(not(target_os = "linux"))]
    return !on;
}

/// Lists the descendants of a process that have not ended and are of our session: a daemon has one of its own.
fn descendants(root: Pid) -> Vec<Process> {
    let own = fs::read_link("/proc/self").unwrap_or_default();
    if own.as_os_str() != getpid().to_string().as_str() {
        // The list is that of another PID namespace, in which these numbers mean other processes.
        return Vec::new();
    }
    let opened = rustix::fs::open("/proc", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let names = opened.and_then(Dir::read_from).into_iter().flatten().flatten();
    let mut others: Vec<Process> = names.filter_map(|entry| Process::read(entry.file_name().to_str().ok()?)).collect();
    let mut found = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        let children = others.extract_if(.., |process| process.parent == parent.as_raw_nonzero().get());
        found.extend(children.inspect(|child| parents.push(child.id)));
    }
    found
}

impl Process {
    fn read(id: &str) -> Option<Self> {
        let number = id.parse().ok()?;
        let line = fs::read(format!("/proc/{id}/stat")).ok()?;
        // The name of a program comes before the last bracket, and may be anything.
        let line = String::from_utf8_lossy(&line);
        let mut words = line.rsplit_once(") ")?.1.split(' ');
        let has_ended = words.next() == Some("Z");
        let mut number_of = || words.next()?.parse::<i32>().ok();
        let (parent, group, session, _, foreground) =
            (number_of()?, number_of()?, number_of()?, number_of()?, number_of()?);
        let is_ours = getsid(None).is_ok_and(|own| own.as_raw_nonzero().get() == session);
        let has_terminal = group == foreground && group != getpgrp().as_raw_nonzero().get();
        (is_ours && !has_ended).then_some(Self { id: Pid::from_raw(number)?, parent, has_terminal })
    }
}
