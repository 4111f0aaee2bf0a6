//! Card numbers, so that they can be kept out.

/// A scheme, its ranges, its lengths.
type Scheme = (&'static str, &'static [(u32, u32)], &'static [usize]);

/// Number ranges by leading digits, and the lengths that the scheme issues. Ranges are given as (first, last) of as many
/// leading digits as the bounds have. Source: ISO/IEC 7812-1 and the schemes' published bin ranges, read 2026-11-22.
const SCHEMES: &[Scheme] = &[
    ("visa", &[(4, 4)], &[13, 16, 19]),
    ("mastercard", &[(51, 55), (2221, 2720)], &[16]),
    ("amex", &[(34, 34), (37, 37)], &[15]),
    ("discover", &[(6011, 6011), (644, 649), (65, 65), (622_126, 622_925)], &[16, 17, 18, 19]),
    ("diners", &[(300, 305), (3095, 3095), (36, 36), (38, 39)], &[14, 15, 16, 17, 18, 19]),
    ("jcb", &[(3528, 3589)], &[16, 17, 18, 19]),
    ("unionpay", &[(62, 62), (81, 81)], &[16, 17, 18, 19]),
    ("maestro", &[(50, 50), (56, 58), (6304, 6304), (67, 67), (6390, 6390)], &[13, 14, 15, 16, 17, 18, 19]),
    ("mir", &[(2200, 2204)], &[16, 17, 18, 19]),
    ("rupay", &[(508, 508), (60, 60), (652, 653), (817, 820)], &[16]),
    ("elo", &[(636_368, 636_369), (636_297, 636_297), (627_780, 627_780), (438_935, 438_935)], &[16]),
    ("troy", &[(9792, 9792)], &[16]),
    ("verve", &[(506_099, 506_198), (650_002, 650_027)], &[16, 18, 19]),
];

const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;

/// Whether a card number stands anywhere in `text`: 13 to 19 digits, with or without single spaces or hyphens between
/// groups, in a scheme's range, of its length, with a valid check digit (ISO/IEC 7812-1 annex B, Luhn).
///
/// ```
/// use switchyard_core::card::holds_card_number;
/// assert!(holds_card_number("card 4242-4242 4242-4242, thanks"));
/// assert!(!holds_card_number("order 4242424242424241"));
/// ```
#[must_use]
pub fn holds_card_number(text: &str) -> bool {
    // Most texts hold few digits; this spares them the rest.
    if text.bytes().filter(u8::is_ascii_digit).count() < DIGITS_MIN {
        return false;
    }
    let bytes = text.as_bytes();
    let mut groups: Vec<&[u8]> = Vec::new();
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        if first.is_ascii_digit() {
            let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (group, after) = rest.split_at(len);
            groups.push(group);
            // One space or hyphen joins groups; anything else, or two of them, ends the run.
            rest = match after {
                [b' ' | b'-', next, ..] if next.is_ascii_digit() => after.get(1..).unwrap_or_default(),
                _ => {
                    if run_holds_card_number(&groups) {
                        return true;
                    }
                    groups.clear();
                    after
                }
            };
        } else {
            rest = tail;
        }
    }
    run_holds_card_number(&groups)
}

/// Tries every row of whole groups, so that a number is found beside others but never cut out of a longer one.
fn run_holds_card_number(groups: &[&[u8]]) -> bool {
    (0..groups.len()).any(|start| {
        let mut digits: Vec<u8> = Vec::with_capacity(DIGITS_MAX);
        for group in groups.iter().skip(start) {
            if digits.len().saturating_add(group.len()) > DIGITS_MAX {
                return false;
            }
            digits.extend(group.iter().map(|byte| byte.wrapping_sub(b'0')));
            if is_card_number(&digits) {
                return true;
            }
        }
        false
    })
}

fn is_card_number(digits: &[u8]) -> bool {
    (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len())
        && SCHEMES.iter().any(|(_, ranges, lengths)| {
            lengths.contains(&digits.len()) && ranges.iter().any(|&(first, last)| in_range(digits, first, last))
        })
        && luhn(digits)
}

fn in_range(digits: &[u8], first: u32, last: u32) -> bool {
    let width = usize::try_from(first.ilog10()).unwrap_or(0).saturating_add(1);
    let head = digits.iter().take(width).fold(0_u32, |sum, &digit| sum.saturating_mul(10).saturating_add(digit.into()));
    (first..=last).contains(&head)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match (place % 2, u32::from(digit)) {
            (0, digit) => digit,
            (_, digit @ 0..=4) => digit.saturating_mul(2),
            (_, digit) => digit.saturating_mul(2).saturating_sub(9),
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::holds_card_number;

    #[test]
    fn test_numbers_of_every_scheme_are_found() {
        let numbers = [
            "4242424242424242",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "6011111111111117",
            "3056930009020004",
            "30569309025904",
            "3566002020360505",
            "6200000000000005",
            "6759649826438453",
            "2200000000000004",
            "4222222222222",
        ];
        for number in numbers {
            assert!(holds_card_number(number), "{number}");
            assert!(holds_card_number(&format!("ref:{number};")), "{number}");
        }
    }

    #[test]
    fn separators_hide_nothing() {
        for text in [
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "12 4242 4242 4242 4242 99",
            "4242424242424242 5555555555554444",
        ] {
            assert!(holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_pass() {
        // A wrong check digit, no scheme's range, too short, too long, a time, an id with letters between.
        for text in [
            "4242424242424241",
            "1111111111111117",
            "424242424242",
            "42424242424242424242",
            "1732300000000",
            "42424242a42424242",
            "",
        ] {
            assert!(!holds_card_number(text), "{text}");
        }
    }
}
