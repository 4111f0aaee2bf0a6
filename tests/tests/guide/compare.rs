//! What a command printed, beside what the page says.

/// The text without what is different each time: hashes, ids and times become `...`.
pub fn steady(text: &str) -> String {
    let mut steady = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let found = hash(rest).or_else(|| id(rest)).or_else(|| time(rest));
        let word = steady.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '_');
        match found {
            Some((kept, len)) if !word => {
                steady.push_str(kept);
                steady.push_str("...");
                rest = &rest[len..];
            }
            _ => {
                steady.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    steady
}

fn hex(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte)).count()
}

fn hash(text: &str) -> Option<(&'static str, usize)> {
    (hex(text.strip_prefix("sha256:")?) == 64).then_some(("sha256:", 71))
}

fn id(text: &str) -> Option<(&'static str, usize)> {
    ["pay_", "cap_", "re_", "vo_", "key_"]
        .into_iter()
        .find(|prefix| text.strip_prefix(prefix).is_some_and(|digits| hex(digits) == 32))
        .map(|prefix| (prefix, prefix.len() + 32))
}

/// `2026-01-01T00:00:00.000Z`
fn time(text: &str) -> Option<(&'static str, usize)> {
    let shape = "dddd-dd-ddTdd:dd:dd";
    let fits = |(byte, wanted): (u8, u8)| if wanted == b'd' { byte.is_ascii_digit() } else { byte == wanted };
    let head = text.as_bytes().get(..shape.len())?;
    if !head.iter().copied().zip(shape.bytes()).all(fits) {
        return None;
    }
    let end = text[shape.len()..].find('Z')?;
    text[shape.len()..][..end]
        .bytes()
        .all(|byte| byte == b'.' || byte.is_ascii_digit())
        .then_some(("", shape.len() + end + 1))
}

/// Both texts line by line: `-` before what only the first has, `+` before what only the second has.
pub fn lines(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // The longest common subsequence of what is left of both.
    let mut longest = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            longest[i][j] = if a == b { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut told) = (0, 0, String::new());
    loop {
        let (sign, line) = match (old.get(i), new.get(j)) {
            (None, None) => return told,
            (Some(a), Some(b)) if a == b => {
                (i, j) = (i + 1, j + 1);
                (' ', *a)
            }
            (Some(a), b) if b.is_none() || longest[i + 1][j] >= longest[i][j + 1] => {
                i += 1;
                ('-', *a)
            }
            (_, Some(b)) => {
                j += 1;
                ('+', *b)
            }
            (Some(_), None) => unreachable!("taken above"),
        };
        told.push_str(&format!("  {sign} {line}\n"));
    }
}
