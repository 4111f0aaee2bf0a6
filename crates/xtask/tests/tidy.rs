//! What we want true of every file, whatever it says.

use std::fs;
use std::path::{Path, PathBuf};

/// A file past this holds two ideas.
const SOURCE_LINES_MAX: usize = 700;

/// Endings of the files that are text of ours.
const TEXT: &[&str] = &["rs", "toml", "md", "sh", "yml", "yaml", "json", "sql", "conf"];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["utils.rs", "util.rs", "helpers.rs", "helper.rs", "types.rs", "common.rs", "misc.rs"];

/// Directories that are built, recorded or somebody else's.
fn is_ours(name: &str) -> bool {
    !(name.starts_with("target") || ["data", ".git", "node_modules"].contains(&name) || name.ends_with(".venv"))
}

struct File {
    path: PathBuf,
    text: String,
}

impl File {
    fn is(&self, ending: &str) -> bool {
        self.path.extension().is_some_and(|own| own == ending)
    }

    /// `file:line` of each line that `faulty` finds fault with.
    fn lines(&self, faulty: impl Fn(&str) -> bool) -> Vec<String> {
        let found = self.text.lines().enumerate().filter(|(_, line)| faulty(line));
        found.map(|(index, _)| format!("{}:{}", self.path.display(), index.saturating_add(1))).collect()
    }
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace");
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("a directory of ours").flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let kind = entry.file_type().expect("a type");
            if kind.is_dir() && is_ours(&name) {
                open.push(path);
            } else if kind.is_file()
                && (path.parent().is_some_and(|parent| parent.file_name().is_some_and(|name| name == ".ci"))
                    || is_text(&path))
            {
                let Ok(text) = fs::read_to_string(&path) else { continue };
                found.push(File { path: path.strip_prefix(&root).expect("inside").to_owned(), text });
            }
        }
    }
    assert!(found.len() > 20, "the files are looked for in the wrong place: {}", root.display());
    found
}

fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|ending| TEXT.iter().any(|known| ending == *known))
}

fn none(faults: impl IntoIterator<Item = String>) {
    assert_eq!(faults.into_iter().collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn no_source_file_is_too_long() {
    let sources = files().into_iter().filter(|file| {
        file.is("rs") && file.path.starts_with("crates") && file.path.components().any(|part| part.as_os_str() == "src")
    });
    none(sources.filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > SOURCE_LINES_MAX).then(|| format!("{}: {lines} lines", file.path.display()))
    }));
}

#[test]
fn the_engine_starts_nothing_itself() {
    let given =
        ["tokio::spawn", "tokio::task", "tokio::time", "tokio::net", "tokio::fs", "tokio::runtime", "std::thread"];
    let places = ["crates/core/src", "crates/routing/src", "crates/engine/src"];
    none(
        files()
            .iter()
            .filter(|file| file.is("rs") && places.iter().any(|place| file.path.starts_with(place)))
            .flat_map(|file| {
                let tests = file.path.components().any(|part| part.as_os_str().to_string_lossy().contains("tests"));
                let product = if tests { "" } else { file.text.split("#[cfg(test)]").next().unwrap_or_default() };
                let part = File { path: file.path.clone(), text: product.to_owned() };
                part.lines(|line| given.iter().any(|name| line.contains(name)))
            }),
    );
}

#[test]
fn nothing_is_left_to_do() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let calls = [concat!("to", "do!("), concat!("un", "implemented!(")];
    let unfinished = |line: &str| {
        // An example in a comment may leave out what it is not about.
        let code = !line.trim_start().starts_with("//");
        marks.iter().any(|mark| line.contains(mark)) || (code && calls.iter().any(|call| line.contains(call)))
    };
    none(files().iter().filter(|file| file.is("rs")).flat_map(|file| file.lines(unfinished)));
}

#[test]
fn no_file_knows_whose_machine_it_was_written_on() {
    let homes = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];
    none(files().iter().flat_map(|file| file.lines(|line| homes.iter().any(|home| line.contains(home)))));
}

#[test]
fn indentation_is_spaces_and_no_line_ends_with_one() {
    let recorded = |file: &&File| !(file.is("json") || file.is("md"));
    none(
        files().iter().filter(recorded).flat_map(|file| file.lines(|line| line.contains('\t') || line.ends_with(' '))),
    );
}

#[test]
fn files_carry_the_noun_they_are_about() {
    none(files().iter().filter_map(|file| {
        let name = file.path.file_name()?.to_string_lossy();
        EMPTY_NAMES.contains(&name.as_ref()).then(|| file.path.display().to_string())
    }));
}
