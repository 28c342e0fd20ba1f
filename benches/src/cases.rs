//! What is measured, on the same tokens.

use std::{collections::HashMap, hint::black_box};

use aws_lc_rs::{
    hmac,
    signature::{self, ParsedPublicKey, RsaPublicKeyComponents},
};
use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{Algorithm, AuthErrorKind, Authenticator, RequestView, VerificationKey};
use portcullis_testkit::{SigningKey, TestIssuer};
use serde::Deserialize;
use serde_json::Value;

const ISSUER: &str = "https://idp.example.com/realms/production";
const AUDIENCE: &str = "https://api.example.com";

/// The algorithms that are measured.
pub const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::HS256];

/// One thing to measure.
#[expect(missing_debug_implementations, reason = "it holds a function")]
#[non_exhaustive]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// Does it once.
    pub run: Box<dyn Fn()>,
}

/// Sets all cases up.
#[must_use]
pub fn all_cases() -> Vec<Case> {
    let issuer = TestIssuer::new(ISSUER);
    let mut cases = Vec::new();
    let mut case = |name: String, run: Box<dyn Fn()>| cases.push(Case { name, run });
    for algorithm in ALGORITHMS {
        let token = token(&issuer, algorithm).build();
        let key = issuer.key(algorithm);
        case(format!("{algorithm} bare"), bare(key, &token));
        case(format!("{algorithm} ours"), ours(&issuer, &token, Ok(())));
        case(format!("{algorithm} jsonwebtoken"), peer(key, &token));
    }
    let refused = |token: &str, kind| ours(&issuer, token, Err(kind));
    let good = token(&issuer, Algorithm::ES256);
    case(
        "refused unknown kid".to_owned(),
        refused(&good.clone().header("kid", "es257").build(), AuthErrorKind::UnknownKey),
    );
    case(
        "refused wrong alg".to_owned(),
        refused(&good.clone().header("alg", "HS512").build(), AuthErrorKind::AlgorithmNotAllowed),
    );
    let malformed = good.build().replace('.', "..");
    case("refused malformed".to_owned(), refused(&malformed, AuthErrorKind::MalformedToken));
    let long = "a".repeat(64 * 1024);
    case("refused too long".to_owned(), refused(&long, AuthErrorKind::TokenTooLarge));
    cases
}

/// An access token as real issuers make it.
fn token(issuer: &TestIssuer, algorithm: Algorithm) -> portcullis_testkit::TokenBuilder {
    issuer
        .token()
        .algorithm(algorithm)
        .header("typ", "at+jwt")
        .subject("248289761001-7d3e-4f7a")
        .claim("aud", [AUDIENCE, "https://reports.example.com"])
        .claim("nbf", 1_700_000_000)
        .claim("jti", "5f1c9a52-7d0e-4c39-8f39-3f4c5d1e8b6a")
        .claim("client_id", "web-frontend")
        .scope("openid profile orders:read orders:write reports:read")
}

fn secret_key(key: &SigningKey) -> VerificationKey {
    key.verification_key().expect("a usable key")
}

/// A request with a token in its `Authorization` field.
#[derive(Debug)]
pub struct Request {
    authorization: String,
}

impl Request {
    /// Creates a request.
    #[must_use]
    pub fn bearer(token: &str) -> Self {
        Self { authorization: format!("Bearer {token}") }
    }
}

impl RequestView for Request {
    fn field_values<'r>(&'r self, name: &str, visit: &mut dyn FnMut(&'r [u8])) {
        if name == "authorization" {
            visit(self.authorization.as_bytes());
        }
    }

    fn query(&self) -> Option<&str> {
        None
    }
}

/// The whole way of a request, from the header field to caller and grant.
fn ours(issuer: &TestIssuer, token: &str, expected: Result<(), AuthErrorKind>) -> Box<dyn Fn()> {
    let trusted = issuer.trusted().key(secret_key(issuer.key(Algorithm::HS256)));
    let auth =
        Authenticator::builder().issuer(trusted).audience(AUDIENCE).build().expect("an engine");
    let request = Request::bearer(token);
    let judge = move || auth.authenticate(black_box(&request)).result;
    let got = judge().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(got, expected, "the case measures what it says");
    Box::new(move || {
        let _ = black_box(judge());
    })
}

/// The signature check alone, with the key parsed beforehand.
fn bare(key: &SigningKey, token: &str) -> Box<dyn Fn()> {
    let (message, signature) = token.rsplit_once('.').expect("a compact token");
    let message = message.to_owned();
    let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).expect("base64url");
    if let Some(secret) = key.secret() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        return Box::new(move || {
            hmac::verify(&key, black_box(message.as_bytes()), &signature).expect("a good tag");
        });
    }
    let key = parsed(key);
    Box::new(move || {
        key.verify_sig(black_box(message.as_bytes()), &signature).expect("a good signature");
    })
}

fn parsed(key: &SigningKey) -> ParsedPublicKey {
    let jwk = key.public_jwk().expect("a public key");
    let member = |name: &str| {
        let value = jwk.get(name).and_then(Value::as_str).expect("a member");
        URL_SAFE_NO_PAD.decode_to_vec(value).expect("base64url")
    };
    match key.algorithm() {
        Algorithm::RS256 => RsaPublicKeyComponents { n: member("n"), e: member("e") }
            .to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::ES256 => {
            let point = [vec![4], member("x"), member("y")].concat();
            ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
        }
        _ => ParsedPublicKey::new(&signature::ED25519, member("x")),
    }
    .expect("a key")
}

/// What a typical layer on `jsonwebtoken` does: header, key by `kid`, decode.
fn peer(key: &SigningKey, token: &str) -> Box<dyn Fn()> {
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "the fields are what is paid for")]
    struct Claims {
        iss: String,
        sub: String,
        aud: Vec<String>,
        exp: u64,
        iat: u64,
        nbf: u64,
        jti: String,
        client_id: String,
        scope: String,
    }
    use jsonwebtoken::{Algorithm as Alg, DecodingKey, Validation, decode, decode_header};
    let decoding_key = match key.secret() {
        Some(secret) => DecodingKey::from_secret(secret),
        None => {
            let jwk = key.public_jwk().expect("a public key");
            let jwk = serde_json::from_value(jwk).expect("a JWK");
            DecodingKey::from_jwk(&jwk).expect("a usable JWK")
        }
    };
    let keys = HashMap::from([(key.key_id().to_owned(), decoding_key)]);
    let mut validation = Validation::new(match key.algorithm() {
        Algorithm::RS256 => Alg::RS256,
        Algorithm::ES256 => Alg::ES256,
        Algorithm::EdDSA => Alg::EdDSA,
        _ => Alg::HS256,
    });
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.validate_nbf = true;
    let token = token.to_owned();
    Box::new(move || {
        let header = decode_header(black_box(&token)).expect("a header");
        let key = header.kid.and_then(|kid| keys.get(&kid)).expect("a known key");
        let data = decode::<Claims>(&token, key, &validation).expect("a good token");
        black_box(data.claims);
    })
}
