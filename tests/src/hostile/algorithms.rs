//! Confusion of algorithm and key.

use portcullis::{Algorithm, Authenticator, Issuer, JwkSet};
use portcullis_testkit::SigningKey;
use serde_json::json;

use crate::{Row, Setting, public_key, trusting};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    [
        unsecured(setting),
        unknown_algorithms(setting),
        public_keys_as_secrets(setting),
        keys_of_other_algorithms(setting),
        keys_without_algorithm(setting),
        empty_secrets(setting),
    ]
    .concat()
}

fn unsecured(setting: &Setting) -> Vec<Row> {
    let plain = &setting.plain;
    let mut rows = Vec::new();
    for name in ["none", "None", "NONE", "nOnE", "none ", " none", "none\0", "none\n", ""] {
        let token = setting.valid().header("alg", name);
        let unsigned = token.clone().signature([]);
        let (stands_for, code) = ("§1 CVE-2026-28802", "algorithm_not_allowed");
        let phrase = format!("`alg` is {name:?} and the signature is empty");
        rows.push(Row::rejected(plain, phrase, stands_for, unsigned.clone(), code));
        let phrase = format!("`alg` is {name:?}, without `kid`, and the signature is empty");
        rows.push(Row::rejected(plain, phrase, stands_for, unsigned.without_key_id(), code));
        let phrase = format!("`alg` is {name:?} and the signature is the issuer's");
        rows.push(Row::rejected(plain, phrase, "§1 CVE-2018-1000531", token, code));
    }
    let unsigned = |algorithm| setting.valid().algorithm(algorithm).signature([]);
    for algorithm in [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA] {
        let phrase = format!("a token of {algorithm} has an empty signature");
        let token = unsigned(algorithm);
        rows.push(Row::rejected(plain, phrase, "§9 empty signature", token, "signature_mismatch"));
    }
    let secret = setting.valid().key(&setting.secret).signature([]);
    rows.push(Row::rejected(
        &setting.mixed,
        "a token of HS256 has an empty signature",
        "§9 empty signature",
        secret,
        "signature_mismatch",
    ));
    let unsecured = unsigned(Algorithm::ES256).header("alg", "none").build();
    rows.push(Row::rejected(
        plain,
        "an unsecured token lacks its last dot as well",
        "§1 CVE-2021-22160",
        unsecured.trim_end_matches('.').to_owned(),
        "malformed_token",
    ));
    rows
}

fn unknown_algorithms(setting: &Setting) -> Vec<Row> {
    let names = [
        "HS1",
        "RS1",
        "XX256",
        "ES256K",
        "Ed448",
        "RSA1_5",
        "RSA-OAEP",
        "dir",
        "A128KW",
        "ECDH-ES",
        "PBES2-HS256+A128KW",
        "SHA256withECDSA",
        "ES256, HS256",
    ];
    let row = |name: &str| {
        let phrase = format!("`alg` is {name:?}, which nobody implements here");
        let token = setting.valid().header("alg", name);
        Row::rejected(&setting.plain, phrase, "§1 CVE-2026-23993", token, "algorithm_not_allowed")
    };
    names.into_iter().map(row).collect()
}

fn public_keys_as_secrets(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for (algorithm, stands_for) in [
        (Algorithm::RS256, "§1 CVE-2015-9235, CVE-2016-10555, CVE-2022-29217, CVE-2026-34950"),
        (Algorithm::ES256, "§1 CVE-2024-33663, CVE-2024-37568, CVE-2026-48526"),
    ] {
        let key = setting.issuer.key(algorithm);
        for (form, secret) in public_key::forms_of(key) {
            let forged = SigningKey::from_secret(Algorithm::HS256, key.key_id(), &secret);
            let token = setting.valid().key(&forged);
            let mut row = |engine: &Authenticator, service: &str, token, code| {
                let phrase =
                    format!("HS256 with the key of {algorithm} as secret: {form}{service}");
                rows.push(Row::rejected(engine, phrase, stands_for, token, code));
            };
            let rejected = "algorithm_not_allowed";
            row(&setting.plain, "", token.clone(), rejected);
            row(&setting.mixed, ", where a secret is trusted too", token.clone(), rejected);
            row(
                &setting.mixed,
                ", where a secret is trusted too, without `kid`",
                token.clone().without_key_id(),
                "signature_mismatch",
            );
            row(
                &setting.mixed,
                ", where a secret is trusted too, with the secret's `kid`",
                token.header("kid", setting.secret.key_id()),
                "signature_mismatch",
            );
        }
    }
    rows
}

fn keys_of_other_algorithms(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for (named, key) in [
        (Algorithm::RS256, Algorithm::ES256),
        (Algorithm::ES256, Algorithm::RS256),
        (Algorithm::EdDSA, Algorithm::ES256),
        (Algorithm::ES384, Algorithm::ES256),
        (Algorithm::ES256, Algorithm::EdDSA),
        // One modulus, two algorithms: the key of one says which.
        (Algorithm::PS256, Algorithm::RS256),
        (Algorithm::RS256, Algorithm::PS256),
        (Algorithm::RS384, Algorithm::RS256),
        (Algorithm::RS256, Algorithm::RS512),
    ] {
        let key_id = setting.issuer.key(key).key_id();
        let token = setting.valid().algorithm(named).header("kid", key_id);
        let phrase = format!("a token of {named} names the key of {key}");
        let stands_for = "§1 CVE-2021-46743, §7 one algorithm for a key";
        rows.push(Row::rejected(
            &setting.plain,
            phrase,
            stands_for,
            token,
            "algorithm_not_allowed",
        ));
        let token = setting.valid().algorithm(named).header("alg", key.name());
        let token = token.header("kid", key_id);
        let phrase = format!("a token that {named} signed names {key} and its key");
        let stands_for = "§1 CVE-2022-23541, CVE-2026-33322";
        rows.push(Row::rejected(&setting.plain, phrase, stands_for, token, "signature_mismatch"));
    }
    let only_es256 = setting.engine(setting.issuer.trusted().algorithms([Algorithm::ES256]));
    for algorithm in [Algorithm::RS256, Algorithm::ES384, Algorithm::EdDSA] {
        rows.push(Row::rejected(
            &only_es256,
            format!("the issuer has a key of {algorithm} and does not allow it"),
            "§7 allow-list of each issuer",
            setting.valid().algorithm(algorithm),
            "algorithm_not_allowed",
        ));
    }
    let both = trusting(setting.issuer.trusted().algorithms([Algorithm::ES256]))
        .issuer(setting.partner.trusted().algorithms([Algorithm::EdDSA]))
        .build()
        .expect("a usable configuration");
    rows.push(Row::rejected(
        &both,
        "another issuer allows the algorithm, this one does not",
        "§1 CVE-2021-46743",
        setting.valid().algorithm(Algorithm::EdDSA),
        "algorithm_not_allowed",
    ));
    rows
}

/// Keys whose JWK says nothing of an algorithm: the type of the key still does.
fn keys_without_algorithm(setting: &Setting) -> Vec<Row> {
    let bare = |algorithm| {
        let mut jwk = setting.issuer.key(algorithm).public_jwk().expect("a public key");
        jwk.as_object_mut().expect("an object").remove("alg");
        let set = JwkSet::from_json(&json!({"keys": [jwk]}).to_string()).expect("a usable key");
        Issuer::new(setting.issuer.name()).jwk_set(&set)
    };
    let rsa = setting.engine(bare(Algorithm::RS256));
    let rs256 = setting.engine(bare(Algorithm::RS256).algorithms([Algorithm::RS256]));
    let ec = setting.engine(bare(Algorithm::ES256));
    let key_id = setting.issuer.key(Algorithm::RS256).key_id();
    let hmac = |secret: &[u8]| {
        setting.valid().key(&SigningKey::from_secret(Algorithm::HS256, key_id, secret))
    };
    let (_, pem) = public_key::forms_of(setting.issuer.key(Algorithm::RS256)).swap_remove(0);
    let named = |algorithm, key| {
        setting.valid().algorithm(algorithm).header("kid", setting.issuer.key(key).key_id())
    };
    let row = |engine, name, stands_for, token| {
        Row::rejected(engine, name, stands_for, token, "algorithm_not_allowed")
    };
    vec![
        row(
            &rsa,
            "HS256 with an empty secret, and the RSA JWK has no `alg`",
            "§1 CVE-2026-44699",
            hmac(&[]),
        ),
        row(
            &rsa,
            "HS256 with the PEM text as secret, and the RSA JWK has no `alg`",
            "§1 CVE-2026-22817, CVE-2026-22818",
            hmac(&pem),
        ),
        row(
            &rsa,
            "a token of ES256 names an RSA JWK that has no `alg`",
            "§1 CVE-2025-65945",
            named(Algorithm::ES256, Algorithm::RS256),
        ),
        row(
            &rs256,
            "a token of PS256 names an RSA JWK that has no `alg`, where RS256 alone is allowed",
            "§1 CVE-2022-23541",
            named(Algorithm::PS256, Algorithm::RS256),
        ),
        row(
            &ec,
            "a token of ES384 names a P-256 JWK that has no `alg`",
            "§1 CVE-2022-23541",
            named(Algorithm::ES384, Algorithm::ES256),
        ),
    ]
}

/// A lookup that fails must not leave an empty secret to verify with.
fn empty_secrets(setting: &Setting) -> Vec<Row> {
    let forged =
        |key_id: &str| setting.valid().key(&SigningKey::from_secret(Algorithm::HS256, key_id, &[]));
    let secret = setting.secret.verification_key().expect("a long secret");
    let only_secret = setting.engine_with_keys([secret]);
    vec![
        Row::rejected(
            &only_secret,
            "an unknown `kid`, and HS256 with an empty secret",
            "§1 CVE-2026-44351, CVE-2026-45363",
            forged("missing"),
            "unknown_key",
        ),
        Row::rejected(
            &only_secret,
            "the `kid` of the secret, and HS256 with an empty secret",
            "§1 CVE-2026-49852",
            forged(setting.secret.key_id()),
            "signature_mismatch",
        ),
        Row::rejected(
            &only_secret,
            "no `kid`, and HS256 with an empty secret",
            "§1 CVE-2026-49852",
            forged("").without_key_id(),
            "signature_mismatch",
        ),
        Row::rejected(
            &only_secret,
            "a token of HS512 where the secret is one of HS256",
            "§1 jose2go #38",
            setting.valid().key(&SigningKey::from_secret(
                Algorithm::HS512,
                setting.secret.key_id(),
                setting.secret.secret().expect("a secret"),
            )),
            "algorithm_not_allowed",
        ),
    ]
}
