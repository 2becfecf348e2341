//! A terminal with somebody at the keyboard. What stands on the screen is searched for secrets.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command};
use std::sync::PoisonError;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Action, LocalModes, Winsize, tcflow, tcgetattr, tcsetwinsize};

use super::{PATIENCE, SPAWNING, assert_no_pat, need, wait_until};
use crate::server::redacted;

/// How a terminal comes to take no more output.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Freeze {
    /// By Ctrl-S, until Ctrl-Q.
    Keys,
    /// By tcflow(3).
    Flow,
    /// As nobody reads it: its buffer is full.
    Full,
}

/// A terminal, and the program that runs on it.
pub(crate) struct Terminal {
    /// The side of the screen and the keyboard.
    screen: File,
    /// The program's own side, so that its end does not end the terminal.
    slave: File,
    /// `setsid`, which waits for the program.
    child: Child,
    /// All that has come on the screen.
    seen: String,
    /// How much of that has been waited for, in bytes.
    read: usize,
}

impl Terminal {
    /// Starts the program on a new terminal.
    pub(super) fn start(program: &Command) -> Self {
        need("setsid");
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&screen).expect("a terminal");
        unlockpt(&screen).expect("a terminal");
        let name = ptsname(&screen, Vec::new()).expect("a name");
        let name = name.to_str().expect("a name").to_owned();
        let size = Winsize { ws_row: 24, ws_col: 300, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&screen, size).expect("a size");
        fcntl_setfl(&screen, OFlags::NONBLOCK | OFlags::RDWR).expect("a mode");
        let flags = i32::try_from(OFlags::NOCTTY.bits()).expect("flags");
        let slave = OpenOptions::new().read(true).write(true).custom_flags(flags).open(name).expect("a terminal");
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(program.get_program()).args(program.get_args());
        command.env_clear();
        for (name, value) in program.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        if let Some(directory) = program.get_current_dir() {
            command.current_dir(directory);
        }
        let stream = || slave.try_clone().expect("a file");
        command.stdin(stream()).stdout(stream()).stderr(stream());
        let spawning = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn().expect("setsid");
        drop(spawning);
        Self { screen: File::from(screen), slave, child, seen: String::new(), read: 0 }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        let mut rest = keys.as_bytes();
        let since = Instant::now();
        while !rest.is_empty() {
            match self.screen.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(_) => sleep(Duration::from_millis(2)),
            }
            self.look();
            assert!(since.elapsed() < PATIENCE, "the terminal takes no keys");
        }
    }

    /// Types a line and presses Enter.
    pub(crate) fn type_line(&mut self, line: &str) {
        self.press(&format!("{line}\r"));
    }

    /// Waits until a text is on the screen, below where the last wait ended.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let since = Instant::now();
        loop {
            self.look();
            let rest = &self.seen[self.read..];
            if let Some(place) = rest.find(text) {
                self.read += place + text.len();
                return;
            }
            assert!(since.elapsed() < PATIENCE, "{text:?} does not come on the screen: {}", redacted(&self.seen));
            sleep(Duration::from_millis(2));
        }
    }

    /// Makes the terminal take no more output. A full one takes some again once somebody waits for a text.
    pub(crate) fn freeze(&mut self, how: Freeze) {
        match how {
            Freeze::Keys => self.press("\x13"),
            Freeze::Flow => tcflow(&self.slave, Action::OOff).expect("a terminal"),
            Freeze::Full => {
                let again = format!("/proc/self/fd/{}", self.slave.as_fd().as_raw_fd());
                let flags = i32::try_from((OFlags::NOCTTY | OFlags::NONBLOCK).bits()).expect("flags");
                let mut writer = OpenOptions::new().write(true).custom_flags(flags).open(again).expect("a terminal");
                while writer.write(b" ").is_ok() {}
            }
        }
        wait_until("the terminal takes no output", || {
            let mut watched = [PollFd::new(&self.slave, PollFlags::OUT)];
            poll(&mut watched, Some(&Timespec::default())).expect("a poll") == 0
        });
    }

    /// Lets the output go on.
    pub(crate) fn thaw(&mut self, how: Freeze) {
        match how {
            Freeze::Keys => self.press("\x11"),
            Freeze::Flow => tcflow(&self.slave, Action::OOn).expect("a terminal"),
            Freeze::Full => self.look(),
        }
    }

    /// Waits for the program's end without looking at the screen.
    #[track_caller]
    pub(crate) fn wait_in_the_dark(&mut self) {
        wait_until("it ends", || self.child.try_wait().expect("a child").is_some());
    }

    /// Returns whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(self.slave.as_fd()).expect("modes").local_modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }

    /// Waits until what is typed is no longer shown.
    #[track_caller]
    pub(crate) fn wait_for_hiding(&mut self) {
        wait_until("the terminal hides what is typed", || !self.echoes());
    }

    /// Waits for the program's end, and returns its exit status and all that came on the screen.
    #[track_caller]
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let since = Instant::now();
        let status = loop {
            self.look();
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(since.elapsed() < PATIENCE, "it does not end: {}", redacted(&self.seen));
            sleep(Duration::from_millis(2));
        };
        self.look();
        assert!(self.echoes(), "the terminal is not as it was before");
        (status.code(), self.seen.clone())
    }

    /// Takes in what has come on the screen.
    fn look(&mut self) {
        use std::io::Read as _;
        let mut buffer = [0; 4096];
        let before = self.seen.len();
        while let Ok(count @ 1..) = self.screen.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..count]).replace('\r', "");
            self.seen.push_str(&text);
        }
        if self.seen.len() > before {
            assert_no_pat(&self.seen, "what is on the screen");
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Its end hangs the terminal up, which ends what runs on it.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
