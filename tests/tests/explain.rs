//! The trace of a token says what the engine does, in words that help.

#![expect(
    clippy::expect_used,
    clippy::string_slice,
    reason = "a test that cannot go on stops there"
)]

use std::time::Duration;

use conformance::{NOW, Outcome, Setting, hostile};
use portcullis::{
    Algorithm, Authenticator, Issuer, JwkSet, StaticTokens, explain, strategy::Identity,
};
use portcullis_testkit::{SigningKey, TestIssuer, TokenBuilder};
use serde_json::json;

/// The stage that rejected, its last line, and the help.
fn rejection(auth: &Authenticator, token: &str) -> (&'static str, String, String) {
    let explanation = auth.explain_token(token);
    let step = explanation.rejected().expect("a rejection");
    let last = step.facts().last().expect("a reason").clone();
    (step.stage(), last, step.help().expect("a help").to_owned())
}

fn assert_tells_of(auth: &Authenticator, token: &str, stage: &str, fact: &str, help: &str) {
    let told = rejection(auth, token);
    assert_eq!(told.0, stage, "{told:?}");
    assert!(told.1.contains(fact), "{told:?}");
    assert!(told.2.contains(help), "{told:?}");
}

#[test]
fn the_story_of_every_hostile_token_ends_as_its_judgement_does() {
    let setting = Setting::new();
    let mut explained = 0;
    for row in hostile::rejected(&setting).into_iter().chain(hostile::accepted(&setting)) {
        let Some(explanation) = row.explain() else { continue };
        explained += 1;
        let told = explanation.verdict().map_or_else(
            |error| error.kind().code().to_owned(),
            |caller| Outcome::Accepted(Box::new(caller.clone())).to_string(),
        );
        assert_eq!(told, row.judge().to_string(), "{}", row.name());
        let rejected = explanation.steps().iter();
        let rejected = rejected.filter(|step| step.outcome() == explain::Outcome::Rejected);
        let expected = usize::from(explanation.verdict().is_err());
        assert_eq!(rejected.count(), expected, "{}: {:#?}", row.name(), explanation.steps());
        assert_eq!(explanation.steps().len(), 10, "{}", row.name());
        for step in explanation.steps() {
            let is_rejection = step.outcome() == explain::Outcome::Rejected;
            assert_eq!(step.help().is_some(), is_rejection, "{}", row.name());
            assert!(step.facts().iter().all(|fact| !fact.is_empty()), "{}", row.name());
            let printable = |text: &String| !text.chars().any(char::is_control);
            assert!(step.facts().iter().all(printable), "{}: {step:?}", row.name());
        }
    }
    assert!(explained > 100, "{explained}");
}

#[test]
fn a_key_that_the_limit_leaves_out_is_explained_as_that() {
    let issuer = TestIssuer::new("https://idp.test");
    let key = |index| SigningKey::generate(Algorithm::ES256, format!("k{index}"));
    let keys: Vec<_> = (0..6).map(key).collect();
    let jwks: Vec<_> = keys.iter().filter_map(|key| key.public_jwk()).collect();
    let set = JwkSet::from_json(&json!({"keys": jwks}).to_string()).expect("valid");
    let trusted = Issuer::new(issuer.name()).jwk_set(&set).try_all_keys();
    let auth = Authenticator::builder().issuer(trusted).audience("a").build().expect("valid");
    let token = |key: &SigningKey| issuer.token().audience("a").key(key).without_key_id().build();
    assert_tells_of(
        &auth,
        &token(&keys[5]),
        "verify",
        "4 keys that were tried; 2 more fit",
        "4 keys",
    );
    let explanation = auth.explain_token(&token(&keys[1]));
    let facts: Vec<_> = explanation.steps().iter().flat_map(|step| step.facts()).collect();
    let fact = "6 keys fit key id and algorithm; no more than 4 are tried";
    assert!(facts.iter().any(|told| *told == fact), "{facts:?}");
}

#[test]
fn a_key_that_was_skipped_is_explained_as_that() {
    let issuer = TestIssuer::new("https://idp.test");
    let good = issuer.key(Algorithm::ES256).public_jwk().expect("a public key");
    let mut skipped = good.clone();
    (skipped["kid"], skipped["x"]) = (json!("skipped"), json!("AAAA"));
    let set = json!({"keys": [good, skipped]}).to_string();
    let trusted = Issuer::new(issuer.name()).jwk_set(&JwkSet::from_json(&set).expect("valid"));
    let auth = Authenticator::builder().issuer(trusted).audience("a").build().expect("valid");
    let token = issuer.token().audience("a").header("kid", "skipped").build();
    let width = "cannot be used: key 1 (kid \"skipped\"): its coordinates do not have the width of its curve";
    assert_tells_of(&auth, &token, "lookup", width, "publish that key");
}

#[test]
fn texts_that_are_no_jwt_are_told_by_their_shape_and_never_shown() {
    let setting = Setting::new();
    let auth = &setting.plain;
    let good = setting.valid().build();
    let cases = [
        (format!("Bearer {good}"), "begins with `Bearer `", "leave the word"),
        (format!("\"{good}\""), "a quote", "out of the quotes"),
        (format!("{}\n{}", &good[..50], &good[50..]), "a line break inside", "remove it"),
        ("hunter2".to_owned(), "1 part with dots", "[[static_token]]"),
        ("a.b.c.d.e".to_owned(), "five parts", "signed tokens"),
        ("a.b".to_owned(), "2 parts", "exactly as its issuer gave it out"),
        (format!("{good}=="), "plain base64", "base64url without padding"),
        ("x".repeat(20_000), "20000 bytes; at most 16384", "put less into"),
    ];
    for (token, fact, help) in cases {
        // What comes after the signature is found when the key is there.
        let stage = if token.ends_with("==") { "verify" } else { "peek" };
        assert_tells_of(auth, &token, stage, fact, help);
        let told = format!("{:?}", auth.explain_token(&token));
        assert!(!told.contains("hunter2") && !told.contains(&good[20..50]), "{told}");
    }
    assert_tells_of(auth, "", "extract", "the text is empty", "send one");
}

#[test]
fn headers_that_are_rejected_are_named() {
    let setting = Setting::new();
    let valid = || setting.valid();
    let none = valid().header("alg", "none");
    assert_tells_of(
        &setting.plain,
        &none.build(),
        "peek",
        "algorithm is `none`",
        "never accept this",
    );
    let hs = valid().header("alg", "HS256");
    assert_tells_of(
        &setting.plain,
        &hs.build(),
        "peek",
        "algorithm is `HS256`",
        "[[issuer]].algorithms",
    );
    let critical = valid().header("crit", ["exp"]);
    assert_tells_of(
        &setting.plain,
        &critical.build(),
        "peek",
        r#"(`crit`): `["exp"]`"#,
        "leave `crit` out",
    );
}

#[test]
fn issuers_and_keys_that_do_not_fit_are_named() {
    let setting = Setting::new();
    let stranger = setting.valid().claim("iss", "https://other.test");
    let fact = "issuer is `https://other.test`; this service trusts `https://idp.test`";
    assert_tells_of(&setting.plain, &stranger.build(), "select", fact, "asks the right issuer");
    let slash = setting.valid().claim("iss", "https://idp.test/");
    assert_tells_of(
        &setting.plain,
        &slash.build(),
        "select",
        "`https://idp.test/`",
        r#"write issuer = "https://idp.test/""#,
    );
    let nobody = setting.valid().without_claim("iss");
    assert_tells_of(
        &setting.plain,
        &nobody.build(),
        "select",
        "no issuer (`iss`) is named",
        "dangerous_any_issuer",
    );
    let unknown = setting.valid().header("kid", "2019");
    assert_tells_of(
        &setting.plain,
        &unknown.build(),
        "lookup",
        "key id is `2019`; the issuer's keys are `rs256`",
        "jwks check",
    );
}

#[test]
fn signatures_that_are_wrong_are_told() {
    let setting = Setting::new();
    let token = setting.valid().wrong_signature();
    assert_tells_of(
        &setting.plain,
        &token.build(),
        "verify",
        "not that of the issuer's key",
        "changed or cut on its way",
    );
}

#[test]
fn claims_are_compared_in_words() {
    let setting = Setting::new();
    let plain = |token: TokenBuilder, fact: &str, help: &str| {
        assert_tells_of(&setting.plain, &token.build(), "validate", fact, help);
    };
    let valid = || setting.valid();
    let expired =
        "expired (`exp`) at 2027-01-15T07:00:00Z, 1 hour ago; clocks may differ by 1 minute";
    plain(valid().expired(), expired, "fetch a new token");
    plain(
        valid().claim("nbf", NOW + 120),
        "good from (`nbf`) 2027-01-15T08:02:00Z, in 2 minutes",
        "clocks",
    );
    plain(valid().claim("iat", NOW + 120), "issued (`iat`) at 2027-01-15T08:02:00Z", "clocks");
    let audience = "audience is `web`; this service expects `orders`";
    let help = "ask the client to request that audience, or add it under [[issuer]].audience";
    plain(valid().audience("web"), audience, help);
    plain(valid().claim("aud", ["web", "app"]), "audience is `web`, `app`; this", help);
    plain(valid().without_claim("aud"), "no `aud`", "request an audience");
    plain(valid().without_claim("exp"), "no `exp`", "works for ever");
    plain(valid().claim("exp", "soon"), "`exp` is not a NumericDate", "fault of whoever made");
    plain(
        valid().header("typ", "logout+jwt"),
        "type (`typ`) is `logout+jwt`; this service expects no type or `JWT` or `at+jwt`",
        "[[issuer]].type",
    );

    let told = |issuer, fact: &str, help: &str| {
        let token = valid().claim("iat", NOW - 7200).build();
        assert_tells_of(&setting.engine(issuer), &token, "validate", fact, help);
    };
    let trusted = || setting.issuer.trusted();
    told(
        trusted().max_age(Duration::from_secs(3600)),
        "token is 2 hours old; `max_age` is 1 hour",
        "max_age",
    );
    told(trusted().max_lifetime(Duration::from_secs(3600)), "lives 3 hours", "max_lifetime");
    told(
        trusted().subjects(["bob"]),
        "subject is `alice`; this issuer may speak for `bob`",
        "[[issuer]].subject",
    );
    told(
        trusted().required_claims(["/realm/x"]),
        "required claim `/realm/x` is missing",
        "required_claims",
    );
}

#[test]
fn tokens_that_are_bound_and_claims_that_name_nobody_are_told() {
    let setting = Setting::new();
    let valid = || setting.valid();
    let bound = valid().claim("cnf", json!({"jkt": "x"}));
    assert_tells_of(
        &setting.plain,
        &bound.build(),
        "check",
        "bound to a key of its client",
        "plain bearer token",
    );
    let actor = valid().claim("act", "bob");
    assert_tells_of(
        &setting.plain,
        &actor.build(),
        "map",
        "`act` is not an actor",
        "fault of whoever made",
    );
}

#[test]
fn strategies_have_their_part_in_the_story() {
    let setting = Setting::new();
    let tokens =
        StaticTokens::builder("service").token("s3cr3t-token-of-etl", Identity::new("etl"));
    let tokens = tokens.build().expect("tokens");
    let only = Authenticator::builder().strategy(tokens.clone()).build().expect("an engine");
    assert_tells_of(&only, "other", "select", "`service` does not know it", "copied as a whole");
    let both = conformance::trusting(setting.issuer.trusted()).strategy(tokens);
    let both = both.build().expect("an engine");
    let explanation = both.explain_token("s3cr3t-token-of-etl");
    assert!(explanation.rejected().is_none() && explanation.verdict().is_ok());
    let told = format!("{explanation:?}");
    assert!(told.contains("`service` knows the token") && !told.contains("s3cr3t"), "{told}");
    assert_tells_of(&both, "other", "peek", "1 part", "[[static_token]]");
    assert!(both.explain_token(&setting.valid().build()).verdict().is_ok());
}

#[test]
fn several_keys_without_a_kid_are_told() {
    let setting = Setting::new();
    let keys: Vec<_> =
        (0..2).map(|i| SigningKey::generate(Algorithm::ES256, format!("k{i}"))).collect();
    let auth =
        setting.engine_with_keys(keys.iter().map(|key| key.verification_key().expect("a key")));
    let token = setting.valid().key(&keys[0]).without_key_id().build();
    assert_tells_of(
        &auth,
        &token,
        "lookup",
        "no key id (`kid`), and more than one of the issuer's 2 keys",
        "write the key's `kid`",
    );
}
