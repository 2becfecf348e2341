//! Holds `src` to docs/architecture.md: its twelve entries, what may use what, and the files that the page names.

use std::fs;
use std::path::{Path, PathBuf};

/// The entries of `src`, from top to bottom: each uses only those below it.
const FLOORS: [&str; 12] =
    ["bin", "build", "lib.rs", "commands", "cli", "token", "api", "settings", "source", "system", "types", "error.rs"];

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lists the Rust files below a directory.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] }).collect()
}

#[test]
fn src_has_twelve_entries_and_the_page_names_each() {
    let mut entries: Vec<String> = fs::read_dir(tree().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    entries.sort_unstable();
    let mut floors = FLOORS.to_vec();
    floors.sort_unstable();
    assert_eq!(entries, floors);
    let page = fs::read_to_string(tree().join("docs/architecture.md")).unwrap();
    for floor in FLOORS {
        let name = if floor.contains('.') { format!("`{floor}`") } else { format!("`{floor}/`") };
        assert!(page.contains(&name), "docs/architecture.md does not name {name}");
    }
}

#[test]
fn each_entry_of_src_uses_only_those_below_it() {
    let floor_of = |name: &str| FLOORS.iter().position(|floor| floor.trim_end_matches(".rs") == name);
    let mut arrows = 0;
    for path in
        rust_files(&tree().join("src")).into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"))
    {
        let below = path.strip_prefix(tree().join("src")).unwrap();
        let own = below.iter().next().unwrap().to_string_lossy().into_owned();
        let Some(own) = floor_of(own.trim_end_matches(".rs")) else { panic!("{own} is on no floor") };
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            for used in line.split("crate::").skip(1) {
                let name: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(used) = floor_of(&name) else { continue };
                assert!(used >= own, "{}:{}: {line}", below.display(), number + 1);
                arrows += usize::from(used > own);
            }
        }
    }
    assert!(arrows > 200, "only {arrows} were seen: the test lost its subject");
}

#[test]
fn the_files_that_the_page_names_are_there() {
    let page = fs::read_to_string(tree().join("docs/architecture.md")).unwrap();
    let words = page.split('`').skip(1).step_by(2).filter(|word| word.contains(['/', '.']));
    let named: Vec<&str> = words.filter(|word| !word.contains("NAME") && !word.contains([' ', '$', '<'])).collect();
    assert!(named.len() > 25, "only {named:?}: the test lost its subject");
    for name in named {
        let places = [tree().join("src").join(name), tree().join(name)];
        assert!(places.iter().any(|place| place.exists()) || name.starts_with("/api/"), "{name} is not there");
    }
}

#[test]
fn f81_what_is_corrected_by_its_text_is_pinned() {
    let manifest = fs::read_to_string(tree().join("Cargo.toml")).unwrap();
    let corrects = |path: PathBuf| fs::read_to_string(path).unwrap().contains("clap_complete");
    assert!(rust_files(&tree().join("src/build")).into_iter().any(corrects), "nothing is corrected any more");
    let line = manifest.lines().find(|line| line.starts_with("clap_complete ")).unwrap();
    assert!(line.contains("\"=4."), "a patch release of clap_complete would break the build: {line}");
}
