//! Every code that can be reached without a handler, a resolver or a store.

use std::net::TcpListener;

use portcullis::{Algorithm, AuthErrorKind};
use portcullis_testkit::SigningKey;
use serde_json::json;

use crate::support::{ISSUER, NOW, Service};

/// Reached through the adapters, and not here.
const ELSEWHERE: [&str; 15] = [
    "cross_site_request",
    "issuer_not_looked_up",
    "multiple_tokens",
    "token_revoked",
    "token_replayed",
    "subject_unknown",
    "subject_disabled",
    "actor_disabled",
    "insufficient_scope",
    "insufficient_role",
    "not_permitted",
    "reauthentication_required",
    "store_unavailable",
    "resolver_unavailable",
    "internal_error",
];

/// A code, what the configuration says beside the usual, and the token.
type Row = (&'static str, String, fn(&Service) -> String);

fn rows() -> Vec<Row> {
    let usual = || ISSUER.to_owned();
    let with = |more: &str| format!("{ISSUER}\n{more}");
    vec![
        ("no_credentials", usual(), |_| String::new()),
        ("malformed_request", usual(), |service| format!("{} x", service.valid().build())),
        ("token_too_large", usual(), |_| "x".repeat(16 * 1024 + 1)),
        ("malformed_token", usual(), |_| "a.b.c".to_owned()),
        ("unsupported_critical_header", usual(), |service| {
            service.valid().header("crit", ["exp"]).build()
        }),
        ("algorithm_not_allowed", usual(), |service| service.valid().header("alg", "none").build()),
        ("untrusted_issuer", usual(), |service| {
            service.valid().claim("iss", "https://other.test").build()
        }),
        ("unknown_key", usual(), |service| service.valid().header("kid", "2019").build()),
        ("ambiguous_key", usual(), |service| {
            let keys: Vec<_> =
                ["a", "b"].map(|name| SigningKey::generate(Algorithm::ES256, name)).to_vec();
            let jwks: Vec<_> = keys.iter().map(SigningKey::public_jwk).collect();
            service.folder.write("keys.json", json!({"keys": jwks}).to_string());
            service.valid().key(&keys[0]).without_key_id().build()
        }),
        ("signature_mismatch", usual(), |service| service.valid().wrong_signature().build()),
        ("wrong_type", usual(), |service| service.valid().header("typ", "logout+jwt").build()),
        ("token_expired", usual(), |service| service.valid().expired().build()),
        ("token_not_yet_valid", usual(), |service| service.valid().claim("nbf", NOW + 61).build()),
        ("issued_in_future", usual(), |service| service.valid().claim("iat", NOW + 61).build()),
        ("token_too_old", with("max_age = \"10m\""), |service| {
            service.valid().claim("iat", NOW - 661).build()
        }),
        ("lifetime_too_long", with("max_lifetime = \"10m\""), |service| service.valid().build()),
        ("missing_claim", with("required_claims = [\"tenant\"]"), |service| {
            service.valid().build()
        }),
        ("malformed_claim", usual(), |service| service.valid().claim("exp", "soon").build()),
        ("wrong_audience", usual(), |service| service.valid().audience("web").build()),
        ("wrong_subject", with("subject = [\"bob\"]"), |service| service.valid().build()),
        ("wrong_binding", usual(), |service| {
            service.valid().claim("cnf", json!({"jkt": "x"})).build()
        }),
        ("claim_not_included", usual(), |service| {
            service.valid().claim("_claim_names", json!({"act": "source"})).build()
        }),
        ("keys_unavailable", without_keys(), |service| service.valid().build()),
    ]
}

/// A configuration whose keys nobody serves.
fn without_keys() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    ISSUER.replace("jwks_file = \"keys.json\"", &format!("jwks_uri = \"http://{free}/keys\""))
}

#[test]
fn every_code_of_the_contract_is_told_by_verify_and_by_explain() {
    for (code, config, token) in rows() {
        let service = Service::with(&config);
        let token = token(&service);
        let verified = service.verify(format!("{token}\n"));
        let (status, error) = match code {
            "no_credentials" => (401, "null"),
            "claim_not_included" => (403, "null"),
            "keys_unavailable" => (503, "null"),
            "malformed_request" | "token_too_large" => (400, "\"invalid_request\""),
            _ => (401, "\"invalid_token\""),
        };
        let line = format!(
            "{{\"line\":1,\"result\":\"rejected\",\"status\":{status},\"error\":{error},\"code\":\"{code}\"}}\n"
        );
        assert_eq!((verified.stdout.as_str(), verified.status), (line.as_str(), 1), "{verified:?}");

        let explained = service.judge("explain", &[], &token);
        assert_eq!(explained.status, 1, "{code}: {explained:?}");
        let trace = explained.json();
        assert_eq!((&trace["result"], &trace["code"]), (&json!("rejected"), &json!(code)));
        assert_eq!(trace["status"], status, "{code}");
        let rejected: Vec<_> = trace["stages"].as_array().unwrap().iter().collect();
        let rejected: Vec<_> =
            rejected.iter().filter(|stage| stage["outcome"] == "rejected").collect();
        assert_eq!(rejected.len(), 1, "{code}: {trace}");
        assert_eq!(rejected[0]["stage"], stage_of(code), "{code}: {trace}");
        assert!(rejected[0]["help"].is_string(), "{code}: {trace}");
    }
}

/// The stage that finds it.
fn stage_of(code: &str) -> &'static str {
    match code {
        "no_credentials" => "extract",
        "token_too_large"
        | "malformed_token"
        | "unsupported_critical_header"
        | "algorithm_not_allowed" => "peek",
        "untrusted_issuer" => "select",
        "unknown_key" | "ambiguous_key" | "keys_unavailable" => "lookup",
        // What comes after the signature is found there.
        "signature_mismatch" | "malformed_request" => "verify",
        "wrong_binding" => "check",
        "claim_not_included" => "map",
        _ => "validate",
    }
}

#[test]
fn every_code_has_a_row_or_is_reached_elsewhere() {
    let rows: Vec<_> = rows().iter().map(|(code, ..)| *code).collect();
    for kind in AuthErrorKind::ALL {
        let is_here = rows.contains(&kind.code());
        assert_ne!(is_here, ELSEWHERE.contains(&kind.code()), "{}", kind.code());
    }
}
