//! Keys that a token names by the certificate of its key: `x5t` and `x5t#S256` (RFC 7515 §4.1.7, §4.1.8).

use conformance::AUDIENCE;
use portcullis::{Algorithm, Authenticator, Issuer, JwkSet};
use portcullis_testkit::{SigningKey, TestIssuer, TokenBuilder};
use serde_json::{Value, json};

use super::support::{clock, engine, issuer, verdict};

/// An issuer with keys `k0`, `k1`, … that have the thumbprints `t0`, `t1`, …
struct World {
    issuer: TestIssuer,
    keys: Vec<SigningKey>,
}

impl World {
    fn new(count: usize) -> Self {
        let key = |index| SigningKey::generate(Algorithm::ES256, format!("k{index}"));
        Self { issuer: issuer(&clock()), keys: (0..count).map(key).collect() }
    }

    /// An engine whose keys have one more member each, and what else is set.
    fn engine(
        &self,
        member: impl Fn(usize, &mut Value),
        set: impl FnOnce(Issuer) -> Issuer,
    ) -> Authenticator {
        let jwks = self.keys.iter().enumerate().map(|(index, key)| {
            let mut jwk = key.public_jwk().unwrap();
            member(index, &mut jwk);
            jwk
        });
        let json = json!({"keys": jwks.collect::<Vec<_>>()}).to_string();
        let trusted = Issuer::new(self.issuer.name()).jwk_set(&JwkSet::from_json(&json).unwrap());
        engine(&clock(), [set(trusted)])
    }

    /// A token of a key, without a key id.
    fn token(&self, key: usize) -> TokenBuilder {
        self.issuer.token().audience(AUDIENCE).key(&self.keys[key]).without_key_id()
    }
}

fn x5t(index: usize, jwk: &mut Value) {
    jwk["x5t"] = json!(format!("t{index}"));
}

#[test]
fn rule_20_a_certificate_chooses_among_more_keys_than_are_tried() {
    let world = World::new(6);
    for name in ["x5t", "x5t#S256"] {
        let member = |index: usize, jwk: &mut Value| jwk[name] = json!(format!("t{index}"));
        for auth in
            [world.engine(member, Issuer::try_all_keys), world.engine(member, |issuer| issuer)]
        {
            for index in 0..6 {
                let token = world.token(index).header(name, format!("t{index}")).build();
                assert_eq!(verdict(&auth, &token), "accepted", "{name} {index}");
            }
        }
    }
}

#[test]
fn rule_20_a_key_that_the_limit_leaves_out_is_ambiguous_and_no_forgery() {
    let world = World::new(6);
    let auth = world.engine(x5t, Issuer::try_all_keys);
    let stranger = SigningKey::generate(Algorithm::ES256, "stranger");
    for (token, expected) in [
        (world.token(3), "accepted"),
        (world.token(4), "ambiguous_key"),
        (world.token(5).header("x5t", "unknown"), "ambiguous_key"),
        (world.token(5).header("x5t", json!(7)), "ambiguous_key"),
        // A wrong thumbprint affects only the token that has it.
        (world.token(5).header("x5t", "t0"), "ambiguous_key"),
        (world.token(0).key(&stranger).without_key_id().header("x5t", "t0"), "ambiguous_key"),
    ] {
        assert_eq!(verdict(&auth, &token.build()), expected);
    }
    // Where all that fit were tried, the signature is wrong.
    let world = World::new(4);
    let auth = world.engine(x5t, Issuer::try_all_keys);
    for (token, expected) in [
        (world.token(0).header("x5t", "t3"), "accepted"),
        (world.token(0).key(&stranger).without_key_id(), "signature_mismatch"),
        (world.token(0).key(&stranger).without_key_id().header("x5t", "t0"), "signature_mismatch"),
    ] {
        assert_eq!(verdict(&auth, &token.build()), expected);
    }
}

#[test]
fn rule_20_a_certificate_must_name_one_key_unless_all_are_tried() {
    let world = World::new(2);
    let auth = world.engine(x5t, |issuer| issuer);
    for (token, expected) in [
        (world.token(1).header("x5t", "t1"), "accepted"),
        (world.token(1).header("x5t", "t0"), "signature_mismatch"),
        (world.token(1).header("x5t", "T1"), "ambiguous_key"),
        (world.token(1).header("x5t", ""), "ambiguous_key"),
        (world.token(1).header("x5t#S256", "t1"), "ambiguous_key"),
        // Both name a key, and it is not the same one.
        (world.token(1), "ambiguous_key"),
    ] {
        assert_eq!(verdict(&auth, &token.build()), expected);
    }
    let same = |_: usize, jwk: &mut Value| jwk["x5t"] = json!("same");
    let auth = world.engine(same, |issuer| issuer);
    assert_eq!(verdict(&auth, &world.token(1).header("x5t", "same").build()), "ambiguous_key");
    let auth = world.engine(same, Issuer::try_all_keys);
    assert_eq!(verdict(&auth, &world.token(1).header("x5t", "same").build()), "accepted");
    // Two thumbprints that disagree name no key.
    let both = |index: usize, jwk: &mut Value| {
        jwk["x5t"] = json!(format!("t{index}"));
        jwk["x5t#S256"] = json!(format!("s{index}"));
    };
    let auth = world.engine(both, |issuer| issuer);
    let token = |x5t: &str| world.token(1).header("x5t", x5t).header("x5t#S256", "s1").build();
    assert_eq!(verdict(&auth, &token("t1")), "accepted");
    assert_eq!(verdict(&auth, &token("t0")), "ambiguous_key");
}

#[test]
fn rule_20_a_certificate_never_stands_in_for_a_key_id() {
    let world = World::new(2);
    let auth = world.engine(x5t, |issuer| issuer);
    let token = world.token(1).header("x5t", "t1").header("kid", "elsewhere").build();
    assert_eq!(verdict(&auth, &token), "unknown_key");
    let token = world.token(1).header("x5t", "t1").header("kid", "k0").build();
    assert_eq!(verdict(&auth, &token), "signature_mismatch");
    let auth = world.engine(x5t, Issuer::match_key_ids);
    assert_eq!(verdict(&auth, &world.token(1).header("x5t", "t1").build()), "ambiguous_key");
}

#[test]
fn rule_20_a_certificate_chooses_among_keys_of_one_id() {
    let world = World::new(6);
    let auth = world.engine(
        |index, jwk| {
            x5t(index, jwk);
            jwk["kid"] = json!("same");
        },
        |issuer| issuer,
    );
    for (token, expected) in [
        (world.token(5).header("kid", "same").header("x5t", "t5"), "accepted"),
        (world.token(5).header("kid", "same"), "ambiguous_key"),
        (world.token(5).header("kid", "other").header("x5t", "t5"), "unknown_key"),
    ] {
        assert_eq!(verdict(&auth, &token.build()), expected);
    }
}

#[test]
fn rule_20_a_certificate_names_keys_of_the_issuer_and_of_the_algorithm_alone() {
    let world = World::new(2);
    let auth = world.engine(x5t, |issuer| issuer);
    // The keys of others are no concern of this issuer's tokens.
    let token = TestIssuer::new("https://other.test").token().key(&world.keys[1]);
    let token = token.audience(AUDIENCE).without_key_id().header("x5t", "t1").build();
    assert_eq!(verdict(&auth, &token), "untrusted_issuer");

    let rsa = world.issuer.key(Algorithm::RS256).clone();
    let mut jwks = vec![rsa.public_jwk().unwrap()];
    jwks.extend(world.keys.iter().map(|key| key.public_jwk().unwrap()));
    jwks.iter_mut().for_each(|jwk| jwk["x5t"] = json!("same"));
    let json = json!({"keys": jwks}).to_string();
    let trusted = Issuer::new(world.issuer.name()).jwk_set(&JwkSet::from_json(&json).unwrap());
    let auth = engine(&clock(), [trusted]);
    let token = world.issuer.token().audience(AUDIENCE).algorithm(Algorithm::RS256);
    let token = token.without_key_id().header("x5t", "same").build();
    assert_eq!(verdict(&auth, &token), "accepted");
}
