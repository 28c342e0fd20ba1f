//! What is measured, on the same tokens.

use std::hint::black_box;

use aws_lc_rs::{
    hmac,
    signature::{self, ParsedPublicKey, RsaPublicKeyComponents},
};
use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{Algorithm, AuthErrorKind, Authenticator, VerificationKey, adapter::RequestView};
use portcullis_testkit::{SigningKey, TestIssuer, TokenBuilder};
use serde_json::Value;

use crate::{Case, Peer, Run};

pub(crate) const ISSUER: &str = "https://idp.example.com/realms/production";
pub(crate) const AUDIENCE: &str = "https://api.example.com";

/// The algorithms that are measured.
pub const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::HS256];

/// Sets all cases of the engine up.
#[must_use]
pub fn all_cases() -> Vec<Case> {
    let issuer = TestIssuer::new(ISSUER);
    let mut cases = Vec::new();
    for algorithm in ALGORITHMS {
        let mut case = |name: &str, set_up: fn(&TestIssuer, Algorithm) -> Run| {
            let issuer = issuer.clone();
            let name = format!("{algorithm} {name}");
            cases.push(Case::new(name, move || set_up(&issuer, algorithm)));
        };
        case("bare", |issuer, algorithm| {
            bare(issuer.key(algorithm), &token(issuer, algorithm).build())
        });
        case("ours", |issuer, algorithm| ours(issuer, &token(issuer, algorithm).build(), Ok(())));
        case("jsonwebtoken", peer);
    }
    let mut rejected = |name: &str, kind, token: fn(TokenBuilder) -> String| {
        let issuer = issuer.clone();
        cases.push(Case::new(format!("rejected {name}"), move || {
            ours(&issuer, &token(self::token(&issuer, Algorithm::ES256)), Err(kind))
        }));
    };
    rejected("unknown kid", AuthErrorKind::UnknownKey, |token| {
        token.header("kid", "es257").build()
    });
    let wrong_alg = AuthErrorKind::AlgorithmNotAllowed;
    rejected("wrong alg", wrong_alg, |token| token.header("alg", "HS512").build());
    let malformed = AuthErrorKind::MalformedToken;
    rejected("malformed", malformed, |token| token.build().replace('.', ".."));
    rejected("too long", AuthErrorKind::TokenTooLarge, |_| "a".repeat(64 * 1024));
    cases
}

/// An access token as real issuers make it.
pub(crate) fn token(issuer: &TestIssuer, algorithm: Algorithm) -> TokenBuilder {
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

    fn method(&self) -> &str {
        "GET"
    }

    fn authority(&self) -> Option<&str> {
        None
    }
}

/// An engine that trusts the issuer, its secret included.
pub(crate) fn engine(issuer: &TestIssuer) -> Authenticator {
    let trusted = issuer.trusted().key(secret_key(issuer.key(Algorithm::HS256)));
    Authenticator::builder().issuer(trusted).audience(AUDIENCE).build().expect("an engine")
}

/// The whole way of a request, from the header field to caller and grant.
fn ours(issuer: &TestIssuer, token: &str, expected: Result<(), AuthErrorKind>) -> Run {
    let auth = engine(issuer);
    let request = Request::bearer(token);
    let judge = move || auth.authenticate_now(black_box(&request)).result;
    let got = judge().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(got, expected, "the case measures what it says");
    Box::new(move || {
        let _ = black_box(judge());
    })
}

/// The signature check alone, with the key parsed beforehand.
fn bare(key: &SigningKey, token: &str) -> Run {
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

/// The same on `jsonwebtoken`.
fn peer(issuer: &TestIssuer, algorithm: Algorithm) -> Run {
    let peer = Peer::new(issuer, &[algorithm]);
    let token = token(issuer, algorithm).build();
    Box::new(move || {
        black_box(peer.judge(black_box(&token)).expect("a good token"));
    })
}
