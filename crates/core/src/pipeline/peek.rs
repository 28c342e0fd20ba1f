//! What does the token claim to be? Nothing here is proven ([RFC 7515 §7.1]).
//!
//! [RFC 7515 §7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1

use crate::{
    Algorithm, AuthError, AuthErrorKind,
    issuer::TrustedIssuers,
    json::{Name, Object, Reader, Value},
    jws::{Header, KeyHint, KnownHeaders, Room, Segments, SignatureRoom, UnverifiedJws},
};

/// How many actors a chain may have.
const MAX_ACTORS: usize = 8;

/// Room for the decoded segments of one token, which the stages borrow from.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    header: Room<256>,
    claims: String,
}

impl Decoded {
    /// Takes the text of the claims out, when all stages are done with it.
    pub(super) fn take_claims(&mut self) -> String {
        std::mem::take(&mut self.claims)
    }
}

/// A token of which no more was read than it takes to find its key. Nothing here is proven.
#[derive(Debug)]
pub(crate) struct PeekedJwt<'a, 'd> {
    header: &'a Header<'d>,
    claims_text: &'d str,
    reader: Reader<'d>,
    claims: &'a mut Object<'d>,
}

/// A JWS whose payload is an object of claims. Whether they are true is not known.
#[derive(Debug)]
pub(crate) struct UnverifiedJwt<'a> {
    jws: UnverifiedJws<'a>,
    claims_text: &'a str,
    claims: &'a Object<'a>,
}

impl<'a, 'd: 'a> PeekedJwt<'a, 'd> {
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.header.algorithm()
    }

    #[cfg(feature = "explain")]
    pub(crate) fn typ(&self) -> Option<&str> {
        self.header.typ()
    }

    pub(crate) fn unverified_key_id(&self) -> Option<&str> {
        self.header.key_id()
    }

    /// Returns what the header says of the key.
    pub(super) fn unverified_key_hint(&self) -> KeyHint<'_> {
        self.header.key_hint()
    }

    /// Returns the issuer that the token claims to be from, if it names one.
    pub(crate) fn unverified_issuer(&self) -> Option<Value<'d>> {
        self.claims.get(Name::Iss)
    }

    /// Reads what was left: the signature and the other claims.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::MalformedToken`], and [`AuthErrorKind::MalformedRequest`] for what is not
    /// even a `b64token`.
    pub(super) fn read_rest(
        mut self,
        segments: &Segments<'d>,
        room: &'a mut SignatureRoom,
    ) -> Result<UnverifiedJwt<'a>, AuthError> {
        let jws = UnverifiedJws::decode(self.header, segments, room)?;
        self.reader.read_rest(self.claims).map_err(|error| malformed(error.reason()))?;
        check_nested(self.claims)?;
        Ok(UnverifiedJwt { jws, claims_text: self.claims_text, claims: self.claims })
    }
}

impl<'a> UnverifiedJwt<'a> {
    pub(super) fn jws(&self) -> &UnverifiedJws<'a> {
        &self.jws
    }

    pub(super) fn into_parts(self) -> (UnverifiedJws<'a>, &'a str, &'a Object<'a>) {
        (self.jws, self.claims_text, self.claims)
    }
}

/// Reads the header and the claims as far as the issuer, strictly: a token that no key can be found
/// for costs no more than that.
///
/// # Errors
///
/// [`AuthErrorKind::MalformedRequest`] for what is not even a `b64token`,
/// [`AuthErrorKind::MalformedToken`], [`AuthErrorKind::UnsupportedCriticalHeader`], and
/// [`AuthErrorKind::AlgorithmNotAllowed`] for an algorithm that no issuer allows.
pub(super) fn peek<'a, 'd: 'a>(
    segments: &Segments<'d>,
    issuers: &TrustedIssuers,
    known: &'d KnownHeaders,
    decoded: &'d mut Decoded,
    (header, claims): (&'a mut Option<Header<'d>>, &'a mut Object<'d>),
) -> Result<PeekedJwt<'a, 'd>, AuthError> {
    let Decoded { header: room, claims: text } = decoded;
    // The cheapest check comes before the payload is touched.
    let header = header.insert(Header::read(segments, issuers.algorithms, known, room)?);
    *text = segments.payload()?;
    let mut reader = Reader::new(text).map_err(|error| malformed(error.reason()))?;
    reader.read_to(Name::Iss, claims).map_err(|error| malformed(error.reason()))?;
    Ok(PeekedJwt { header, claims_text: text, reader, claims })
}

pub(super) const fn malformed(reason: &'static str) -> AuthError {
    AuthError::because(AuthErrorKind::MalformedToken, reason)
}

/// Rejects duplicate members where they could be read as two things: who acts, and who may send.
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

/// Reads a claim that may be an object; what else it is, its own stage rejects.
fn read_nested(value: Value<'_>) -> Result<Option<Object<'_>>, AuthError> {
    value.read_object().transpose().map_err(|error| malformed(error.reason()))
}
