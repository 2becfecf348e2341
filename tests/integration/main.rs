//! Runs the real program in a sandbox against a stand-in for Label Studio. Each module has a topic; a test is a sentence,
//! and begins with the number of the fault that it is about, where there is one: tests/FAULTS.md explains the numbers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod record;
mod sandbox;
#[path = "../stand-in/server.rs"]
mod server;

mod account;
mod answer;
mod architecture;
mod authorities;
mod cache;
mod calls;
mod certificates;
mod command;
mod completions;
mod containers;
mod credential;
mod curl;
mod doctor;
mod exchange;
mod exec;
mod faults;
mod keep;
mod limits;
mod links;
mod lock;
mod login;
mod logout;
mod manual;
mod network;
mod output;
mod pat;
mod privacy;
mod proxy;
mod rotate;
mod settings;
mod shared;
mod signals;
mod source;
mod stampede;
mod status;
mod store;
mod terminal;
mod time;
mod tls;
mod token;
mod verify;
