//! What does the token claim to be? Nothing here is proven ([RFC 7515 §7.1]).
//!
//! [RFC 7515 §7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1

use std::borrow::Cow;

use crate::{
    Algorithm, AuthError, AuthErrorKind, BearerToken,
    issuer::TrustedIssuers,
    json::{Kind, Object, Value},
    jwk::MAX_KEY_ID_LEN,
};

/// How many actors a chain may have.
const MAX_ACTORS: usize = 8;

/// Room for the decoded segments of one token, which the stages borrow from.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    header: Vec<u8>,
    claims: String,
    signature: Vec<u8>,
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
    claims: Object<'a>,
}

impl<'a> UnverifiedJws<'a> {
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
        self.claims.get("iss")
    }

    pub(super) fn into_parts(self) -> (UnverifiedJws<'a>, &'a str, Object<'a>) {
        (self.jws, self.claims_text, self.claims)
    }
}

/// Takes a token apart and reads both JSON objects, strictly.
///
/// # Errors
///
/// [`AuthErrorKind::TokenTooLarge`], [`AuthErrorKind::MalformedRequest`] for what is not even a
/// `b64token`, [`AuthErrorKind::MalformedToken`], [`AuthErrorKind::UnsupportedCriticalHeader`], and
/// [`AuthErrorKind::AlgorithmNotAllowed`] for an algorithm that no issuer allows.
pub(crate) fn peek<'a>(
    token: &'a BearerToken<'_>,
    max_len: usize,
    issuers: &TrustedIssuers,
    decoded: &'a mut Decoded,
) -> Result<UnverifiedJwt<'a>, AuthError> {
    let segments = Segments::split(token, max_len)?;
    segments.decode_header(token, decoded)?;
    let header = Header::parse(&decoded.header)?;
    // The cheapest check comes before the payload is touched.
    if !issuers.algorithms.contains(header.algorithm) {
        return Err(AuthErrorKind::AlgorithmNotAllowed.into());
    }
    let mut claims = Vec::new();
    decode(token, segments.payload, &mut claims)?;
    decode(token, segments.signature, &mut decoded.signature)?;
    decoded.claims = String::from_utf8(claims).map_err(|_| malformed("payload is not UTF-8"))?;
    let claims = Object::parse(&decoded.claims).map_err(|error| malformed(error.reason()))?;
    check_nested(&claims)?;
    let Header { algorithm, key_id, typ } = header;
    let jws = UnverifiedJws {
        algorithm,
        key_id,
        typ,
        signing_input: segments.signing_input,
        signature: &decoded.signature,
    };
    Ok(UnverifiedJwt { jws, claims_text: &decoded.claims, claims })
}

/// The three segments, still encoded. The payload may hold further dots: decoding refuses them.
struct Segments<'a> {
    signing_input: &'a [u8],
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Segments<'a> {
    fn split(token: &'a BearerToken<'_>, max_len: usize) -> Result<Self, AuthError> {
        let bytes = token.as_bytes();
        if bytes.len() > max_len {
            return Err(AuthErrorKind::TokenTooLarge.into());
        }
        // From both ends, so that a million dots cost no more than three.
        let dots = memchr::memchr(b'.', bytes).zip(memchr::memrchr(b'.', bytes));
        dots.and_then(|(first, last)| {
            Some(Segments {
                signing_input: bytes.get(..last)?,
                header: bytes.get(..first)?,
                payload: bytes.get(first.checked_add(1)?..last)?,
                signature: bytes.get(last.checked_add(1)?..)?,
            })
        })
        .ok_or_else(|| not_decodable(token, "fewer than three segments"))
    }

    fn decode_header(
        &self,
        token: &BearerToken<'_>,
        decoded: &mut Decoded,
    ) -> Result<(), AuthError> {
        decode(token, self.header, &mut decoded.header)
    }
}

fn decode(token: &BearerToken<'_>, segment: &[u8], out: &mut Vec<u8>) -> Result<(), AuthError> {
    BearerToken::decode_segment(segment, out)
        .ok_or_else(|| not_decodable(token, "a segment is not canonical base64url"))
}

/// Tells a token that no RFC 6750 client may send from one that is merely not a JWT. Only a token
/// that is refused anyway pays for the look.
fn not_decodable(token: &BearerToken<'_>, reason: &'static str) -> AuthError {
    if token.is_b64token() {
        malformed(reason)
    } else {
        AuthError::because(AuthErrorKind::MalformedRequest, "not a b64token")
    }
}

const fn malformed(reason: &'static str) -> AuthError {
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
        let header = Object::parse(text).map_err(|error| malformed(error.reason()))?;
        let string = |name, reason| match header.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(malformed(reason)),
        };
        let algorithm = string("alg", "`alg` is not a string")?.ok_or(malformed("no `alg`"))?;
        let key_id = string("kid", "`kid` is not a string")?;
        let typ = string("typ", "`typ` is not a string")?;
        if key_id.as_ref().is_some_and(|key_id| key_id.len() > MAX_KEY_ID_LEN) {
            return Err(malformed("`kid` is too long"));
        }
        if let Some(critical) = header.get("crit") {
            return Err(critical_error(critical));
        }
        // Without `crit` this member has no standard meaning, and RFC 7797 §6 wants it there.
        if header.get("b64").is_some() {
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
    if let Some(confirmation) = claims.get("cnf")
        && confirmation.kind() == Kind::Object
    {
        parse_nested(confirmation)?;
    }
    let mut next = claims.get("act");
    let mut actors = 0_usize;
    while let Some(actor) = next
        && actor.kind() == Kind::Object
    {
        if actors == MAX_ACTORS {
            return Err(malformed("`act` nests too deeply"));
        }
        actors += 1;
        next = parse_nested(actor)?.get("act");
    }
    Ok(())
}

fn parse_nested(value: Value<'_>) -> Result<Object<'_>, AuthError> {
    Object::parse(value.text()).map_err(|error| malformed(error.reason()))
}
