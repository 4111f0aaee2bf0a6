//! Writes a rules' file in its canonical form: one blank line between tables, keys in the order of the documentation,
//! double quotes, single spaces, long lists broken one name a line.
//!
//! Comments stay where they are, and nothing changes its meaning: names, numbers and the order of rules, tests and names
//! in lists are the operator's. A list or inline table that holds a comment is left as it is written.

use crate::rule::Key;
use crate::source::{Fault, Source};
use toml_edit::{Array, ArrayOfTables, Decor, DocumentMut, Formatted, InlineTable, Item, RawString, Table, Value};

/// Lists that would end past this column are broken.
const WIDTH: usize = 110;

const RULE: &[&str] = &["name", "when", "use", "split", "prefer", "reject"];
const TEST: &[&str] = &["name", "payment", "down", "degraded", "disabled", "expect"];
const PAYMENT: &[&str] = &[
    "order_type",
    "country",
    "method",
    "amount",
    "currency",
    "merchant",
    "card_brand",
    "funding",
    "issuer_country",
    "initiator",
    "capture",
    "id",
    "tokens",
];
const EXPECT: &[&str] = &["rule", "channel", "channels", "rejected", "no_channel"];

/// The canonical form of a file.
///
/// # Errors
/// What is not TOML cannot be formatted: the first syntax error.
pub fn format(source: &Source) -> Result<String, Vec<Fault>> {
    // Line ends are the canonical form's own.
    let text = source.text().replace("\r\n", "\n");
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let span = error.span().unwrap_or(0..0);
        vec![source.fault(&span, format!("not TOML: {}", error.message()))]
    })?;
    let trailing = comments(document.trailing().as_str().unwrap_or_default(), true);
    table(document.as_table_mut(), "");
    document.set_trailing(trailing);
    let text = document.to_string();
    Ok(format!("{}\n", text.trim()))
}

/// The order of keys in a table that is found under `name`; unknown ones come after.
fn order(name: &str) -> Vec<&'static str> {
    match name {
        "rules" => RULE.to_vec(),
        "when" => Key::ALL.iter().flat_map(|(_, plain, not)| [*plain, *not]).collect(),
        "tests" => TEST.to_vec(),
        "payment" => PAYMENT.to_vec(),
        "expect" => EXPECT.to_vec(),
        _ => Vec::new(),
    }
}

/// A key's place in that order.
fn rank(order: &[&str], key: &str) -> usize {
    if order.is_empty() {
        return 0;
    }
    order.iter().position(|known| *known == key).unwrap_or(order.len())
}

/// Formats what a table holds, not its header.
fn table(table: &mut Table, name: &str) {
    let order = order(name);
    table.sort_values_by(|a, _, b, _| rank(&order, a.get()).cmp(&rank(&order, b.get())));
    for (mut key, item) in table.iter_mut() {
        let child = key.get().to_owned();
        match item {
            Item::None => {}
            Item::Value(value) => {
                let before = comments(text_of(key.leaf_decor().prefix()), false);
                key.fmt();
                key.leaf_decor_mut().set_prefix(before);
                key.leaf_decor_mut().set_suffix(" ");
                let after = text_of(value.decor().suffix()).trim().to_owned();
                let room = WIDTH.saturating_sub(key.get().chars().count()).saturating_sub(3);
                format_value(value, &child, room);
                value.decor_mut().set_prefix(" ");
                value.decor_mut().set_suffix(if after.is_empty() { after } else { format!(" {after}") });
            }
            Item::Table(inner) => header(inner, &child),
            Item::ArrayOfTables(tables) => array_of_tables(tables, &child),
        }
    }
}

fn array_of_tables(tables: &mut ArrayOfTables, name: &str) {
    tables.iter_mut().for_each(|inner| header(inner, name));
}

/// Formats a table with its header: a blank line and its comments before it.
fn header(inner: &mut Table, name: &str) {
    let before = comments(text_of(inner.decor().prefix()), true);
    let after = text_of(inner.decor().suffix()).trim().to_owned();
    inner.decor_mut().set_prefix(before);
    inner.decor_mut().set_suffix(if after.is_empty() { after } else { format!(" {after}") });
    table(inner, name);
}

fn text_of(raw: Option<&RawString>) -> &str {
    raw.and_then(RawString::as_str).unwrap_or_default()
}

/// The comments of a text, one a line; before a header with a blank line ahead and at most one between groups.
fn comments(text: &str, header: bool) -> String {
    let mut lines = String::new();
    if header {
        lines.push('\n');
    }
    let mut gap = false;
    let mut any = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            gap = any;
            continue;
        }
        if gap && header {
            lines.push('\n');
        }
        (gap, any) = (false, true);
        lines.push_str(line);
        lines.push('\n');
    }
    // A group that stands apart from what follows stays apart.
    if gap && header {
        lines.push('\n');
    }
    lines
}

fn format_value(value: &mut Value, name: &str, room: usize) {
    match value {
        Value::String(text) => *text = quoted(text),
        Value::Array(array) => format_array(array, room),
        Value::InlineTable(inner) => format_inline(inner, name),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

/// The same text as TOML writes it by default: in double quotes, unless that would need escapes.
fn quoted(text: &Formatted<String>) -> Formatted<String> {
    Formatted::new(text.value().clone())
}

/// Whether a comment stands anywhere in a value.
fn has_comment(value: &Value) -> bool {
    let decor_has = |decor: &Decor| [decor.prefix(), decor.suffix()].into_iter().any(|raw| text_of(raw).contains('#'));
    decor_has(value.decor())
        || match value {
            Value::Array(array) => text_of(Some(array.trailing())).contains('#') || array.iter().any(has_comment),
            Value::InlineTable(inner) => {
                text_of(Some(inner.trailing())).contains('#')
                    || inner.iter().any(|(key, value)| {
                        inner.key(key).is_some_and(|key| decor_has(key.leaf_decor()) || decor_has(key.dotted_decor()))
                            || has_comment(value)
                    })
            }
            Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => false,
        }
}

fn format_array(array: &mut Array, room: usize) {
    if text_of(Some(array.trailing())).contains('#') || array.iter().any(has_comment) {
        return;
    }
    array.iter_mut().for_each(|value| format_value(value, "", usize::MAX));
    array.set_trailing("");
    array.set_trailing_comma(false);
    for (at, value) in array.iter_mut().enumerate() {
        *value.decor_mut() = Decor::new(if at == 0 { "" } else { " " }, "");
    }
    let line = array.to_string();
    if line.trim().chars().count() > room {
        array.iter_mut().for_each(|value| *value.decor_mut() = Decor::new("\n    ", ""));
        array.set_trailing("\n");
        array.set_trailing_comma(true);
    }
}

/// Inline tables stay on one line: TOML before 1.1 knows no other.
fn format_inline(inner: &mut InlineTable, name: &str) {
    let holds_comment = text_of(Some(inner.trailing())).contains('#')
        || inner.iter().any(|(key, value)| {
            let before = inner.key(key).map(|key| text_of(key.leaf_decor().prefix())).unwrap_or_default();
            before.contains('#') || has_comment(value)
        });
    if holds_comment {
        return;
    }
    let order = order(name);
    inner.sort_values_by(|a, _, b, _| rank(&order, a.get()).cmp(&rank(&order, b.get())));
    inner.set_trailing("");
    inner.set_trailing_comma(false);
    let count = inner.len();
    for (at, (mut key, value)) in inner.iter_mut().enumerate() {
        let child = key.get().to_owned();
        key.fmt();
        *key.leaf_decor_mut() = Decor::new(" ", " ");
        format_value(value, &child, usize::MAX);
        *value.decor_mut() = Decor::new(" ", if at.saturating_add(1) == count { " " } else { "" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        format(&Source::new("routing.toml", text)).unwrap()
    }

    #[test]
    fn the_form_is_canonical_and_comments_stay() {
        let text = "# Rules of the shop.\r\n\r\n\r\n[regions]\ndach=['DE','AT' , \"CH\"] # German\n\n# Large ones.\n[[rules]]\nuse = [\"adyen_eu\",\n  'stripe_eu'\n]\n# why\nname=\"large\"\nwhen={amount={EUR='500.00..'},method=[\"card\"], order_type = 'ecommerce'}\n[[rules]]\n   name   = \"rest\"\n   reject = \"no\" \n\n# The end.\n";
        let canonical = "# Rules of the shop.

[regions]
dach = [\"DE\", \"AT\", \"CH\"] # German

# Large ones.
[[rules]]
# why
name = \"large\"
when = { order_type = \"ecommerce\", method = [\"card\"], amount = { EUR = \"500.00..\" } }
use = [\"adyen_eu\", \"stripe_eu\"]

[[rules]]
name = \"rest\"
reject = \"no\"

# The end.
";
        assert_eq!(formatted(text), canonical);
        assert_eq!(formatted(canonical), canonical);
    }

    #[test]
    fn long_lists_are_broken_and_commented_ones_left_alone() {
        let names: Vec<String> = (0..30).map(|n| format!("'merchant_{n}'")).collect();
        let broken = formatted(&format!("[regions]\nx = [{}]\n", names.join(",")));
        assert!(
            broken.starts_with("[regions]\nx = [\n    \"merchant_0\",\n    \"merchant_1\",\n")
                && broken.ends_with("\"merchant_29\",\n]\n"),
            "{broken}"
        );
        assert_eq!(formatted(&broken), broken);
        let commented = "[regions]\nx = [\n  'DE', # home\n  'AT',\n]\n";
        assert_eq!(formatted(commented), commented);
    }

    #[test]
    fn what_is_not_toml_is_left_to_its_fault() {
        let faults = format(&Source::new("routing.toml", "a = \nb = 2\n")).unwrap_err();
        assert_eq!(faults[0].place.line, 1);
        assert_eq!(formatted(""), "\n");
    }
}
