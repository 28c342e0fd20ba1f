//! Tokens that are wrong in one way, and those that are just right.

use std::time::Duration;

use conformance::{AUDIENCE, NOW};
use portcullis::{Algorithm, AuthenticatorBuilder, Issuer, issuer::TokenProfile};
use portcullis_testkit::{SigningKey, TokenBuilder};
use serde_json::json;

use super::{World, built, caller, unentitled};
use crate::{
    answer::Answer,
    case::{Case, cases},
    echo::Caller,
    request::Request,
    setup::Configuration,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [accepted(world), identities(world), rejected(world), limits(world), issuers(world)].concat()
}

fn of_token(token: &TokenBuilder) -> Request {
    Request::new().bearer(&token.build())
}

/// Every algorithm, and the edges of time.
fn accepted(world: &World) -> Vec<Case> {
    let configuration = world.configuration("good tokens", built);
    let alice = || Answer::accepted(caller("alice"));
    let of = |algorithm: Algorithm| {
        (format!("{algorithm:?}"), of_token(&world.token().algorithm(algorithm)), alice())
    };
    let asymmetric = Algorithm::ALL.iter().filter(|algorithm| !algorithm.name().starts_with("HS"));
    let mut all = cases(&configuration, asymmetric.map(|&algorithm| of(algorithm)));
    let token = || world.token();
    let edges = [
        ("one key of its algorithm, and no kid", token().without_key_id()),
        ("expired 59 seconds ago", token().claim("exp", NOW - 59)),
        ("not valid for 60 seconds", token().claim("nbf", NOW + 60)),
        ("issued in 60 seconds", token().claim("iat", NOW + 60)),
        ("a list of audiences", token().claim("aud", json!(["other", AUDIENCE]))),
        ("type JWT", token().header("typ", "JWT")),
        ("type at+jwt", token().header("typ", "at+jwt")),
        ("type application/at+jwt", token().header("typ", "application/at+jwt")),
    ];
    all.extend(cases(&configuration, edges.map(|(name, token)| (name, of_token(&token), alice()))));
    all
}

/// Everything that a handler sees of a caller.
fn identities(world: &World) -> Vec<Case> {
    let configuration = world.configuration("callers", built);
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let token = || world.token().subject("bob").without_claim("scope");
    let bob = || unentitled("bob");
    let rows = [
        ("nothing but a subject", token(), bob()),
        (
            "a client",
            token().claim("client_id", "app"),
            Caller { client_id: Some("app".into()), ..bob() },
        ),
        (
            "an authorized party",
            token().claim("azp", "app"),
            Caller { client_id: Some("app".into()), ..bob() },
        ),
        ("two scopes", token().scope("b a"), Caller { scope: owned(&["a", "b"]), ..bob() }),
        (
            "a list of scopes",
            token().claim("scp", ["a", "b"]),
            Caller { scope: owned(&["a", "b"]), ..bob() },
        ),
        ("an empty scope", token().scope(""), bob()),
        (
            "roles",
            token().roles(["x", "two words"]),
            Caller { roles: owned(&["x", "two words"]), ..bob() },
        ),
        ("groups", token().claim("groups", ["g"]), Caller { groups: owned(&["g"]), ..bob() }),
        (
            "a chain of actors",
            token().claim("act", json!({"sub": "service", "act": {"sub": "cron"}})),
            Caller { actors: owned(&["service", "cron"]), ..bob() },
        ),
        ("a subject that is no ASCII", token().subject("Zoë ☃"), unentitled("Zoë ☃")),
        ("a subject with a line end", token().subject("a\r\nb: c"), unentitled("a\r\nb: c")),
        ("a subject with quotes", token().subject("\"a\\\""), unentitled("\"a\\\"")),
    ];
    let of = |(name, token, caller)| (name, of_token(&token), Answer::accepted(caller));
    cases(&configuration, rows.map(of))
}

fn rejected(world: &World) -> Vec<Case> {
    let configuration = world.configuration("bad tokens", built);
    let token = || world.token();
    let (partner, attacker) = (&world.setting.partner, &world.setting.attacker);
    let rows = [
        ("expired 60 seconds ago", token().claim("exp", NOW - 60), "token_expired"),
        ("expired", token().expired(), "token_expired"),
        ("not valid for 61 seconds", token().claim("nbf", NOW + 61), "token_not_yet_valid"),
        ("issued in 61 seconds", token().claim("iat", NOW + 61), "issued_in_future"),
        ("a flipped bit", token().wrong_signature(), "signature_mismatch"),
        ("no signature", token().signature(""), "signature_mismatch"),
        ("the key of an attacker", attacker.token().audience(AUDIENCE), "signature_mismatch"),
        ("an issuer that is not trusted", partner.token().audience(AUDIENCE), "untrusted_issuer"),
        ("no issuer", token().without_claim("iss"), "missing_claim"),
        ("algorithm none", token().header("alg", "none").signature(""), "algorithm_not_allowed"),
        ("an algorithm that is not known", token().header("alg", "XX1"), "algorithm_not_allowed"),
        ("a secret for a public key", token().algorithm(Algorithm::HS256), "algorithm_not_allowed"),
        ("a key that is not known", token().header("kid", "x"), "unknown_key"),
        ("the key of another algorithm", token().header("kid", "rs256"), "algorithm_not_allowed"),
        (
            "a critical extension",
            token().header("crit", ["x"]).header("x", 1),
            "unsupported_critical_header",
        ),
        ("an ID token by its type", token().header("typ", "id+jwt"), "wrong_type"),
        ("another audience", token().audience("billing"), "wrong_audience"),
        ("no audience", token().without_claim("aud"), "missing_claim"),
        ("no expiry", token().without_claim("exp"), "missing_claim"),
        ("no subject", token().without_claim("sub"), "missing_claim"),
        ("a subject that is a number", token().claim("sub", 1), "malformed_claim"),
        ("an empty subject", token().subject(""), "malformed_claim"),
        ("an expiry that is a text", token().claim("exp", "soon"), "malformed_claim"),
        ("a scope that is a number", token().claim("scope", 1), "malformed_claim"),
        ("a token bound to a key", token().claim("cnf", json!({"jkt": "x"})), "wrong_binding"),
        (
            "a token bound to a certificate",
            token().claim("cnf", json!({"x5t#S256": "x"})),
            "wrong_binding",
        ),
        ("a token bound to nothing", token().claim("cnf", json!(null)), "wrong_binding"),
        ("claims that are no object", token().raw_claims("[]"), "malformed_token"),
        (
            "a claim twice",
            token().raw_claims(r#"{"iss":"https://idp.test","sub":"a","sub":"b"}"#),
            "malformed_token",
        ),
        ("a header that is no JSON", token().raw_header("{"), "malformed_token"),
    ];
    let of = |(name, token, code)| (name, of_token(&token), Answer::rejected(code));
    cases(&configuration, rows.map(of))
}

fn with_issuer(
    world: &World,
    name: &str,
    change: impl Fn(Issuer) -> Issuer + Send + Sync + 'static,
) -> Configuration {
    let trusted = world.setting.issuer.clone();
    Configuration::new(name, move || built(conformance::trusting(change(trusted.trusted()))))
}

/// Limits that a service has to set.
fn limits(world: &World) -> Vec<Case> {
    let minute = Duration::from_secs(60);
    let small = |builder: AuthenticatorBuilder| built(builder.max_token_len(1024));
    let padded = |len: usize| world.token().claim("pad", "x".repeat(len));
    let alice = || Answer::accepted(caller("alice"));
    let rejected = Answer::rejected;
    let profile = || {
        let token = world.token().header("typ", "at+jwt").claim("client_id", "app");
        token.claim("jti", "1")
    };
    let client = Caller { client_id: Some("app".to_owned()), ..caller("alice") };
    let table = [
        (
            world.configuration("at most 1024 bytes", small),
            vec![
                ("a small token", padded(1), alice()),
                ("a large token", padded(2000), rejected("token_too_large")),
            ],
        ),
        (
            with_issuer(world, "at most a minute old", move |issuer| issuer.max_age(minute)),
            vec![
                ("a fresh token", world.token(), alice()),
                ("an old token", world.token().claim("iat", NOW - 121), rejected("token_too_old")),
                ("no date of issue", world.token().without_claim("iat"), rejected("missing_claim")),
            ],
        ),
        (
            with_issuer(world, "at most a minute of life", move |issuer| {
                issuer.max_lifetime(minute)
            }),
            vec![
                ("a short life", world.token().expires_in(minute), alice()),
                ("a long life", world.token(), rejected("lifetime_too_long")),
            ],
        ),
        (
            with_issuer(world, "alice alone", |issuer| issuer.subjects(["alice"])),
            vec![
                ("alice", world.token(), alice()),
                ("bob", world.token().subject("bob"), rejected("wrong_subject")),
            ],
        ),
        (
            with_issuer(world, "a tenant is required", |issuer| issuer.required_claims(["tenant"])),
            vec![
                ("a tenant", world.token().claim("tenant", "acme"), alice()),
                ("no tenant", world.token(), rejected("missing_claim")),
                (
                    "a tenant of null",
                    world.token().claim("tenant", json!(null)),
                    rejected("missing_claim"),
                ),
            ],
        ),
        (
            with_issuer(world, "RFC 9068", |issuer| issuer.profile(TokenProfile::AtJwt)),
            vec![
                ("an access token", profile(), Answer::accepted(client)),
                ("no type", world.token(), rejected("wrong_type")),
                ("no jti", profile().without_claim("jti"), rejected("missing_claim")),
            ],
        ),
    ];
    let of = |(name, token, answer): (_, TokenBuilder, _)| (name, of_token(&token), answer);
    table.into_iter().flat_map(|(at, rows)| cases(&at, rows.into_iter().map(of))).collect()
}

/// Two issuers, and one with two keys of one algorithm.
fn issuers(world: &World) -> Vec<Case> {
    let partner = world.setting.partner.clone();
    let both =
        world.configuration("two issuers", move |builder| built(builder.issuer(partner.trusted())));
    let partner = || world.setting.partner.token().audience(AUDIENCE).scope("orders:read");
    let of_partner = Caller { issuer: "https://partner.test".to_owned(), ..caller("alice") };
    let second = SigningKey::generate(Algorithm::ES256, "second");
    let public = second.verification_key().unwrap();
    let two_keys =
        with_issuer(world, "two keys of one algorithm", move |issuer| issuer.key(public.clone()));
    let alice = || Answer::accepted(caller("alice"));
    let mut all = cases(
        &both,
        [
            ("the first", of_token(&world.token()), alice()),
            ("the second", of_token(&partner()), Answer::accepted(of_partner)),
            (
                "the key of the other",
                of_token(&partner().claim("iss", "https://idp.test")),
                Answer::rejected("signature_mismatch"),
            ),
        ],
    );
    all.extend(cases(
        &two_keys,
        [
            ("the second", of_token(&world.token().key(&second)), alice()),
            (
                "no kid",
                of_token(&world.token().without_key_id()),
                Answer::rejected("ambiguous_key"),
            ),
        ],
    ));
    all
}
