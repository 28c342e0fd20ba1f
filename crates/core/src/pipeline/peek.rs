//! What does the token claim to be? Nothing here is proven ([RFC 7515 §7.1]).
//!
//! [RFC 7515 §7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1

use super::{
    header::{Header, KnownHeaders},
    segments::{Room, Segments},
};
use crate::{
    Algorithm, AuthError, AuthErrorKind,
    issuer::TrustedIssuers,
    json::{Name, Object, Value},
    jws::AlgorithmSet,
};

/// How many actors a chain may have.
const MAX_ACTORS: usize = 8;

/// Room for the decoded segments of one token, which the stages borrow from.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    outer: DecodedOuter,
    claims: String,
}

/// Room for the decoded segments around the payload.
#[derive(Debug, Default)]
pub(super) struct DecodedOuter {
    header: Room<256>,
    signature: Room<512>,
}

impl Decoded {
    /// Takes the text of the claims out, when all stages are done with it.
    pub(super) fn into_claims(self) -> String {
        self.claims
    }
}

/// A compact JWS, taken apart. Whether its signature is right is not known.
#[derive(Debug)]
pub(crate) struct UnverifiedJws<'a> {
    header: Header<'a>,
    signing_input: &'a [u8],
    signature: &'a [u8],
}

/// A JWS whose payload is an object of claims. Whether they are true is not known.
#[derive(Debug)]
pub(crate) struct UnverifiedJwt<'a> {
    jws: UnverifiedJws<'a>,
    claims_text: &'a str,
    claims: &'a Object<'a>,
}

impl<'a> UnverifiedJws<'a> {
    /// Takes test vectors whose messages are not made of segments.
    #[cfg(test)]
    pub(super) fn for_tests(
        algorithm: Algorithm,
        signing_input: &'a [u8],
        signature: &'a [u8],
    ) -> Self {
        Self { header: Header::for_tests(algorithm), signing_input, signature }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.header.algorithm()
    }

    pub(super) fn unverified_key_id(&self) -> Option<&str> {
        self.header.key_id()
    }

    pub(super) fn signing_input(&self) -> &'a [u8] {
        self.signing_input
    }

    pub(super) fn signature(&self) -> &'a [u8] {
        self.signature
    }

    pub(super) fn into_header(self) -> Header<'a> {
        self.header
    }
}

impl<'a> UnverifiedJwt<'a> {
    pub(super) fn jws(&self) -> &UnverifiedJws<'a> {
        &self.jws
    }

    /// Returns the issuer that the token claims to be from, if it names one.
    pub(super) fn unverified_issuer(&self) -> Option<Value<'a>> {
        self.claims.get(Name::Iss)
    }

    pub(super) fn into_parts(self) -> (UnverifiedJws<'a>, &'a str, &'a Object<'a>) {
        (self.jws, self.claims_text, self.claims)
    }
}

/// Takes a token apart and reads both JSON objects, strictly.
///
/// # Errors
///
/// [`AuthErrorKind::MalformedRequest`] for what is not even a `b64token`,
/// [`AuthErrorKind::MalformedToken`], [`AuthErrorKind::UnsupportedCriticalHeader`], and
/// [`AuthErrorKind::AlgorithmNotAllowed`] for an algorithm that no issuer allows.
pub(crate) fn peek<'a, 'd: 'a>(
    segments: &Segments<'d>,
    issuers: &TrustedIssuers,
    known: &'d KnownHeaders,
    decoded: &'d mut Decoded,
    claims: &'a mut Object<'d>,
) -> Result<UnverifiedJwt<'a>, AuthError> {
    let mut payload = Vec::new();
    let Decoded { outer, claims: claims_text } = decoded;
    let jws = peek_jws(segments, issuers.algorithms, known, outer, &mut payload)?;
    *claims_text = String::from_utf8(payload).map_err(|_| malformed("payload is not UTF-8"))?;
    claims.read(claims_text).map_err(|error| malformed(error.reason()))?;
    let claims: &'a Object<'d> = claims;
    check_nested(claims)?;
    Ok(UnverifiedJwt { jws, claims_text, claims })
}

/// Takes a token of any payload apart, and appends the payload to `payload`.
///
/// # Errors
///
/// As [`peek`], except that nothing is asked of the payload.
pub(super) fn peek_jws<'a>(
    segments: &Segments<'a>,
    allowed: AlgorithmSet,
    known: &'a KnownHeaders,
    decoded: &'a mut DecodedOuter,
    payload: &mut Vec<u8>,
) -> Result<UnverifiedJws<'a>, AuthError> {
    let header = match known.find(segments.encoded_header()) {
        Some(header) => header,
        None => Header::parse(segments.header(&mut decoded.header)?)?,
    };
    // The cheapest check comes before the payload is touched.
    if !allowed.contains(header.algorithm()) {
        return Err(AuthErrorKind::AlgorithmNotAllowed.into());
    }
    // The signature first: it needs no room on the heap.
    let signature = segments.signature(&mut decoded.signature)?;
    segments.payload(payload)?;
    let signing_input = segments.signing_input();
    Ok(UnverifiedJws { header, signing_input, signature })
}

pub(super) const fn malformed(reason: &'static str) -> AuthError {
    AuthError::because(AuthErrorKind::MalformedToken, reason)
}

/// Refuses duplicate members where they could be read as two things: who acts, and who may send.
fn check_nested(claims: &Object<'_>) -> Result<(), AuthError> {
    claims.get(Name::Cnf).map_or(Ok(None), read_nested)?;
    let mut next = claims.get(Name::Act);
    let mut actors = 0_usize;
    while let Some(value) = next {
        if actors == MAX_ACTORS {
            return Err(malformed("`act` nests too deeply"));
        }
        actors += 1;
        next = read_nested(value)?.and_then(|actor| actor.get(Name::Act));
    }
    Ok(())
}

/// Reads a claim that may be an object; what else it is, its own stage refuses.
fn read_nested(value: Value<'_>) -> Result<Option<Object<'_>>, AuthError> {
    value.read_object().transpose().map_err(|error| malformed(error.reason()))
}
