//! Commands that misbehave, and what is made of them.

use super::*;

/// Runs a line by the shell, within a second.
fn run(line: &str) -> Result<Vec<u8>> {
    let words = ["sh", "-c", line].map(str::to_owned);
    let task = Task { words: &words, hidden: &[], input: None, limit: Duration::from_secs(1) };
    output(&task, &mut Waiting::begin("sh".into()))
}

/// Tells whether the process whose number stands in the file is there.
fn is_alive(file: &tempfile::NamedTempFile) -> bool {
    let number = std::fs::read_to_string(file.path()).unwrap();
    std::path::Path::new("/proc").join(number.trim()).join("exe").exists()
}

#[test]
fn f20_a_command_that_hangs_is_ended_with_its_group() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = run(&format!("sleep 600 & echo $! >{}; wait", file.path().display())).unwrap_err();
    assert_eq!(error.what, "`sh` took longer than 1 s");
    assert!(!is_alive(&file), "what it started lives on");
}

#[test]
fn f20_a_command_that_prints_without_end_is_ended() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let line = format!("echo $$ >{}; head -c 100000 /dev/zero; exec sleep 600", file.path().display());
    let error = run(&line).unwrap_err();
    assert_eq!(error.what, "`sh` printed more than 64 KiB, which is no token");
    assert!(!is_alive(&file), "it lives on");
}
