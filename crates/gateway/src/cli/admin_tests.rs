use super::*;

#[test]
fn secrets_are_long_random_and_say_their_mode() {
    let secrets: std::collections::HashSet<String> = (0..200).map(|_| new_secret(Mode::Test)).collect();
    assert_eq!(secrets.len(), 200);
    for secret in &secrets {
        let random = secret.strip_prefix("sy_test_").unwrap();
        assert!(random.len() == SECRET_CHARS && random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{secret}");
    }
    assert!(new_secret(Mode::Live).starts_with("sy_live_"));
    let letters: std::collections::HashSet<char> = secrets.iter().flat_map(|secret| secret[8..].chars()).collect();
    assert_eq!(letters.len(), 62);
}

#[test]
fn all_that_is_wrong_with_a_key_is_told_at_once() {
    let asked = IssueKey {
        merchant: "demo-shp".into(),
        mode: "prod".into(),
        scopes: vec!["payment:write".into()],
        label: "two\nlines".into(),
        expires_at: Some("2020-01-01T00:00:00Z".into()),
        addresses: vec!["localhost".into(), "10.0.0.1/8".into()],
        per_second: Some(0),
        burst: None,
    };
    let merchants = [MerchantSpec {
        name: switchyard_core::MerchantName::new("demo-shop").unwrap(),
        order_types: switchyard_core::capabilities::Which::All,
        channels: switchyard_core::capabilities::Which::All,
    }];
    let now = expiry::parse("2026-11-22T00:00:00Z").unwrap();
    assert_eq!(
        read_key(&asked, &merchants, now).unwrap_err(),
        [
            "unknown merchant `demo-shp`: did you mean `demo-shop`?",
            "unknown mode `prod`: there is test, live",
            "unknown scope `payment:write`: did you mean `payments:write`?",
            "`localhost` is no IP address or network such as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32",
            "`10.0.0.1/8` has bits set after its prefix: is one address meant, or 10.0.0.0/8?",
            "a label has at most 200 characters, on one line",
            "per_second and burst are integers from 1 to 1000000",
            "2020-01-01T00:00:00Z has passed",
        ]
    );
    let nothing = IssueKey { merchant: "demo-shop".into(), mode: "live".into(), ..IssueKey::default() };
    assert_eq!(read_key(&nothing, &merchants, now).unwrap_err(), ["a key without a scope could do nothing"]);
}
