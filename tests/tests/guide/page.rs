//! A page of documentation, taken apart into what is carried out and what is not.

/// The parts of a page, in order; put together again they are the page.
#[derive(Debug)]
pub struct Page {
    pub blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Debug)]
pub enum Block {
    /// Anything that is only read, with its line ends.
    Text(String),
    /// A file to write, or to add to.
    File { path: String, text: String, append: bool },
    /// Commands.
    Console { fails: bool, steps: Vec<Step> },
}

/// A command and what it prints.
#[derive(Debug)]
pub struct Step {
    /// Of the page, from 1.
    pub line: usize,
    /// With its continuation lines.
    pub command: String,
    pub output: String,
}

const FENCE: &str = "```";

impl Page {
    pub fn read(text: &str) -> Self {
        let mut blocks = Vec::new();
        let mut plain = String::new();
        let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
        while let Some((at, line)) = lines.next() {
            let Some(info) = line.strip_prefix(FENCE) else {
                plain.push_str(line);
                plain.push('\n');
                continue;
            };
            let body: Vec<(usize, &str)> = lines.by_ref().take_while(|(_, line)| *line != FENCE).collect();
            match block(at, info, &body) {
                Some(block) => {
                    blocks.push(Block::Text(std::mem::take(&mut plain)));
                    blocks.push(block);
                }
                None => {
                    let shown: String = body.iter().map(|(_, line)| format!("{line}\n")).collect();
                    plain.push_str(&format!("{line}\n{shown}{FENCE}\n"));
                }
            }
        }
        blocks.push(Block::Text(plain));
        Self { blocks }
    }

    pub fn to_text(&self) -> String {
        self.blocks.iter().map(Block::to_text).collect()
    }
}

fn block(at: usize, info: &str, body: &[(usize, &str)]) -> Option<Block> {
    let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
    let text = || body.iter().map(|(_, line)| format!("{line}\n")).collect();
    match (language, rest.split_once('='), rest) {
        ("console", None, "" | "fails") => Some(Block::Console { fails: rest == "fails", steps: steps(body) }),
        (_, Some(("file", path)), _) => Some(Block::File { path: path.into(), text: text(), append: false }),
        (_, Some(("append", path)), _) => Some(Block::File { path: path.into(), text: text(), append: true }),
        (_, None, "") => None,
        _ => panic!("line {at}: what is to be done with `{info}`?"),
    }
}

fn steps(body: &[(usize, &str)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = body.iter();
    while let Some((at, line)) = lines.next() {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => {
                let mut command = command.to_owned();
                // As in a shell: a backslash goes on, and so does an open quote.
                while command.ends_with('\\') || command.matches('\'').count() % 2 == 1 {
                    let (_, more) = lines.next().unwrap_or_else(|| panic!("line {at}: the command has no end"));
                    command = format!("{command}\n{more}");
                }
                steps.push(Step { line: *at, command, output: String::new() });
            }
            (None, Some(step)) => step.output.push_str(&format!("{line}\n")),
            (None, None) => panic!("line {at}: a `console` block starts with a command, `$ ...`"),
        }
    }
    // An empty line before the next command belongs to neither.
    let last = steps.len().saturating_sub(1);
    for step in &mut steps[..last] {
        if step.output.ends_with("\n\n") || step.output == "\n" {
            step.output.pop();
        }
    }
    steps
}

impl Block {
    fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::File { path, text, append } => {
                let what = if *append { "append" } else { "file" };
                format!("{FENCE}toml {what}={path}\n{text}{FENCE}\n")
            }
            Self::Console { fails, steps } => {
                let steps: Vec<String> =
                    steps.iter().map(|step| format!("$ {}\n{}", step.command, step.output)).collect();
                format!("{FENCE}console{}\n{}{FENCE}\n", if *fails { " fails" } else { "" }, steps.join("\n"))
            }
        }
    }
}
