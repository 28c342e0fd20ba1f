//! §1.2: where the token is, and what counts as one.

use bytes::Bytes;
use tonic::Code;

use crate::server::{
    DESCRIBE, HEALTH, START, SYSTEM_INFO, Temporal, bearer, code, message, temporal, token,
};

/// What comes of values of `authorization`, on a method that needs rights and on an open one.
fn codes(temporal: &Temporal, values: &[&str]) -> [Code; 2] {
    [DESCRIBE, SYSTEM_INFO].map(|path| code(&temporal.call(path, values, message(1, "default"))))
}

const GOOD: [Code; 2] = [Code::Ok; 2];
const BAD: [Code; 2] = [Code::PermissionDenied; 2];
const NONE: [Code; 2] = [Code::PermissionDenied, Code::Ok];

#[test]
fn s1_2_the_scheme_is_bearer_in_any_letter_case_and_one_space() {
    let temporal = temporal();
    let token = token(&["default:read"]);
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(codes(&temporal, &[&format!("{scheme} {token}")]), GOOD, "{scheme}");
    }
    for value in [
        // A second space stays in the token.
        format!("Bearer  {token}"),
        format!("Bearer {token} "),
        format!("Bearer {token} more"),
        format!("Bearer\t{token}"),
        format!("Bearer{token}"),
        format!(" Bearer {token}"),
    ] {
        assert_eq!(codes(&temporal, &[&value]), BAD, "{value}");
    }
}

#[test]
fn s1_2_what_is_no_bearer_token_is_bad_and_not_none() {
    let temporal = temporal();
    let token = token(&["default:read"]);
    for value in
        [&*token, "Bearer", "Bearer ", "x", &format!("Basic {token}"), &format!("Token {token}")]
    {
        assert_eq!(codes(&temporal, &[value]), BAD, "{value}");
    }
}

#[test]
fn s1_2_only_the_first_value_is_used() {
    let temporal = temporal();
    let good = bearer(&token(&["default:read"]));
    assert_eq!(codes(&temporal, &[&good, "Bearer junk"]), GOOD);
    assert_eq!(codes(&temporal, &[&good, "Basic junk"]), GOOD);
    assert_eq!(codes(&temporal, &["Bearer junk", &good]), BAD);
    assert_eq!(codes(&temporal, &["Basic junk", &good]), BAD);
    // An empty one is none, and the second one still does not count.
    assert_eq!(codes(&temporal, &["", &good]), NONE);
}

#[test]
fn s1_2_there_is_no_other_place() {
    let temporal = temporal();
    let token = token(&["default:read"]);
    for (name, value) in [
        ("cookie", format!("token={token}; authorization={token}")),
        ("x-api-key", token.clone()),
        ("authorization-extras", bearer(&token)),
        ("proxy-authorization", bearer(&token)),
    ] {
        let call = |path| temporal.call_with(path, &[(name, &value)], message(1, "default"), None);
        assert_eq!([DESCRIBE, SYSTEM_INFO].map(|path| code(&call(path))), NONE, "{name}");
    }
    let query = format!("{DESCRIBE}?authorization={token}&access_token={token}&token={token}");
    let status = temporal.call(&query, &[], message(1, "default"));
    assert_eq!(code(&status), Code::PermissionDenied);
}

#[test]
fn s1_2_without_a_token_claims_are_nil_and_only_what_needs_none_is_allowed() {
    let temporal = temporal();
    for values in [&[][..], &[""]] {
        assert_eq!(codes(&temporal, values), NONE);
        assert_eq!(code(&temporal.call(HEALTH, values, Bytes::new())), Code::Ok);
        assert_eq!(code(&temporal.call("/x.Y/Z", values, Bytes::new())), Code::PermissionDenied);
    }
}

#[test]
fn s1_2_the_extra_header_is_handed_on_and_changes_nothing() {
    let temporal = temporal();
    let (reader, extra) = (bearer(&token(&["default:read"])), token(&["default:admin"]));
    let metadata = [("authorization", &*reader), ("authorization-extras", &*extra)];
    for (path, expected) in [(DESCRIBE, Code::Ok), (START, Code::PermissionDenied)] {
        let result = temporal.call_with(path, &metadata, message(1, "default"), None);
        assert_eq!(code(&result), expected);
    }
}

#[test]
fn s1_2_headers_that_name_a_principal_make_nobody_one() {
    let temporal = temporal();
    let reader = bearer(&token(&["default:read"]));
    let names = [("temporal-principal-type", "temporal"), ("temporal-principal-name", "internal")];
    for authorization in [&[][..], &[("authorization", &*reader)]] {
        let metadata = [&names, authorization].concat();
        let result = temporal.call_with(START, &metadata, message(1, "default"), None);
        assert_eq!(code(&result), Code::PermissionDenied);
    }
}

#[test]
fn s1_2_a_bad_token_is_rejected_on_open_methods_too() {
    let temporal = temporal();
    for path in [SYSTEM_INFO, HEALTH] {
        for value in ["Bearer a.b.c", "Bearer x", "Basic x"] {
            let result = temporal.call(path, &[value], Bytes::new());
            assert_eq!(code(&result), Code::PermissionDenied, "{path} {value}");
        }
    }
}
