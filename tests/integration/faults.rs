//! tests/FAULTS.md: what the numbers in the names of tests mean, each with its tests, as `tests/faults` finds them.

use crate::sandbox::{Sandbox, need};

/// How many tests have a number at least: fewer were not found.
const LEAST: usize = 250;

#[test]
fn each_test_with_a_number_is_listed_beside_its_fault() {
    need("python3");
    let sandbox = Sandbox::new();
    let done = sandbox.program(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults"), &["check"]).run();
    assert!(done.code == Some(0) && done.stderr.is_empty(), "{}{}", done.stdout, done.stderr);
    let listed = done.stdout.split_whitespace().next().and_then(|count| count.parse::<usize>().ok());
    assert!(listed > Some(LEAST), "the test lost its subject: {}", done.stdout);
}
