//! `exp`, `nbf` and `iat`.

use std::time::Duration;

use serde_json::Value;

use crate::{LEEWAY, NOW, Row, Setting};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    [wrong_types(setting), wrong_numbers(setting), wrong_times(setting), limits(setting)].concat()
}

/// Puts the text of a value in, so that it may be no JSON at all.
fn with_date(setting: &Setting, claim: &str, text: &str) -> portcullis_testkit::TokenBuilder {
    let marker = "\u{2603}";
    let claims = setting.valid().claim(claim, marker).claims_json();
    setting.valid().raw_claims(claims.replace(&format!("\"{marker}\""), text))
}

fn wrong_types(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for claim in ["exp", "nbf", "iat"] {
        for (what, text) in [
            ("a number in quotes", r#""1800000000""#),
            ("an empty text", r#""""#),
            ("a date in words", r#""2027-01-15T08:00:00Z""#),
            ("true", "true"),
            ("null", "null"),
            ("a list with a number", "[1800000000]"),
            ("an empty list", "[]"),
            ("an object", r#"{"$date":1800000000}"#),
        ] {
            let phrase = format!("`{claim}` is {what}");
            let token = with_date(setting, claim, text);
            let stands_for = "§3 CVE-2026-25537";
            rows.push(Row::rejected(&setting.plain, phrase, stands_for, token, "malformed_claim"));
        }
    }
    rows
}

fn wrong_numbers(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for claim in ["exp", "nbf", "iat"] {
        for (text, code) in [
            ("1e999", "malformed_claim"),
            ("-1e999", "malformed_claim"),
            ("9223372036854775808", "malformed_claim"),
            ("1e99999999999999999999", "malformed_claim"),
            ("NaN", "malformed_token"),
            ("Infinity", "malformed_token"),
            ("-Infinity", "malformed_token"),
            ("+1800000000", "malformed_token"),
            ("01800000000", "malformed_token"),
            ("0x7fffffff", "malformed_token"),
            ("1_800_000_000", "malformed_token"),
            ("1800000000.", "malformed_token"),
            (".5", "malformed_token"),
            ("1e", "malformed_token"),
            ("-", "malformed_token"),
        ] {
            let phrase = format!("`{claim}` is {text}");
            let token = with_date(setting, claim, text);
            rows.push(Row::rejected(&setting.plain, phrase, "§9 dates", token, code));
        }
    }
    for (claim, text, code) in [
        ("exp", "-1", "token_expired"),
        ("exp", "0", "token_expired"),
        ("exp", "-0.0", "token_expired"),
        ("exp", "1.5", "token_expired"),
        ("exp", "1e-999", "token_expired"),
        ("exp", "18e8e", "malformed_token"),
        ("nbf", "9007199254740993", "token_not_yet_valid"),
        ("nbf", "9223372036854775807", "token_not_yet_valid"),
        ("nbf", "1e18", "token_not_yet_valid"),
        ("iat", "9007199254740993", "issued_in_future"),
        ("iat", "9223372036854775807", "issued_in_future"),
    ] {
        let phrase = format!("`{claim}` is {text}");
        let token = with_date(setting, claim, text);
        rows.push(Row::rejected(&setting.plain, phrase, "§9 dates", token, code));
    }
    rows
}

fn wrong_times(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |name: &str, claim: &str, text: String, code| {
        let token = with_date(setting, claim, &text);
        rows.push(Row::rejected(&setting.plain, name, "§3 dates", token, code));
    };
    let (late, early) = (NOW - LEEWAY, NOW + LEEWAY);
    row("`exp` was an hour ago", "exp", (NOW - 3600).to_string(), "token_expired");
    row("`exp` has just come, leeway counted", "exp", late.to_string(), "token_expired");
    row("`exp` was a second ago, leeway counted", "exp", (late - 1).to_string(), "token_expired");
    row("`nbf` comes in an hour", "nbf", (NOW + 3600).to_string(), "token_not_yet_valid");
    row(
        "`nbf` comes in a second, leeway counted",
        "nbf",
        (early + 1).to_string(),
        "token_not_yet_valid",
    );
    row("`iat` comes in an hour", "iat", (NOW + 3600).to_string(), "issued_in_future");
    row(
        "`iat` comes in a second, leeway counted",
        "iat",
        (early + 1).to_string(),
        "issued_in_future",
    );
    row(
        "`exp` is in milliseconds, and so is `nbf`",
        "nbf",
        (NOW * 1000).to_string(),
        "token_not_yet_valid",
    );
    rows.push(Row::rejected(
        &setting.plain,
        "`exp` is absent",
        "§3 dates",
        setting.valid().without_claim("exp"),
        "missing_claim",
    ));
    // Callers must not learn "expired" of a token that nobody signed.
    rows.push(Row::rejected(
        &setting.plain,
        "a token that has expired and whose signature is wrong",
        "§3 CVE-2024-51744",
        setting.valid().expired().wrong_signature(),
        "signature_mismatch",
    ));
    rows
}

fn limits(setting: &Setting) -> Vec<Row> {
    let trusted = || setting.issuer.trusted();
    let hour = Duration::from_secs(3600);
    let aged = setting.engine(trusted().max_age(hour));
    let short = setting.engine(trusted().max_lifetime(hour));
    let no_expiry = setting.engine(trusted().dangerous_optional_expiry());
    let row = |engine, name, token, code| Row::rejected(engine, name, "§3 dates", token, code);
    vec![
        row(
            &aged,
            "`iat` was longer ago than the issuer allows",
            setting.valid().claim("iat", NOW - 3600 - LEEWAY - 1),
            "token_too_old",
        ),
        row(
            &aged,
            "`iat` is negative where there is a limit of age",
            setting.valid().claim("iat", i64::MIN + 1),
            "token_too_old",
        ),
        row(
            &aged,
            "`iat` is absent where there is a limit of age",
            setting.valid().without_claim("iat"),
            "missing_claim",
        ),
        row(
            &short,
            "the token lives a second longer than the issuer allows",
            setting.valid().claim("exp", NOW + 3601),
            "lifetime_too_long",
        ),
        row(
            &short,
            "`exp` is the last second there is, where there is a limit of lifetime",
            setting.valid().claim("exp", i64::MAX),
            "lifetime_too_long",
        ),
        row(
            &no_expiry,
            "`exp` is null, where it may be absent",
            setting.valid().claim("exp", Value::Null),
            "malformed_claim",
        ),
        row(
            &no_expiry,
            "`exp` is a text, where it may be absent",
            setting.valid().claim("exp", "never"),
            "malformed_claim",
        ),
    ]
}
