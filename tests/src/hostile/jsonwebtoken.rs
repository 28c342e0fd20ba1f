//! What `jsonwebtoken` 11.1 lets through, as measured. That it also rejects what is good stands
//! among the controls.

use serde_json::{Value, json};

use crate::{LEEWAY, NOW, Row, Setting};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    let own = setting.issuer.name();
    let row = |name: &str, token, code: &str| {
        Row::rejected(&setting.plain, name, "§8 jsonwebtoken 11.1, CVE-2026-22748", token, code)
    };
    let null_key_id = r#"{"alg":"ES256","kid":null}"#;
    // A nanosecond beyond the leeway: whoever rounds takes it for good.
    let fraction = |seconds: i64| format!("{seconds}.000000001");
    let claims = setting.valid().claim("nbf", "\u{2603}").claims_json();
    let early = claims.replace("\"\u{2603}\"", &fraction(NOW + LEEWAY));
    let claims = setting.valid().claim("exp", "\u{2603}").claims_json();
    let late = claims.replace("\"\u{2603}\"", &format!("{}.999999999", NOW - LEEWAY - 1));
    vec![
        row(
            "audience and issuer are set, and the token has neither",
            setting.valid().without_claim("aud").without_claim("iss"),
            "missing_claim",
        ),
        row(
            "audience and issuer are set, and the token lacks its audience",
            setting.valid().without_claim("aud").claim("x", 1),
            "missing_claim",
        ),
        row(
            "`aud` is a number and `iss` is an object",
            setting.valid().claim("aud", 1).claim("iss", json!({"a": own})),
            "malformed_claim",
        ),
        row(
            "`iss` is a list that holds the right issuer alone",
            setting.valid().claim("iss", [own]),
            "malformed_claim",
        ),
        row(
            "`crit` names an extension that the token does not have",
            setting.valid().header("crit", ["exp-strict"]),
            "unsupported_critical_header",
        ),
        row("the token ends a session", setting.valid().header("typ", "Logout+JWT"), "wrong_type"),
        row(
            "`nbf` comes tomorrow",
            setting.valid().claim("nbf", NOW + 86_400),
            "token_not_yet_valid",
        ),
        row(
            "`kid` is null, and one key fits",
            setting.valid().raw_header(null_key_id),
            "malformed_token",
        ),
        row(
            "`nbf` lies a nanosecond beyond the leeway",
            setting.valid().raw_claims(early),
            "token_not_yet_valid",
        ),
        row(
            "`exp` lies a nanosecond beyond the leeway",
            setting.valid().raw_claims(late),
            "token_expired",
        ),
        row(
            "`sub` is null, and the claims are read as a type whose subject is optional",
            setting.valid().claim("sub", Value::Null).claim("x", 1),
            "malformed_claim",
        ),
    ]
}
