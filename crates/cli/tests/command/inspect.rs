//! `inspect`: reads, and does not judge.

use serde_json::{Value, json};

use crate::support::{Folder, NOW, Run, Service};

fn inspect(token: &str) -> Run {
    Folder::new().run(&["inspect", "--now", &NOW.to_string(), token])
}

fn warnings(run: &Run) -> String {
    assert_eq!(run.status, 0, "{run:?}");
    run.json()["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn header_claims_and_times_are_shown_and_marked_as_not_verified() {
    let run = inspect(&Service::new().valid().wrong_signature().build());
    assert_eq!(run.status, 0);
    let shown = run.json();
    assert_eq!(shown["verified"], false);
    assert_eq!(shown["header"], json!({"alg": "ES256", "kid": "es256"}));
    assert_eq!(shown["claims"]["sub"], "alice");
    assert_eq!(
        shown["times"]["exp"],
        json!({"at": "2027-01-15T09:00:00Z", "relative": "in 1 hour"})
    );
    assert_eq!(shown["warnings"], json!([]));
}

#[test]
fn text_says_first_that_nothing_is_verified() {
    let service = Service::new();
    let token =
        service.valid().raw_claims("{\"sub\":\"a\",\"exp\":1799999940,\"aud\":\"o\"}").build();
    let now = NOW.to_string();
    let run = service
        .folder
        .run_with(&["inspect", "--format", "text", "--now", &now], format!("{token}\n"));
    assert_eq!(
        run.stdout,
        r#"not verified: anyone can have written this

header
  {
    "alg": "ES256",
    "kid": "es256"
  }

claims
  {
    "sub": "a",
    "exp": 1799999940,
    "aud": "o"
  }

times
  exp       2027-01-15T07:59:00Z  1 minute ago

warnings
  ! it expired 1 minute ago
"#
    );
}

#[test]
fn what_would_be_rejected_anywhere_is_a_warning() {
    let service = Service::new();
    let valid = || service.valid();
    let cases = [
        (valid().header("alg", "none").signature("").build(), "algorithm `none`"),
        (valid().signature("").build(), "no signature"),
        (valid().header("alg", "HS1").build(), "not one that is supported"),
        (valid().expired().build(), "it expired 1 hour ago"),
        (valid().claim("nbf", NOW + 3600).build(), "good only in 1 hour"),
        (valid().claim("iat", NOW + 3600).build(), "in the future"),
        (valid().header("crit", ["x"]).build(), "`crit`"),
        (valid().header("jku", "https://evil.test").build(), "(`jku`), which is never trusted"),
        (valid().claim("x", "y".repeat(20_000)).build(), "no more than 16 KiB"),
        (valid().without_claim("exp").build(), "it never expires"),
        (valid().without_claim("aud").build(), "meant for nobody"),
        (valid().claim("exp", "soon").build(), "`exp` is not a number"),
        (valid().raw_claims("{\"sub\":\"a\",\"sub\":\"b\"}").build(), "`sub` is there twice"),
        (valid().raw_claims("no JSON").build(), "has no claims"),
        (valid().claim("cnf", json!({})).build(), "bound to a key"),
    ];
    for (token, warning) in cases {
        let run = inspect(&token);
        assert!(warnings(&run).contains(warning), "{warning}: {run:?}");
    }
}

#[test]
fn what_is_no_jwt_is_rejected() {
    for (text, reason) in [
        ("a.b", "three parts"),
        ("a.b.c.d.e", "encrypted"),
        ("?.e30.x", "not base64url"),
        ("e30x.e30.x", ""),
        ("", "three parts"),
    ] {
        let run = Folder::new().run_with(&["inspect"], text);
        assert_eq!(run.status, 1, "{text}: {run:?}");
        assert!(run.json()["error"].as_str().unwrap().contains(reason), "{run:?}");
    }
}
