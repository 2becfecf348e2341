//! Standard output: a text goes there whole, or there is an error.

use rustix::io::{Errno, write};
use rustix::stdio::stdout;
use signal_hook::consts::SIGPIPE;

use crate::error::{Error, Kind, Result};

/// Writes a text to stdout, whole. Not by `std::io::stdout`, which takes a closed stdout for a success.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match write(stdout(), rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::PIPE) => return Err(Error::new(Kind::Interrupted(SIGPIPE), "broken pipe")),
            Err(error) => {
                return Err(Error::new(Kind::Io, format!("cannot write to standard output: {error}"))
                    .hint("check that it is open, and that the disk is not full"));
            }
        }
    }
    Ok(())
}
