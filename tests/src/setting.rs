//! The service that the tables attack.

use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{
    Algorithm, Authenticator, AuthenticatorBuilder, Issuer, MultipleTokens, NumericDate,
    TokenLocation, VerificationKey,
};
use portcullis_testkit::{ManualClock, SigningKey, TestIssuer, TokenBuilder};

/// The time at the service, in seconds.
pub const NOW: i64 = 1_800_000_000;

/// How far clocks may differ, in seconds.
pub const LEEWAY: i64 = 60;

/// The audience that stands for the service.
pub const AUDIENCE: &str = "orders";

/// The service, those whom it trusts, and an attacker.
#[derive(Debug)]
pub struct Setting {
    /// The issuer that is trusted, with a key of each asymmetric algorithm.
    pub issuer: TestIssuer,
    /// Another issuer with other keys of the same ids. Only some engines trust it.
    pub partner: TestIssuer,
    /// Someone who claims to be the issuer, with keys of their own.
    pub attacker: TestIssuer,
    /// A secret that some engines trust, beside the issuer's public keys.
    pub secret: SigningKey,
    /// Trusts the issuer's public keys and reads `Authorization: Bearer`.
    pub plain: Authenticator,
    /// The same, and the secret.
    pub mixed: Authenticator,
    /// Trusts issuer and partner.
    pub both: Authenticator,
    /// Reads header, query and cookie.
    pub paved: Authenticator,
    /// The same; the first token counts.
    pub first: Authenticator,
    /// The same; each token must be accepted.
    pub all: Authenticator,
}

impl Setting {
    /// Builds the service anew, with new keys.
    #[must_use]
    pub fn new() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let named = |name: &str| TestIssuer::new(name).clock(clock.clone());
        let issuer = named("https://idp.test");
        let partner = named("https://partner.test");
        let secret = SigningKey::from_secret(Algorithm::HS256, "shared", &secret_bytes());
        let shared = secret.verification_key().expect("a long secret");
        let in_places = |several| {
            trusting(issuer.trusted())
                .locations(TokenLocation::header_query_cookie("access_token"))
                .multiple_tokens(several)
        };
        Self {
            plain: built(trusting(issuer.trusted())),
            mixed: built(trusting(issuer.trusted().key(shared))),
            both: built(trusting(issuer.trusted()).issuer(partner.trusted())),
            paved: built(in_places(MultipleTokens::Reject)),
            first: built(in_places(MultipleTokens::First)),
            all: built(in_places(MultipleTokens::All)),
            attacker: named(issuer.name()),
            partner,
            issuer,
            secret,
        }
    }

    /// Starts a token that every engine accepts.
    pub fn valid(&self) -> TokenBuilder {
        self.issuer.token().audience(AUDIENCE).scope("orders:read")
    }

    /// Returns an engine that trusts one issuer, and tells the same time as the others.
    #[must_use]
    pub fn engine(&self, issuer: Issuer) -> Authenticator {
        built(trusting(issuer))
    }

    /// Returns an engine that trusts the issuer's name with these keys only.
    #[must_use]
    pub fn engine_with_keys(
        &self,
        keys: impl IntoIterator<Item = VerificationKey>,
    ) -> Authenticator {
        let issuer = Issuer::new(self.issuer.name());
        self.engine(keys.into_iter().fold(issuer, Issuer::key))
    }
}

impl Default for Setting {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns base64url without padding.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Puts a token together from the bytes of its three segments.
#[must_use]
pub fn compact(
    header: impl AsRef<[u8]>,
    payload: impl AsRef<[u8]>,
    signature: impl AsRef<[u8]>,
) -> String {
    format!("{}.{}.{}", encode(header), encode(payload), encode(signature))
}

/// Starts an engine that trusts one issuer, and tells the same time as all others.
pub fn trusting(issuer: Issuer) -> AuthenticatorBuilder {
    Authenticator::builder()
        .issuer(issuer.leeway(Duration::from_secs(LEEWAY.unsigned_abs())))
        .audience(AUDIENCE)
        .clock(ManualClock::at(NumericDate::from_seconds(NOW)))
}

fn built(builder: AuthenticatorBuilder) -> Authenticator {
    builder.build().expect("a usable configuration")
}

fn secret_bytes() -> Vec<u8> {
    SigningKey::generate(Algorithm::HS256, "").secret().expect("a secret").to_vec()
}
