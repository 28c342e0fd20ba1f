//! §1.4: what a token must claim.

use base64_simd::{STANDARD, URL_SAFE};
use serde_json::{Value, json};
use tonic::Code::{self, Ok, PermissionDenied};

use crate::server::{DESCRIBE, KEY, Temporal, now, temporal, temporal_with, token_by, token_with};

fn assert_each(temporal: &Temporal, rows: &[(Value, Code)]) {
    for (changes, expected) in rows {
        assert_eq!(temporal.ask(DESCRIBE, &token_with(changes)), *expected, "{changes}");
    }
}

#[test]
fn s1_4_dates_are_optional_and_zero_is_none() {
    let temporal = temporal();
    let without = json!({"sub": "alice", "permissions": ["default:read"]});
    assert_eq!(temporal.ask(DESCRIBE, &token_by(&KEY, &without, &|token| token)), Ok);
    let rows = ["exp", "iat", "nbf"].map(|name| (json!({ name: 0 }), Ok));
    assert_each(&temporal, &rows);
    assert_each(
        &temporal,
        &[(json!({"exp": 0, "iat": 0, "nbf": 0}), Ok), (json!({"exp": 0.0}), Ok)],
    );
}

#[test]
fn s1_4_there_is_no_leeway() {
    let now = now();
    assert_each(
        &temporal(),
        &[
            (json!({"exp": now - 1}), PermissionDenied),
            (json!({"exp": now + 60}), Ok),
            (json!({"exp": 1}), PermissionDenied),
            (json!({"exp": -1}), PermissionDenied),
            (json!({"iat": now}), Ok),
            (json!({"iat": now + 30}), PermissionDenied),
            (json!({"nbf": now}), Ok),
            (json!({"nbf": now + 30}), PermissionDenied),
        ],
    );
}

#[test]
fn s1_4_a_date_is_cut_to_whole_seconds() {
    // Less than a second is zero, which is no date.
    assert_each(&temporal(), &[(json!({"exp": 0.9}), Ok), (json!({"exp": 1.9}), PermissionDenied)]);
}

#[test]
fn s1_4_a_date_that_is_no_number_is_invalid() {
    for value in [json!("4102444800"), json!(null), json!(true), json!([]), json!({})] {
        let rows = ["exp", "iat", "nbf"].map(|name| (json!({ name: value }), PermissionDenied));
        assert_each(&temporal(), &rows);
    }
}

#[test]
fn s1_4_issuer_id_type_and_party_are_not_checked() {
    let temporal = temporal();
    assert_each(
        &temporal,
        &[
            (json!({"iss": "https://whoever.test"}), Ok),
            (json!({"iss": ""}), Ok),
            (json!({"jti": "1"}), Ok),
            (json!({"azp": "other"}), Ok),
            (json!({"aud": "other"}), Ok),
        ],
    );
    let claims = json!({"sub": "alice", "permissions": ["default:read"]});
    for typ in ["JWT", "at+jwt", "logout+jwt", "x", ""] {
        let token = token_by(&KEY, &claims, &|token| token.header("typ", typ));
        assert_eq!(temporal.ask(DESCRIBE, &token), Ok, "{typ}");
    }
}

#[test]
fn s1_4_claims_that_grant_nothing_may_be_anything() {
    let nested = json!({"a": [1, {"b": null}]});
    let rows = ["scope", "scp", "roles", "groups", "realm_access"]
        .map(|name| (json!({ name: nested }), Ok));
    assert_each(&temporal(), &rows);
}

#[test]
fn s1_4_the_audience_is_enforced_where_one_is_set() {
    assert_each(
        &temporal_with(&[("TEMPORAL_JWT_AUDIENCE", "temporal")]),
        &[
            (json!({"aud": "temporal"}), Ok),
            (json!({"aud": ["other", "temporal"]}), Ok),
            (json!({}), PermissionDenied),
            (json!({"aud": ""}), PermissionDenied),
            (json!({"aud": []}), PermissionDenied),
            (json!({"aud": "Temporal"}), PermissionDenied),
            (json!({"aud": "temporal "}), PermissionDenied),
            (json!({"aud": "temporal,other"}), PermissionDenied),
            (json!({"aud": ["temporal", 1]}), PermissionDenied),
            (json!({"aud": ["temporal", null]}), PermissionDenied),
            (json!({"aud": {"temporal": true}}), PermissionDenied),
            (json!({"aud": null}), PermissionDenied),
        ],
    );
}

#[test]
fn s1_4_a_blank_audience_is_none_and_another_is_not_trimmed() {
    for blank in ["", " ", "\t \n"] {
        let temporal = temporal_with(&[("TEMPORAL_JWT_AUDIENCE", blank)]);
        assert_each(&temporal, &[(json!({}), Ok), (json!({"aud": "x"}), Ok)]);
    }
    let padded = temporal_with(&[("TEMPORAL_JWT_AUDIENCE", " temporal ")]);
    assert_each(
        &padded,
        &[(json!({"aud": " temporal "}), Ok), (json!({"aud": "temporal"}), PermissionDenied)],
    );
}

#[test]
fn s1_4_the_subject_is_a_string_that_may_be_empty() {
    let temporal = temporal();
    assert_each(
        &temporal,
        &[
            (json!({"sub": ""}), Ok),
            (json!({"sub": 1}), PermissionDenied),
            (json!({"sub": null}), PermissionDenied),
            (json!({"sub": ["alice"]}), PermissionDenied),
        ],
    );
    let without = json!({"exp": now() + 60, "permissions": ["default:read"]});
    let token = token_by(&KEY, &without, &|token| token);
    assert_eq!(temporal.ask(DESCRIBE, &token), PermissionDenied);
}

#[test]
fn s1_4_three_parts_in_base64url_without_padding() {
    let temporal = temporal();
    let token = token_with(&json!({"name": "~~~???"}));
    assert_eq!(temporal.ask(DESCRIBE, &token), Ok);
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!() };
    let decoded = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(claims).unwrap();
    for broken in [
        format!("{header}.{}.{signature}", STANDARD.encode_to_string(&decoded)),
        format!("{header}.{}=.{signature}", URL_SAFE.encode_to_string(&decoded)),
        format!("{header}.{claims}"),
        format!("{header}.{claims}.{signature}."),
        format!("{header}.{claims}.{signature}.x.y"),
        format!("{header}.{claims}."),
        format!(".{claims}.{signature}"),
        format!("{header}..{signature}"),
    ] {
        assert_eq!(temporal.ask(DESCRIBE, &broken), PermissionDenied, "{broken}");
    }
}

#[test]
fn s1_4_a_forged_signature_is_rejected_whatever_the_claims() {
    let claims = json!({"sub": "a", "permissions": ["temporal-system:admin"]});
    let token = token_by(&KEY, &claims, &|token| token.wrong_signature());
    assert_eq!(temporal().ask(DESCRIBE, &token), PermissionDenied);
}
