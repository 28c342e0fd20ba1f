//! Keys and settings that would let attackers in: building with them is an error.

use portcullis::{
    Algorithm, Authenticator, ConfigError, Issuer, JwkSet, TokenLocation, VerificationKey,
};
use serde_json::{Value, json};

use crate::{AUDIENCE, Setting, encode, public_key};

/// One configuration, and the error that must come of it.
#[derive(Debug)]
#[must_use]
pub struct ConfigRow {
    name: String,
    stands_for: &'static str,
    result: Result<(), ConfigError>,
    expected: &'static str,
}

impl ConfigRow {
    fn new<T, E: Into<ConfigError>>(
        name: impl Into<String>,
        stands_for: &'static str,
        result: Result<T, E>,
        expected: &'static str,
    ) -> Self {
        Self {
            name: name.into(),
            stands_for,
            result: result.map(drop).map_err(Into::into),
            expected,
        }
    }

    /// Returns what is done, in words.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells how the row failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let Self { name, stands_for, result, expected } = self;
        let got = match result {
            Ok(()) => "no error".to_owned(),
            Err(error) => variant_of(error),
        };
        (got != *expected).then(|| format!("{name} [{stands_for}]: expected {expected}, got {got}"))
    }
}

fn variant_of(error: &ConfigError) -> String {
    // `Issuer(NoKeys { … })` becomes `Issuer::NoKeys`.
    let debug = format!("{error:?}");
    let names: Vec<_> = debug.split([' ', '(', ')']).take(2).filter(|name| *name != "{").collect();
    names.join("::")
}

/// Returns the configurations that must be errors.
#[must_use]
pub fn rows(setting: &Setting) -> Vec<ConfigRow> {
    let mut rows = secrets(setting);
    rows.extend(jwk_sets(setting));
    rows.extend(pem_texts());
    rows.extend(issuers(setting));
    rows
}

fn secrets(setting: &Setting) -> Vec<ConfigRow> {
    let mut rows = Vec::new();
    let stands_for = "§1 CVE-2017-11424, CVE-2023-48223, CVE-2026-34950, GHSA-g3jj-5cmm-3hxx";
    for algorithm in [Algorithm::RS256, Algorithm::ES256] {
        for (form, secret) in public_key::forms_of(setting.issuer.key(algorithm)) {
            let rejected = "Key::SecretIsPublicKey";
            let made = VerificationKey::from_secret(&secret, Algorithm::HS256);
            let name = format!("the secret is a key of {algorithm}: {form}");
            rows.push(ConfigRow::new(name, stands_for, made, rejected));
            let made = VerificationKey::dangerous_from_short_secret(&secret, Algorithm::HS512);
            let name = format!("the secret, which may be short, is a key of {algorithm}: {form}");
            rows.push(ConfigRow::new(name, stands_for, made, rejected));
        }
    }
    let ed25519 =
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtKTs4IxMnZSNFQNUBlAYlGRQ8bX9pJLaUz9ovi idp";
    let private = b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n";
    let certificate =
        b"-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUd2g=\n-----END CERTIFICATE-----\n";
    for (what, secret) in [
        ("the OpenSSH text of an Ed25519 key", &ed25519[..]),
        ("an OpenSSH private key", private),
        ("a certificate", certificate),
        (
            "a JWK behind a byte-order mark",
            b"\xef\xbb\xbf{\"kty\":\"RSA\",\"n\":\"sXchDaQebHnP\",\"e\":\"AQAB\"}",
        ),
    ] {
        let made = VerificationKey::from_secret(secret, Algorithm::HS256);
        rows.push(ConfigRow::new(
            format!("the secret is {what}"),
            stands_for,
            made,
            "Key::SecretIsPublicKey",
        ));
    }
    for (algorithm, needed) in
        [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)]
    {
        let short = "Key::SecretTooShort";
        for len in [0, 1, needed - 1] {
            let made = VerificationKey::from_secret(vec![7; len], algorithm);
            let name = format!("a secret of {len} bytes for {algorithm}");
            rows.push(ConfigRow::new(name, "§1 CVE-2026-49852, §9 short HMAC keys", made, short));
        }
        let made = VerificationKey::dangerous_from_short_secret([], algorithm);
        let name = format!("an empty secret for {algorithm}, where it may be short");
        rows.push(ConfigRow::new(name, "§1 CVE-2026-45363", made, short));
    }
    let made = VerificationKey::from_secret([7; 64], Algorithm::RS256);
    rows.push(ConfigRow::new("a secret for RS256", "§1 jose2go #38", made, "Key::Unusable"));
    rows
}

fn jwk_sets(setting: &Setting) -> Vec<ConfigRow> {
    let jwk = |algorithm| setting.issuer.key(algorithm).public_jwk().expect("a public key");
    let with = |algorithm, member: &str, value: Value| {
        let mut jwk = jwk(algorithm);
        jwk.as_object_mut().expect("an object").insert(member.to_owned(), value);
        jwk
    };
    let (rs256, es256, eddsa) = (Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA);
    let secret = json!({"kty": "oct", "k": encode([7; 64]), "alg": "HS256"});
    let mut rows = Vec::new();
    for (what, stands_for, jwk) in [
        ("a secret", "§1 CVE-2024-37568", secret),
        ("an empty secret", "§1 CVE-2026-44699", json!({"kty": "oct", "k": ""})),
        ("an RSA key for HS256", "§1 CVE-2016-5431", with(rs256, "alg", json!("HS256"))),
        ("an RSA key for ES256", "§1 CVE-2026-33322", with(rs256, "alg", json!("ES256"))),
        ("an RSA key for `none`", "§1 CVE-2018-1000531", with(rs256, "alg", json!("none"))),
        ("an EC key for ES384", "§1 CVE-2026-33322", with(es256, "alg", json!("ES384"))),
        ("a key whose `alg` is a list", "§9", with(es256, "alg", json!(["ES256"]))),
        ("a key for encryption", "§7", with(es256, "use", json!("enc"))),
        ("a key that may only sign", "§7", with(es256, "key_ops", json!(["sign"]))),
        ("a private EC key", "§2 CVE-2026-31837", with(es256, "d", json!("AA"))),
        ("a private RSA key", "§2 CVE-2026-31837", with(rs256, "p", json!("AA"))),
        ("a key with a secret member", "§2 CVE-2026-31837", with(es256, "k", json!("AA"))),
        (
            "a point that is not on its curve",
            "§4 CVE-2016-9121",
            with(es256, "y", json!(encode([1; 32]))),
        ),
        (
            "a point at zero",
            "§4 CVE-2016-9121",
            json!({"kty": "EC", "crv": "P-256", "x": encode([0; 32]), "y": encode([0; 32])}),
        ),
        ("a coordinate that is too short", "§9", with(es256, "x", json!(encode([1; 31])))),
        ("a coordinate that is too long", "§9", with(es256, "x", json!(encode([1; 33])))),
        ("a coordinate that is padded", "§9", with(es256, "x", json!("AAAA="))),
        ("an Ed25519 key of 31 bytes", "§9", with(eddsa, "x", json!(encode([1; 31])))),
        ("a key on a curve for key agreement", "§7", with(eddsa, "crv", json!("X25519"))),
        ("a P-256 key on secp256k1", "§7", with(es256, "crv", json!("secp256k1"))),
        (
            "an RSA modulus of 1024 bits",
            "§7 RFC 7518 §3.3",
            with(rs256, "n", json!(encode([0xc5; 128]))),
        ),
        ("an RSA modulus of 16384 bits", "§4", with(rs256, "n", json!(encode([0xc5; 2048])))),
        ("an RSA exponent of one", "§7", with(rs256, "e", json!("AQ"))),
        ("an even RSA exponent", "§7", with(rs256, "e", json!("Ag"))),
        ("a `kid` of 257 bytes", "§9", with(es256, "kid", json!("k".repeat(257)))),
        ("a `kid` that is a number", "§9", with(es256, "kid", json!(1))),
        ("a key without `kty`", "§9", json!({"crv": "P-256"})),
        ("a key that is a text", "§9", json!("ES256")),
    ] {
        let made = JwkSet::from_json(&json!({"keys": [jwk]}).to_string());
        rows.push(ConfigRow::new(
            format!("a JWK Set with {what}"),
            stands_for,
            made,
            "JwkSet::NoUsableKey",
        ));
    }
    for (what, text, expected) in [
        ("empty", "", "JwkSet::Invalid"),
        ("a list", "[]", "JwkSet::Invalid"),
        ("an object without `keys`", "{}", "JwkSet::Invalid"),
        ("an object whose `keys` is an object", r#"{"keys":{}}"#, "JwkSet::Invalid"),
        ("an HTML page", "<html></html>", "JwkSet::Invalid"),
        ("without keys", r#"{"keys":[]}"#, "JwkSet::NoUsableKey"),
    ] {
        let name = format!("a JWK Set that is {what}");
        rows.push(ConfigRow::new(name, "§9", JwkSet::from_json(text), expected));
    }
    rows
}

fn pem_texts() -> Vec<ConfigRow> {
    let block = |label: &str| {
        format!(
            "-----BEGIN {label}-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END {label}-----\n"
        )
    };
    let twice = block("PUBLIC KEY") + &block("PUBLIC KEY");
    let mut rows = Vec::new();
    for (what, text, expected) in [
        ("empty", String::new(), "Key::InvalidPem"),
        ("a file name", "keys/idp.pem".to_owned(), "Key::InvalidPem"),
        ("two keys", twice, "Key::InvalidPem"),
        ("a private key", block("PRIVATE KEY"), "Key::PrivateKey"),
        ("an EC private key", block("EC PRIVATE KEY"), "Key::PrivateKey"),
        ("an OpenSSH private key", block("OPENSSH PRIVATE KEY"), "Key::PrivateKey"),
        (
            "a public key and a private key",
            block("PUBLIC KEY") + &block("PRIVATE KEY"),
            "Key::PrivateKey",
        ),
        ("a request for a certificate", block("CERTIFICATE REQUEST"), "Key::InvalidPem"),
        ("a certificate that is none", block("CERTIFICATE"), "Key::Unusable"),
        ("an RSA key that is none", block("RSA PUBLIC KEY"), "Key::Unusable"),
    ] {
        let name = format!("a PEM text that is {what}");
        rows.push(ConfigRow::new(
            name,
            "§2 CVE-2021-41106, §1",
            VerificationKey::from_pem(&text),
            expected,
        ));
    }
    rows
}

fn issuers(setting: &Setting) -> Vec<ConfigRow> {
    let build = |issuers: Vec<Issuer>| {
        let builder = Authenticator::builder().audience(AUDIENCE);
        issuers.into_iter().fold(builder, |builder, issuer| builder.issuer(issuer)).build()
    };
    let trusted = || setting.issuer.trusted();
    let set = JwkSet::from_json(&setting.issuer.jwk_set_json()).expect("usable keys");
    let no_audience = Authenticator::builder().issuer(trusted()).build();
    let no_places =
        Authenticator::builder().issuer(trusted()).audience(AUDIENCE).locations([]).build();
    let place = |place| {
        Authenticator::builder().issuer(trusted()).audience(AUDIENCE).locations([place]).build()
    };
    let row = |name: &str, stands_for, result, expected| {
        ConfigRow::new(name, stands_for, result, expected)
    };
    vec![
        row("no issuer", "§3 CVE-2024-8901", build(vec![]), "NoIssuer"),
        row("no audience", "§3 CVE-2023-22482, §7", no_audience, "Issuer::NoAudience"),
        row(
            "an issuer without a name",
            "§3 CVE-2026-22748",
            build(vec![Issuer::new("").jwk_set(&set)]),
            "Issuer::NoName",
        ),
        row(
            "an issuer without a key",
            "§2 CVE-2026-27962",
            build(vec![Issuer::new("https://idp.test")]),
            "Issuer::NoKeys",
        ),
        row(
            "an issuer twice",
            "§7 keys bound to the issuer",
            build(vec![trusted(), trusted()]),
            "Issuer::Duplicate",
        ),
        row(
            "two issuers that stand for any",
            "§7 keys bound to the issuer",
            build(vec![
                Issuer::dangerous_any("a").jwk_set(&set),
                Issuer::dangerous_any("b").jwk_set(&set),
            ]),
            "Issuer::Duplicate",
        ),
        row(
            "an issuer that stands for any under the name of a trusted one",
            "§7 keys bound to the issuer",
            build(vec![trusted(), Issuer::dangerous_any(setting.issuer.name()).jwk_set(&set)]),
            "Issuer::Duplicate",
        ),
        row(
            "an empty audience",
            "§3 CVE-2023-22482",
            build(vec![trusted().audience("")]),
            "Issuer::EmptySetting",
        ),
        row(
            "an empty list of subjects",
            "§3 CVE-2022-29165",
            build(vec![trusted().subjects(<[&str; 0]>::default())]),
            "Issuer::EmptySetting",
        ),
        row(
            "a realm with a newline",
            "RFC 9110 §11.5",
            Authenticator::builder().issuer(trusted()).audience(AUDIENCE).realm("a\nb").build(),
            "InvalidChallengeText",
        ),
        row(
            "a place twice",
            "RFC 6750 §2",
            Authenticator::builder()
                .issuer(trusted())
                .audience(AUDIENCE)
                .locations([TokenLocation::bearer(), TokenLocation::bearer()])
                .build(),
            "Location::Duplicate",
        ),
        row(
            "cookies as a header field",
            "RFC 6750 §2",
            place(TokenLocation::header("cookie")),
            "Location::InvalidName",
        ),
        row(
            "a custom location without sources",
            "RFC 6750 §2",
            place(TokenLocation::custom("x", [], |_| Ok(None))),
            "Location::NoLocations",
        ),
        row(
            "a custom location of another one",
            "RFC 6750 §2",
            place(custom_of(custom_of(TokenLocation::bearer()))),
            "Location::InvalidName",
        ),
        row(
            "a custom location of cookies as a header field",
            "RFC 6750 §2",
            place(custom_of(TokenLocation::header("cookie"))),
            "Location::InvalidName",
        ),
        row(
            "a source of a custom location that is bound to an issuer",
            "RFC 6750 §2",
            place(custom_of(TokenLocation::bearer().of_issuer("https://idp.test"))),
            "Location::BoundSource",
        ),
        row(
            "a scheme of a custom location",
            "RFC 9110 §11.1",
            place(custom_of(TokenLocation::bearer()).scheme("Bearer")),
            "Location::InvalidName",
        ),
        row(
            "a scheme in a query",
            "RFC 6750 §2",
            place(TokenLocation::query("t").scheme("Bearer")),
            "Location::InvalidName",
        ),
        row(
            "public keys for HS256 alone",
            "§1 CVE-2024-37568",
            build(vec![trusted().algorithms([Algorithm::HS256])]),
            "Issuer::NoKeyForAlgorithms",
        ),
        row(
            "no algorithm allowed",
            "§1 CVE-2022-23540",
            build(vec![trusted().algorithms([])]),
            "Issuer::NoKeyForAlgorithms",
        ),
        row("no place for a token", "RFC 6750 §2", no_places, "Location::NoLocations"),
        row(
            "a header name with a newline",
            "RFC 9110 §5.1",
            place(TokenLocation::header("x\r\ny")),
            "Location::InvalidName",
        ),
        row(
            "a query name with `&`",
            "RFC 6750 §2.3",
            place(TokenLocation::query("a&b")),
            "Location::InvalidName",
        ),
        row(
            "a query name that is percent-encoded",
            "RFC 6750 §2.3",
            place(TokenLocation::query("a%5Fb")),
            "Location::InvalidName",
        ),
        row(
            "a cookie name with `=`",
            "RFC 6265",
            place(TokenLocation::cookie("a=b")),
            "Location::InvalidName",
        ),
        row(
            "an empty scheme",
            "RFC 9110 §11.1",
            place(TokenLocation::bearer().scheme("")),
            "Location::InvalidName",
        ),
        row(
            "a required claim with a broken pointer",
            "RFC 6901",
            build(vec![trusted().required_claims(["/a~b"])]),
            "Issuer::RequiredClaim",
        ),
    ]
}

fn custom_of(source: TokenLocation) -> TokenLocation {
    TokenLocation::custom("custom", [source], |_| Ok(None))
}
