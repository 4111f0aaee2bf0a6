//! The guide's example, carried out as it stands: its files are written, its commands run by the real binary, and what they
//! print is compared with what the page says.
//!
//! In `docs/routing.md`
//!
//! - a block ```` ```toml file=PATH ```` is written to that file, ```` ```toml append=PATH ```` is added to it;
//! - a block ```` ```console ```` holds commands, each behind `$ `, and below each what it prints: standard output, then
//!   standard error. A command of ```` ```console fails ```` ends with another status than 0;
//! - other blocks are only shown.
//!
//! `switchyard sandbox &` starts the gateway, `curl` asks it, and `| jq -S FILTER` takes members out of an answer. Hashes,
//! times and ids of payments are different each time and stand as `...`.
//!
//! With SWITCHYARD_WRITE_DOCS=1 the page gets what the commands print now.

mod compare;
mod page;
mod shell;

use page::{Block, Page, Step};
use shell::Shell;
use std::path::Path;

#[test]
fn the_guide_to_routing_is_true() {
    carry_out("routing.md");
}

fn carry_out(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    let text = std::fs::read_to_string(&path).expect("the page");
    let mut page = Page::read(&text);
    let mut shell = Shell::new();
    let mut wrong = Vec::new();
    for block in &mut page.blocks {
        match block {
            Block::Text(_) => {}
            Block::File { path, text, append } => shell.write(path, text, *append),
            Block::Console { fails, steps, .. } => {
                for Step { line, command, output } in steps {
                    let (status, said) = shell.run(command);
                    assert!(
                        status != *fails,
                        "docs/{name}:{line}: `{command}` {}:\n{said}",
                        if status { "succeeds, and the page says it does not" } else { "fails" }
                    );
                    if said != *output {
                        wrong.push(format!("docs/{name}:{line}: $ {command}\n{}", compare::lines(output, &said)));
                        *output = said;
                    }
                }
            }
        }
    }
    if std::env::var_os("SWITCHYARD_WRITE_DOCS").is_some() {
        std::fs::write(&path, page.to_text()).expect("the page is written");
        return;
    }
    assert_eq!(
        page.to_text(),
        if wrong.is_empty() { text } else { page.to_text() },
        "the page is not read as it stands"
    );
    assert!(
        wrong.is_empty(),
        "the page says otherwise than the binary; - stands in the page, + is printed. SWITCHYARD_WRITE_DOCS=1 writes it.\n\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_page_is_read_and_written_as_it_stands() {
    let text = "# A\n\n```toml file=a/b.toml\nx = 1\n```\n\n```console fails\n$ switchyard x \\\n    --y\nno\n\n$ switchyard z\n```\n\n```json\n{}\n```\nend\n";
    let page = Page::read(text);
    assert_eq!(page.to_text(), text);
    let [_, Block::File { path, text, append: false }, _, Block::Console { fails: true, steps, .. }, _] =
        &page.blocks[..]
    else {
        panic!("{:?}", page.blocks)
    };
    assert_eq!((path.as_str(), text.as_str()), ("a/b.toml", "x = 1\n"));
    assert_eq!((steps[0].line, steps[0].output.as_str()), (8, "no\n"));
    assert_eq!(shell::words(&steps[0].command), ["switchyard", "x", "--y"]);
    assert_eq!((steps[1].line, steps[1].output.as_str()), (12, ""));
}

#[test]
fn what_differs_each_time_is_left_out() {
    let digits = "0123456789abcdef0123456789abcdef";
    let said = format!("pay_{digits} (sha256:{digits}{digits}) 2026-01-01T00:00:00.000Z 2026-01-01 pay_1 {digits}");
    assert_eq!(compare::steady(&said), format!("pay_... (sha256:...) ... 2026-01-01 pay_1 {digits}"));
}

#[test]
fn a_difference_shows_its_lines_alone() {
    let told = compare::lines("a\nb\nc\nd\ne\n", "a\nb\nX\nd\ne\n");
    assert_eq!(told, "    a\n    b\n  - c\n  + X\n    d\n    e\n");
}
