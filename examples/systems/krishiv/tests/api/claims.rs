//! §2.4: what a token must say.

use serde_json::{Value, json};

use crate::server::{ACCEPTED, AUDIENCE, REJECTED, World};

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}

#[test]
fn s2_4_exp_is_required_and_has_a_leeway_of_a_minute() {
    let world = World::start();
    for (exp, expected) in [
        (json!(now() + 3600), ACCEPTED),
        (json!(now() - 40), ACCEPTED),
        (json!(now() - 40).as_f64().unwrap().into(), ACCEPTED),
        (json!(now() - 80), REJECTED),
        (json!(0), REJECTED),
        (json!(-1), REJECTED),
        (json!(null), REJECTED),
        (json!((now() + 3600).to_string()), REJECTED),
    ] {
        let token = world.token().claim("exp", &exp).build();
        assert_eq!(world.verdict(&token), expected, "{exp}");
    }
    assert_eq!(world.verdict(&world.token().without_claim("exp").build()), REJECTED);
}

#[test]
fn s2_10_nbf_is_honoured_with_the_same_leeway() {
    let world = World::start();
    for (nbf, expected) in [(now() - 10, ACCEPTED), (now() + 40, ACCEPTED), (now() + 90, REJECTED)]
    {
        assert_eq!(world.verdict(&world.token().claim("nbf", nbf).build()), expected, "{nbf}");
    }
}

#[test]
fn s2_4_sub_is_a_text_that_is_required() {
    let world = World::start();
    assert_eq!(world.verdict(&world.token().without_claim("sub").build()), REJECTED);
    for sub in [json!(1), json!(null), json!(["alice"])] {
        assert_eq!(world.verdict(&world.token().claim("sub", &sub).build()), REJECTED, "{sub}");
    }
}

#[test]
fn s2_4_iss_and_jti_are_not_looked_at() {
    let world = World::start();
    let strange = world.token().claim("iss", "https://strange.test").claim("jti", "x");
    assert_eq!(world.verdict(&strange.build()), ACCEPTED);
    assert_eq!(world.verdict(&world.token().without_claim("iss").build()), ACCEPTED);
    // These names belong to the example's static tokens, so that no token may claim them.
    for iss in ["coordinator", "ui"] {
        assert_eq!(world.verdict(&world.token().claim("iss", iss).build()), REJECTED, "{iss}");
    }
}

#[test]
fn s2_4_the_audience_is_in_the_token_and_a_token_without_one_is_rejected() {
    let world = World::start();
    let token = |aud: &Value| world.issuer.token().claim("aud", aud).build();
    for (aud, expected) in [
        (json!(AUDIENCE), ACCEPTED),
        (json!(["other", AUDIENCE]), ACCEPTED),
        (json!("other"), REJECTED),
        (json!(format!("{AUDIENCE} ")), REJECTED),
        (json!("Krishiv"), REJECTED),
        (json!([]), REJECTED),
        (json!(""), REJECTED),
        (json!(7), REJECTED),
    ] {
        assert_eq!(world.verdict(&token(&aud)), expected, "{aud}");
    }
    // Krishiv's source lets this one in.
    assert_eq!(world.verdict(&world.issuer.token().build()), REJECTED);
}

#[test]
fn s2_1_the_audience_is_taken_as_it_is() {
    let world = World::with(&[("KRISHIV_OIDC_AUDIENCE", " a,b ")]);
    let verdict = |aud: &str| world.verdict(&world.issuer.token().audience(aud).build());
    assert_eq!(verdict(" a,b "), ACCEPTED);
    for aud in ["a", "b", "a,b"] {
        assert_eq!(verdict(aud), REJECTED, "{aud}");
    }
}

#[test]
fn s2_4_without_a_configured_audience_it_is_not_looked_at() {
    let server = portcullis_testkit::KeyServer::start();
    let issuer = server.issuer();
    let uri = server.url("/jwks.json");
    let krishiv = crate::server::Krishiv::start(&[(crate::server::URI, &uri)]);
    krishiv.wait_until_ready();
    for token in [issuer.token(), issuer.token().audience("anyone")] {
        assert_eq!(krishiv.get("/api/jobs", &token.build()).status, 200);
    }
}
