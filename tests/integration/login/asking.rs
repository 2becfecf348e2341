//! A login at the keyboard: what is asked, what is not shown, and the terminal as it was afterwards.

use std::fs;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde_json::json;

use super::{assert_nothing_saved, config, stored, stored_token};
use crate::sandbox::{Sandbox, Terminal, need, read, wait_until};
use crate::server::{Gate, REFRESH, Reply, Server, jwt, now_seconds};

/// What asks for the token.
const ASKED: &str = "paste it here (it is not shown)";

/// Starts a login on a terminal, up to the question for the token.
fn asked(sandbox: &Sandbox, server: &Server, more: &[&str]) -> Terminal {
    let url = server.url();
    let arguments: Vec<&str> = ["login", &url].into_iter().chain(more.iter().copied()).collect();
    let mut terminal = sandbox.ls_token(&arguments).on_terminal();
    terminal.wait_for(&format!("create a personal access token at {url}/user/account/personal-access-token"));
    terminal.wait_for(ASKED);
    terminal.wait_for(": ");
    terminal.wait_for_hiding();
    terminal
}

/// Starts a shell with job control on a terminal.
fn shell(sandbox: &Sandbox) -> Terminal {
    need("bash");
    sandbox.file("home of someone/.inputrc", "set enable-bracketed-paste off\n", 0o600);
    sandbox.set("HISTFILE", sandbox.home().join("history"));
    sandbox.set("PS1", "ready> ");
    let mut terminal = sandbox.program("bash", &["--noprofile", "--norc", "-i"]).on_terminal();
    terminal.wait_for("ready> ");
    terminal
}

/// Returns the process id of the login at a server.
fn id_of_login(server: &Server) -> Pid {
    let wanted = format!("ls-token\0login\0{}\0", server.url());
    let mut found = None;
    wait_until("the login runs", || {
        found = fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
            let id: i32 = entry.file_name().to_str()?.parse().ok()?;
            let words = fs::read(entry.path().join("cmdline")).ok()?;
            String::from_utf8_lossy(&words).ends_with(&wanted).then_some(id)
        });
        found.is_some()
    });
    Pid::from_raw(found.unwrap()).unwrap()
}

#[test]
fn a_token_that_is_pasted_is_not_shown_and_is_saved() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let mut terminal = asked(&sandbox, &server, &[]);
    terminal.type_line(server.pat());
    terminal.wait_for("logged in to ");
    let (code, screen) = terminal.wait();
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(stored_token(&sandbox), server.pat());
    sandbox.ls_token(&[]).run().quiet().token();
}

#[test]
fn everything_is_asked_for_and_a_mistake_can_be_fixed() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let mut terminal = sandbox.ls_token(&["login"]).on_terminal();
    terminal.wait_for("URL of Label Studio: ");
    terminal.type_line("");
    terminal.wait_for("the URL is empty");
    terminal.wait_for("URL of Label Studio: ");
    terminal.type_line("htp://x");
    terminal.wait_for("the URL has a scheme other than https and http");
    terminal.wait_for("URL of Label Studio: ");
    terminal.type_line(&format!("{}/", server.url()));
    terminal.wait_for(ASKED);
    terminal.wait_for_hiding();
    terminal.type_line("sesame");
    terminal.wait_for("has two dots; try again");
    terminal.wait_for(ASKED);
    terminal.wait_for_hiding();
    terminal.type_line(&format!("  {}  ", server.pat()));
    let (code, screen) = terminal.wait();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains("sesame"));
    assert_eq!(stored_token(&sandbox), server.pat());
}

#[test]
fn after_three_mistakes_it_ends() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let mut terminal = asked(&sandbox, &server, &[]);
    for _ in 0..2 {
        terminal.type_line("sesame");
        terminal.wait_for(ASKED);
        terminal.wait_for_hiding();
    }
    terminal.type_line("sesame");
    let (code, screen) = terminal.wait();
    assert_eq!(code, Some(77), "{screen}");
    assert_nothing_saved(&sandbox);
}

#[test]
fn the_server_of_the_environment_is_offered() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let mut terminal = sandbox.ls_token(&["login"]).env("LABEL_STUDIO_URL", server.url()).on_terminal();
    terminal.wait_for(&format!("URL of Label Studio [{}]: ", server.url()));
    terminal.type_line("");
    terminal.wait_for(ASKED);
    terminal.wait_for_hiding();
    terminal.type_line(server.pat());
    assert_eq!(terminal.wait().0, Some(0));
    stored(&sandbox);
}

#[test]
fn the_server_of_the_profile_in_use_is_offered() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.use_source(&server, "env:NONE", "[profiles.other]\nurl = 'https://h'\npat = 'env:NONE'");
    let text = read(&config(&sandbox));
    sandbox.settings(&format!("default = 'test'\n{text}"));
    let mut terminal = sandbox.ls_token(&["login"]).on_terminal();
    terminal.wait_for(&format!("URL of Label Studio [{}]: ", server.url()));
    terminal.type_line("");
    terminal.wait_for(ASKED);
    terminal.wait_for_hiding();
    terminal.type_line(server.pat());
    assert_eq!(terminal.wait().0, Some(0));
    assert_eq!(stored_token(&sandbox), server.pat());
    sandbox.ls_token(&["--profile", "test"]).run().quiet().token();
}

#[test]
fn a_1password_reference_does_as_well_with_the_quotes_that_1password_copies() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let item = "op://Development/Label Studio PAT/credential";
    sandbox.one_password(item, server.pat());
    let url = server.url();
    let mut terminal = sandbox.ls_token(&["login", &url]).on_terminal();
    terminal.wait_for("or its 1Password reference (op://Vault/Item/field): ");
    terminal.wait_for_hiding();
    terminal.type_line(&format!("\"{item}\""));
    let (code, screen) = terminal.wait();
    assert_eq!(code, Some(0), "{screen}");
    assert!(read(&config(&sandbox)).contains(&format!("pat = {item:?}\n")));
    assert!(stored(&sandbox).is_empty());
}

#[test]
fn a_paste_in_brackets_does_no_harm() {
    for (before, after) in [("\x1b[200~", "\x1b[201~\r"), ("\x1b[200~", "\r\x1b[201~"), ("\x1b[200~ ", "\n\x1b[201~")] {
        let (sandbox, server) = (Sandbox::new(), Server::start());
        let mut terminal = asked(&sandbox, &server, &[]);
        terminal.press(&format!("{before}{}{after}", server.pat()));
        let (code, screen) = terminal.wait();
        assert_eq!(code, Some(0), "{screen}");
        assert_eq!(stored_token(&sandbox), server.pat());
    }
}

#[test]
fn a_token_longer_than_a_line_of_the_kernel_is_read_whole() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let long = jwt(&json!({"token_type": "refresh", "exp": now_seconds() + 1000, "scope": "x".repeat(9000)}));
    let mut terminal = asked(&sandbox, &server, &[]);
    terminal.type_line(&long);
    let (code, screen) = terminal.wait();
    assert_eq!(code, Some(77), "{screen}");
    assert_eq!(server.requests().last().unwrap().text(), format!("{{\"refresh\":\"{long}\"}}"));
    assert_nothing_saved(&sandbox);
}

#[test]
fn what_is_longer_than_any_token_is_refused() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let mut terminal = asked(&sandbox, &server, &[]);
    terminal.type_line(&"x".repeat(40_000));
    terminal.wait_for("longer than 16 KiB");
    drop(terminal);
    assert_nothing_saved(&sandbox);
}

#[test]
fn the_rest_of_a_paste_is_not_left_for_the_shell_to_run() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let mut terminal = shell(&sandbox);
    terminal.type_line(&format!("\"$LS_TOKEN\" login {}", server.url()));
    terminal.wait_for(ASKED);
    terminal.wait_for_hiding();
    terminal.press(&format!("{}\necho run >planted\n", server.pat()));
    terminal.wait_for("more than one word");
    terminal.wait_for(ASKED);
    terminal.wait_for_hiding();
    terminal.press("\x03");
    terminal.wait_for("ready> ");
    terminal.type_line("echo status $?; exit");
    terminal.wait_for("status 130");
    terminal.wait();
    assert!(!sandbox.work().join("planted").exists());
    let history = read(&sandbox.home().join("history"));
    assert!(history.contains("login") && !history.contains("planted"), "{history}");
}

#[test]
fn f43_a_signal_at_the_question_gives_the_terminal_back() {
    for (signal, number) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
        // Not a shell at a prompt: that puts the terminal right itself.
        let script = format!("\"$LS_TOKEN\" login {}; echo status $?", server.url());
        let mut terminal = sandbox.shell(&script).on_terminal();
        terminal.wait_for(ASKED);
        terminal.wait_for_hiding();
        kill_process(id_of_login(&server), signal).unwrap();
        terminal.wait_for(&format!("status {number}"));
        terminal.wait();
        assert_nothing_saved(&sandbox);
    }
}

#[test]
fn f43_ctrl_z_gives_the_terminal_back_until_it_goes_on() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let mut terminal = asked(&sandbox, &server, &[]);
    let id = id_of_login(&server);
    for _ in 0..2 {
        terminal.press("half of something\x1a");
        wait_until("the terminal is as it was", || terminal.echoes());
        let stat = format!("/proc/{}/stat", id.as_raw_nonzero());
        wait_until("it is stopped", || fs::read_to_string(&stat).unwrap().contains(") T "));
        kill_process(id, Signal::CONT).unwrap();
        terminal.wait_for(ASKED);
        terminal.wait_for_hiding();
    }
    terminal.type_line(&format!("\x15{}", server.pat()));
    assert_eq!(terminal.wait().0, Some(0));
    assert_eq!(stored_token(&sandbox), server.pat());
}

#[test]
fn f43_ctrl_c_ctrl_d_and_ctrl_backslash_end_it_in_order() {
    for (keys, number) in [("\x03", 130), ("\x04", 2), ("\x1c\x04", 77)] {
        let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
        let mut terminal = shell(&sandbox);
        terminal.type_line(&format!("\"$LS_TOKEN\" login {}", server.url()));
        terminal.wait_for(ASKED);
        terminal.wait_for_hiding();
        terminal.press(keys);
        if number == 77 {
            terminal.wait_for("try again");
            terminal.wait_for_hiding();
            terminal.press("\x04");
            terminal.wait_for("cancelled");
        }
        terminal.wait_for("ready> ");
        terminal.type_line("echo status $?; exit");
        terminal.wait_for(if number == 130 { "status 130" } else { "status 2" });
        terminal.wait();
        assert_nothing_saved(&sandbox);
    }
}

#[test]
fn f43_after_ctrl_z_a_shell_has_its_prompt_and_fg_asks_again() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let mut terminal = shell(&sandbox);
    terminal.type_line(&format!("\"$LS_TOKEN\" login {}", server.url()));
    for _ in 0..2 {
        terminal.wait_for(ASKED);
        terminal.wait_for_hiding();
        terminal.press("half of something\x1a");
        terminal.wait_for("Stopped");
        terminal.wait_for("ready> ");
        terminal.type_line("fg");
    }
    terminal.wait_for(ASKED);
    terminal.wait_for_hiding();
    terminal.type_line(&format!("\x15{}", server.pat()));
    terminal.wait_for("logged in to ");
    terminal.wait_for("ready> ");
    terminal.type_line("exit");
    terminal.wait();
    assert_eq!(stored_token(&sandbox), server.pat());
    let history = read(&sandbox.home().join("history"));
    assert!(history.contains("login") && !history.contains("half of"), "{history}");
}

#[test]
fn a_name_that_is_taken_is_asked_about() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.settings(
        "[profiles.127-0-0-1]\nurl = 'https://h'\npat = 'env:A'\n[profiles.x]\nurl = 'https://i'\npat = 'env:A'\n",
    );
    let mut terminal = sandbox.ls_token(&["login", &server.url()]).on_terminal();
    terminal.wait_for("profile 127-0-0-1 is for https://h; name for the one for ");
    terminal.type_line("x");
    terminal.wait_for("profile x is for https://i; name for the one for ");
    terminal.type_line("mine");
    terminal.wait_for(ASKED);
    terminal.wait_for_hiding();
    terminal.type_line(server.pat());
    assert_eq!(terminal.wait().0, Some(0));
    stored(&sandbox);
    sandbox.ls_token(&["--profile", "mine"]).run().quiet().token();
}

#[test]
fn a_profile_becomes_that_of_another_server_when_that_is_confirmed() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    sandbox.settings("[profiles.x]\nurl = 'https://i'\npat = 'env:A'\n");
    for (answer, code) in [("", 2), ("n", 2), ("y", 0)] {
        let mut terminal = sandbox.ls_token(&["login", &server.url(), "--profile", "x"]).on_terminal();
        terminal.wait_for("profile x is for https://i; change it to ");
        terminal.type_line(answer);
        if code == 0 {
            terminal.wait_for(ASKED);
            terminal.wait_for_hiding();
            terminal.type_line(server.pat());
        }
        assert_eq!(terminal.wait().0, Some(code));
    }
    stored(&sandbox);
    sandbox.ls_token(&[]).run().quiet().token();
}

#[test]
fn stdin_that_is_the_terminal_is_refused_as_it_would_show_the_token() {
    let (sandbox, server) = (Sandbox::new(), Server::start().expect_no_calls());
    let terminal = sandbox.ls_token(&["login", &server.url(), "--with-token"]).on_terminal();
    let (code, screen) = terminal.wait();
    assert_eq!(code, Some(2));
    assert!(screen.contains("--with-token reads from stdin, which is the terminal"), "{screen}");
}

#[test]
fn f13_neither_arguments_nor_environment_have_the_token_while_it_is_tried() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let gate = Gate::default();
    server.always(REFRESH, Reply::Usual.when(&gate));
    let mut terminal = asked(&sandbox, &server, &[]);
    let id = id_of_login(&server).as_raw_nonzero().to_string();
    terminal.type_line(server.pat());
    server.wait_for_exchanges(1);
    for name in ["cmdline", "environ"] {
        // Nobody but root may read the environment of a process that cannot be dumped.
        match fs::read(format!("/proc/{id}/{name}")) {
            Ok(bytes) => assert!(!bytes.is_empty() && !String::from_utf8_lossy(&bytes).contains(server.pat())),
            Err(error) => assert!(name == "environ" && !geteuid().is_root(), "{name}: {error}"),
        }
    }
    gate.open();
    assert_eq!(terminal.wait().0, Some(0));
    stored(&sandbox);
}

#[test]
fn in_the_background_it_waits_until_it_is_brought_to_the_front() {
    let (sandbox, server) = (Sandbox::new(), Server::start());
    let mut terminal = shell(&sandbox);
    terminal.type_line(&format!("\"$LS_TOKEN\" login {} &", server.url()));
    let stat = format!("/proc/{}/stat", id_of_login(&server).as_raw_nonzero());
    wait_until("it is stopped", || fs::read_to_string(&stat).unwrap().contains(") T "));
    terminal.type_line("fg");
    terminal.wait_for(ASKED);
    terminal.wait_for_hiding();
    terminal.type_line(server.pat());
    terminal.wait_for("logged in to ");
    terminal.wait_for("ready> ");
    terminal.type_line("exit");
    terminal.wait();
    assert_eq!(stored_token(&sandbox), server.pat());
}
