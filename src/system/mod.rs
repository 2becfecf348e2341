//! The operating system: environment, child processes, signals, terminal, standard streams, private files.

pub(crate) mod atomic;
pub(crate) mod checksum;
pub(crate) mod child;
pub(crate) mod environment;
pub(crate) mod files;
pub(crate) mod flock;
pub(crate) mod kernel_keyring;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod prompt;
pub(crate) mod signals;
pub(crate) mod spinner;
pub(crate) mod stderr;
pub(crate) mod stdout;

pub(crate) use atomic::AtomicFile;
pub(crate) use child::hide_secrets;
pub(crate) use environment::{
    Environment, KEY_VARIABLE, ShellVars, TOKEN_DIRECTORY, URL_VARIABLE, data_directory, search_path, surroundings,
};
pub(crate) use files::Purpose;
pub(crate) use process::{check_file_limit, close_inherited, lack, limit_core, reopen_closed_stdio, user};
pub(crate) use signals::{
    TICK, check_signals, listen, outlive_signals, put_signal_back, survive_failed_writes, take_signal,
};
pub(crate) use spinner::Spinner;
pub(crate) use stderr::{Console, say, warn};
