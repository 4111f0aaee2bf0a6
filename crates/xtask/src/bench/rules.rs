//! What rules cost: the benchmark of `crates/routing`, run here, and its table read.

use std::fmt::{self, Display, Formatter};
use std::process::Stdio;

use serde::Serialize;

use crate::Result;
use crate::workspace::Workspace;

/// One line of the benchmark's table, in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What was done: `decide_by_the_last`, `check`, ...
    pub what: String,
    /// Among how many rules.
    pub rules: u64,
    /// The fastest.
    pub fastest_ns: f64,
    /// The one in the middle.
    pub median_ns: f64,
    /// The slowest.
    pub slowest_ns: f64,
}

/// Builds and runs the benchmark.
///
/// # Errors
/// When it does not build or run, or prints no table.
pub fn measure(workspace: &Workspace) -> Result<Vec<Figure>> {
    println!("measuring what rules cost");
    let mut cargo = workspace.cargo();
    let output = cargo
        .args(["bench", "--quiet", "--package", "switchyard-routing", "--bench", "rules"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("the benchmark of rules failed".into());
    }
    let figures = read(&String::from_utf8_lossy(&output.stdout));
    if figures.is_empty() {
        return Err("the benchmark of rules printed no table".into());
    }
    Ok(figures)
}

/// Reads the table: groups at the left, below each its sizes, then fastest, slowest and median.
fn read(table: &str) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut group = "";
    for line in table.lines() {
        let Some((depth, row)) = row(line) else { continue };
        let mut cells = row.split('│').map(str::trim);
        let Some(first) = cells.next() else { continue };
        let (name, fastest) = first.split_once(' ').unwrap_or((first, ""));
        if depth == 0 {
            group = name;
            continue;
        }
        let mut next = || nanoseconds(cells.next().unwrap_or_default());
        if let (Ok(rules), Some(fastest_ns), Some(slowest_ns), Some(median_ns)) =
            (name.parse(), nanoseconds(fastest), next(), next())
        {
            figures.push(Figure { what: group.to_owned(), rules, fastest_ns, median_ns, slowest_ns });
        }
    }
    figures
}

/// How deep a line of the tree stands, and what is behind its branch.
fn row(line: &str) -> Option<(usize, &str)> {
    let branch = ["├─ ", "╰─ "].into_iter().filter_map(|branch| line.find(branch)).min()?;
    let (before, rest) = line.split_at(branch);
    Some((before.chars().count() / 3, rest.get("├─ ".len()..)?))
}

/// `12.3 µs`
fn nanoseconds(text: &str) -> Option<f64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let scale = match unit {
        "ps" => 0.001,
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * scale)
}

/// The median of one line.
#[must_use]
pub fn median(figures: &[Figure], what: &str, rules: u64) -> Option<f64> {
    figures.iter().find(|figure| figure.what == what && figure.rules == rules).map(|figure| figure.median_ns)
}

/// A span in the unit that suits it.
#[must_use]
pub fn show(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} us", ns / 1e3),
        ns if ns < 1e9 => format!("{:.1} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}

impl Display for Figure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { what, rules, fastest_ns, median_ns, slowest_ns } = self;
        let spread = format!("({}..{})", show(*fastest_ns), show(*slowest_ns));
        write!(f, "{what:24}{rules:>8} rules {:>12}  {spread}", show(*median_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
Timer precision: 41 ns
rules                  fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ check                             │               │               │               │         │
│  ├─ 10               182.9 µs      │ 203.1 µs      │ 190.4 µs      │ 191.6 µs      │ 5       │ 5
│  ╰─ 10000            2.881 s       │ 3.1 s         │ 2.9 s         │ 2.94 s        │ 5       │ 5
╰─ decide_by_the_last                │               │               │               │         │
   ├─ 10               21.92 ns      │ 82.12 ns      │ 22.41 ns      │ 23.6 ns       │ 100     │ 25600
   ╰─ 1000             60.1 ns       │ 99 ns         │ 61.2 ns       │ 63.9 ns       │ 100     │ 12800
";

    #[test]
    fn the_table_is_read() {
        let figures = read(TABLE);
        let told: Vec<(&str, u64)> = figures.iter().map(|figure| (figure.what.as_str(), figure.rules)).collect();
        let expected = [("check", 10), ("check", 10_000), ("decide_by_the_last", 10), ("decide_by_the_last", 1_000)];
        assert_eq!(told, expected);
        assert_eq!(median(&figures, "check", 10_000), Some(2.9e9));
        assert_eq!(median(&figures, "decide_by_the_last", 10), Some(22.41));
        assert_eq!(median(&figures, "diff", 10), None);
        assert_eq!(figures[0].to_string(), "check                         10 rules     190.4 us  (182.9 us..203.1 us)");
    }
}
