//! The operating system: environment, child processes, signals, terminal, standard streams, private files.

pub(crate) mod checksum;
pub(crate) mod child;
pub(crate) mod environment;
pub(crate) mod files;
pub(crate) mod flock;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod prompt;
pub(crate) mod shell_vars;
pub(crate) mod signals;
pub(crate) mod spinner;
pub(crate) mod stderr;
pub(crate) mod stdout;
