//! §1.7: what a rejected caller is told.

use bytes::Bytes;
use serde_json::json;
use tonic::{Code, Status};

use crate::server::{
    DESCRIBE, KEY, LIST, SYSTEM_INFO, bearer, message, now, temporal, token, token_by, token_with,
};

/// Nothing tells one cause from another.
fn assert_told(result: Result<Bytes, Status>, what: &str) {
    let status = result.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied, "{what}");
    assert_eq!(status.message(), "Request unauthorized.", "{what}");
    assert!(status.details().is_empty(), "{what}");
    let names = status.metadata().clone().into_headers();
    let usual = ["content-length", "content-type", "date"];
    assert!(names.keys().all(|name| usual.contains(&name.as_str())), "{names:?}");
}

#[test]
fn s1_7_every_fault_of_a_token_has_one_code_and_text() {
    let temporal = temporal();
    let claims = json!({"sub": "a", "permissions": ["default:read"]});
    let changed = |change: &dyn Fn(portcullis_testkit::TokenBuilder) -> _| {
        bearer(&token_by(&KEY, &claims, change))
    };
    for (what, value) in [
        ("format", "junk".to_owned()),
        ("scheme", "Basic x".to_owned()),
        ("empty", "Bearer".to_owned()),
        ("parts", "Bearer a.b.c".to_owned()),
        ("length", bearer(&"a".repeat(15_000))),
        ("signature", changed(&|token| token.wrong_signature())),
        ("key", changed(&|token| token.header("kid", "unknown"))),
        ("no key", changed(&|token| token.without_key_id())),
        ("algorithm", changed(&|token| token.header("alg", "none"))),
        ("expired", bearer(&token_with(&json!({"exp": now() - 5})))),
        ("subject", bearer(&token_with(&json!({"sub": 1})))),
    ] {
        for path in [DESCRIBE, SYSTEM_INFO] {
            assert_told(temporal.call(path, &[&value], message(1, "default")), what);
        }
    }
}

#[test]
fn s1_7_so_has_whoever_may_not_and_who_has_no_token() {
    let temporal = temporal();
    let reader = bearer(&token(&["other:read"]));
    for (what, path, values) in [
        ("namespace", DESCRIBE, &[&*reader][..]),
        ("cluster", LIST, &[&*reader]),
        ("unknown method", "/x.Y/Z", &[&*reader]),
        ("nobody", DESCRIBE, &[]),
        ("nobody", LIST, &[]),
        ("nobody", "/x.Y/Z", &[]),
    ] {
        assert_told(temporal.call(path, values, message(1, "default")), what);
    }
}
