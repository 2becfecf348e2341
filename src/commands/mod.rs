//! One file or directory for each command.

pub(crate) mod credential;
pub(crate) mod curl;
pub(crate) mod doctor;
pub(crate) mod exec;
pub(crate) mod init;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod rotate;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod verify;
