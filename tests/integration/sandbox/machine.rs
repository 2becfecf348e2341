//! The machine, which tests share: a stampede of 500 processes has it to itself, so that no other test runs into a time
//! limit of the program's meanwhile. Between processes, as `cargo nextest` gives each test one.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::{Arc, Weak};

thread_local! {
    /// What this thread's test has of the machine.
    static TAKEN: RefCell<Weak<Machine>> = const { RefCell::new(Weak::new()) };
}

/// A share of the machine, or all of it.
pub(super) struct Machine {
    /// The file that is locked.
    _file: File,
    /// Whether nobody else has a share.
    alone: bool,
}

impl Machine {
    /// Waits for a share of the machine, or for all of it. A test that has it already gets the same again.
    pub(super) fn take(alone: bool) -> Arc<Self> {
        if let Some(machine) = TAKEN.with_borrow(Weak::upgrade) {
            assert!(
                machine.alone == alone,
                "a test has the machine to itself from its first sandbox on, or not at all"
            );
            return machine;
        }
        // Whoever wants all of it holds the door until the tests under way have ended: no other gets in before it.
        let door = locked("machine.door", true);
        let machine = Arc::new(Self { _file: locked("machine.lock", alone), alone });
        drop(door);
        TAKEN.set(Arc::downgrade(&machine));
        machine
    }
}

/// Opens a file and waits for its lock.
fn locked(name: &str, alone: bool) -> File {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).expect("a lock of the machine");
    let taken = if alone { fs2::FileExt::lock_exclusive(&file) } else { fs2::FileExt::lock_shared(&file) };
    taken.expect("a lock");
    file
}
