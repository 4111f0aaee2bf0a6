//! The known name that was perhaps meant.

/// The candidate nearest to `name`: equal but for case, one within the other, or few letters apart. `None` where
/// nothing is near enough to help.
pub fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .filter_map(|candidate| distance(&lower, candidate).map(|far| (far, candidate)))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters to change between the two, or `None` where more than a third would have to be.
fn distance(lower: &str, candidate: &str) -> Option<usize> {
    let candidate = candidate.to_lowercase();
    // Codes of two letters are all near one another.
    let allowed = if lower.len() < 3 { 0 } else { lower.chars().count().div_ceil(3) };
    let far = strsim::damerau_levenshtein(lower, &candidate);
    if far <= allowed {
        return Some(far);
    }
    let within = candidate.contains(lower) || lower.contains(&candidate);
    (within && lower.len().min(candidate.len()) >= 4).then_some(far)
}

/// `did you mean ...?`, where a candidate is near.
pub fn did_you_mean<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(name, candidates).map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["currency", "country", "card_brand", "adyen_eu", "stripe_eu"];
        for (name, near) in [
            ("curency", Some("currency")),
            ("Country", Some("country")),
            ("brand", Some("card_brand")),
            ("adyen-eu", Some("adyen_eu")),
            ("strpie_eu", Some("stripe_eu")),
            ("paypal", None),
            ("cu", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), near, "{name}");
        }
    }
}
