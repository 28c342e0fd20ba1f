//! What does the token claim to be? Nothing here is proven ([RFC 7515 §7.1]).
//!
//! [RFC 7515 §7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1

use std::borrow::Cow;

use super::segments::{Room, Segments};
use crate::{
    Algorithm, AuthError, AuthErrorKind,
    issuer::TrustedIssuers,
    json::{Kind, Name, Object, Value},
    jwk::MAX_KEY_ID_LEN,
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
    header: Room,
    signature: Room,
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
    algorithm: Algorithm,
    key_id: Option<Cow<'a, str>>,
    typ: Option<Cow<'a, str>>,
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
        Self { algorithm, key_id: None, typ: None, signing_input, signature }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn unverified_key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    pub(super) fn signing_input(&self) -> &'a [u8] {
        self.signing_input
    }

    pub(super) fn signature(&self) -> &'a [u8] {
        self.signature
    }

    pub(super) fn into_typ(self) -> Option<Cow<'a, str>> {
        self.typ
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
    decoded: &'d mut Decoded,
    claims: &'a mut Object<'d>,
) -> Result<UnverifiedJwt<'a>, AuthError> {
    let mut payload = Vec::new();
    let Decoded { outer, claims: claims_text } = decoded;
    let jws = peek_jws(segments, issuers.algorithms, outer, &mut payload)?;
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
    decoded: &'a mut DecodedOuter,
    payload: &mut Vec<u8>,
) -> Result<UnverifiedJws<'a>, AuthError> {
    let header = segments.header(&mut decoded.header)?;
    let Header { algorithm, key_id, typ } = Header::parse(header)?;
    // The cheapest check comes before the payload is touched.
    if !allowed.contains(algorithm) {
        return Err(AuthErrorKind::AlgorithmNotAllowed.into());
    }
    // The signature first: it needs no room on the heap.
    let signature = segments.signature(&mut decoded.signature)?;
    segments.payload(payload)?;
    let signing_input = segments.signing_input();
    Ok(UnverifiedJws { algorithm, key_id, typ, signing_input, signature })
}

pub(super) const fn malformed(reason: &'static str) -> AuthError {
    AuthError::because(AuthErrorKind::MalformedToken, reason)
}

/// What counts in the JOSE header. `jku`, `x5u`, `x5c` and `jwk` are not read: keys come from the
/// configuration alone ([RFC 8725 §3.10]).
///
/// [RFC 8725 §3.10]: https://www.rfc-editor.org/rfc/rfc8725#section-3.10
struct Header<'a> {
    algorithm: Algorithm,
    key_id: Option<Cow<'a, str>>,
    typ: Option<Cow<'a, str>>,
}

impl<'a> Header<'a> {
    fn parse(header: &'a [u8]) -> Result<Self, AuthError> {
        let text = std::str::from_utf8(header).map_err(|_| malformed("header is not UTF-8"))?;
        let mut header = Object::default();
        header.read(text).map_err(|error| malformed(error.reason()))?;
        let string = |name, reason| match header.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or_else(|| malformed(reason)),
        };
        let algorithm =
            string(Name::Alg, "`alg` is not a string")?.ok_or_else(|| malformed("no `alg`"))?;
        let key_id = string(Name::Kid, "`kid` is not a string")?;
        let typ = string(Name::Typ, "`typ` is not a string")?;
        if key_id.as_ref().is_some_and(|key_id| key_id.len() > MAX_KEY_ID_LEN) {
            return Err(malformed("`kid` is too long"));
        }
        if let Some(critical) = header.get(Name::Crit) {
            return Err(critical_error(critical));
        }
        // Without `crit` this member has no standard meaning, and RFC 7797 §6 wants it there.
        if header.get(Name::B64).is_some() {
            return Err(malformed("`b64` without `crit`"));
        }
        let algorithm =
            algorithm.parse().map_err(|_| AuthError::from(AuthErrorKind::AlgorithmNotAllowed))?;
        Ok(Self { algorithm, key_id, typ })
    }
}

/// No extension is understood, so that a well-formed `crit` is refused whatever it lists
/// ([RFC 7515 §4.1.11]).
///
/// [RFC 7515 §4.1.11]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11
fn critical_error(critical: Value<'_>) -> AuthError {
    let mut names = 0_usize;
    let all_strings = critical.each_element(|element| {
        names = names.saturating_add(1);
        element.as_str().map(|_| ())
    });
    match (all_strings, names) {
        (Some(()), 1..) => AuthErrorKind::UnsupportedCriticalHeader.into(),
        _ => malformed("`crit` is not a list of names"),
    }
}

/// Refuses duplicate members where they could be read as two things: who acts, and who may send.
fn check_nested(claims: &Object<'_>) -> Result<(), AuthError> {
    if let Some(confirmation) = claims.get(Name::Cnf)
        && confirmation.kind() == Kind::Object
    {
        parse_nested(confirmation)?;
    }
    let mut next = claims.get(Name::Act);
    let mut actors = 0_usize;
    while let Some(actor) = next
        && actor.kind() == Kind::Object
    {
        if actors == MAX_ACTORS {
            return Err(malformed("`act` nests too deeply"));
        }
        actors += 1;
        next = parse_nested(actor)?.get(Name::Act);
    }
    Ok(())
}

fn parse_nested(value: Value<'_>) -> Result<Object<'_>, AuthError> {
    Object::parse(value.text()).map_err(|error| malformed(error.reason()))
}
