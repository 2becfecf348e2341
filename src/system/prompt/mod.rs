//! Asks a person, on the terminal itself: stdin and stdout may be pipes. A secret is read without being shown, and the
//! terminal is put back on every way out: also by Ctrl-C, and by Ctrl-Z until the program goes on.

mod answer;

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::SIGTSTP;
use signal_hook::flag::register;
use signal_hook::low_level::{emulate_default_handler, unregister};
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::system::{check_signals, listen};
use crate::types::Secret;
use answer::{Answer, End};

/// How many reads may come back empty at once before the terminal is taken for gone.
const EMPTY_READS: u32 = 20;

pub(crate) struct Terminal {
    tty: File,
}

impl Terminal {
    pub(crate) fn open() -> Option<Self> {
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        tcgetattr(&tty).is_ok().then_some(Self { tty })
    }

    pub(crate) fn tell(&self, text: &str) {
        let _ = (&self.tty).write_all(text.as_bytes());
    }

    /// Asks for a line, which is seen while it is typed: before anything listens for signals, so that Ctrl-C ends it.
    pub(crate) fn ask(&self, question: &str) -> Result<String> {
        self.tell(question);
        let mut line = Vec::new();
        // A terminal gives one line at a time: what was typed behind it is not taken.
        let _ = BufReader::new(&self.tty).read_until(b'\n', &mut line);
        if !line.ends_with(b"\n") {
            self.tell("\n");
            return Err(no_answer());
        }
        let text = String::from_utf8_lossy(&line).replace("\x1b[200~", "").replace("\x1b[201~", "");
        Ok(text.trim().to_owned())
    }

    /// Asks for a secret, which is not seen. Not read by lines, which the kernel cuts at 4095 bytes (termios(3)).
    pub(crate) fn ask_secret(&self, question: &str) -> Result<Secret> {
        listen();
        let stop = Arc::new(AtomicBool::new(false));
        let listening = register(SIGTSTP, Arc::clone(&stop));
        let answer = self.read_hidden(question, &stop);
        if let Ok(listening) = listening {
            unregister(listening);
        }
        self.tell("\n");
        answer
    }

    fn read_hidden(&self, question: &str, stop: &AtomicBool) -> Result<Secret> {
        let mut hidden = Hidden::begin(&self.tty)?;
        self.tell(question);
        let mut answer = Answer::default();
        let mut empty = 0;
        loop {
            check_signals()?;
            if stop.swap(false, Ordering::Relaxed) {
                drop(hidden);
                let _ = emulate_default_handler(SIGTSTP);
                // Here the program goes on, in the foreground again.
                check_signals()?;
                hidden = Hidden::begin(&self.tty)?;
                self.tell(question);
            }
            let mut buffer = Zeroizing::new([0; 1024]);
            let since = Instant::now();
            let count = match (&self.tty).read(&mut *buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(no_answer()),
            };
            for byte in buffer.iter().take(count) {
                answer.take(*byte);
            }
            if count == 0 {
                // The rest of a paste has come as well: none of it is left for the shell to run.
                match answer.ended {
                    Some(End::Line) => return answer.into_secret(),
                    Some(End::File) => return Err(no_answer()),
                    None => {}
                }
                let at_once = since.elapsed() < Duration::from_millis(20);
                empty = if at_once { empty + 1 } else { 0 };
                if empty > EMPTY_READS {
                    return Err(no_answer());
                }
            }
        }
    }
}

/// The terminal while it shows nothing of what is typed, until this is dropped.
struct Hidden<'a> {
    tty: &'a File,
    before: Termios,
}

impl<'a> Hidden<'a> {
    /// Turns off echo and lines. A read ends after a tenth of a second without a byte.
    fn begin(tty: &'a File) -> Result<Hidden<'a>> {
        let failed = |error: rustix::io::Errno| {
            let what = format!("cannot hide what is typed on the terminal: {error}");
            Error::new(Kind::Io, what).hint("give the token on stdin: --with-token")
        };
        let before = tcgetattr(tty).map_err(failed)?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON);
        modes.special_codes[SpecialCodeIndex::VMIN] = 0;
        modes.special_codes[SpecialCodeIndex::VTIME] = 1;
        // Ctrl-\ would end the program with the terminal as it is now.
        modes.special_codes[SpecialCodeIndex::VQUIT] = 0;
        tcsetattr(tty, OptionalActions::Flush, &modes).map_err(failed)?;
        Ok(Self { tty, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.tty, OptionalActions::Flush, &self.before);
    }
}

fn no_answer() -> Error {
    Error::usage("cancelled", "nothing was changed")
}
