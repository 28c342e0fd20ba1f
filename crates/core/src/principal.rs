//! Who calls.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer, de::DeserializeOwned, ser::SerializeStruct};

use crate::{
    AuthError, AuthErrorKind, Grant, NumericDate, VerificationKey,
    claims::{ClaimPath, NotIncluded, may_read, not_included},
    grant::reads,
    issuer::Origin,
    json::{Name, Object},
    revocation::{CLOCK_MARGIN, Question, Revocation, Revoked},
};

/// Who calls: the subject of a token that was found valid, and on whose behalf others act for it.
///
/// It is shared: cloning copies a pointer.
#[derive(Clone)]
pub struct Principal {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    /// The claims as JSON text; the spans point into it.
    claims: String,
    origin: Arc<Origin>,
    parts: PrincipalParts,
}

/// What the pipeline found, as places in the text of the claims.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrincipalParts {
    pub(crate) subject: Text,
    pub(crate) token_issuer: Option<Text>,
    pub(crate) client_id: Option<Text>,
    pub(crate) token_id: Option<Text>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) expires_at: Option<NumericDate>,
    pub(crate) issued_at: Option<NumericDate>,
    /// Whether the token has a claim that names other sources of claims.
    pub(crate) names_other_sources: bool,
    /// Whether the token came in a cookie.
    pub(crate) is_from_cookie: bool,
    /// The key that verified the token; `None` for a caller that is not the subject of a JWT.
    pub(crate) key: Option<VerificationKey>,
    /// `None` if no engine looks for it.
    pub(crate) revocable: Option<Box<Revocable>>,
}

/// What a token may be revoked by, and nothing else needs.
#[derive(Clone, Debug)]
pub(crate) struct Revocable {
    pub(crate) session: Option<Text>,
    /// As [`Question::issued_at`].
    pub(crate) issued_at: Option<NumericDate>,
}

/// A string of the claims: where it stands, or its own copy if it was written with escapes.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Span(usize, usize),
    Owned(Box<str>),
}

impl Default for Text {
    fn default() -> Self {
        Self::Span(0, 0)
    }
}

impl Text {
    fn resolve<'a>(&'a self, claims: &'a str) -> &'a str {
        match self {
            // The span was cut out of this very text.
            Self::Span(start, end) => claims.get(*start..*end).unwrap_or_default(),
            Self::Owned(text) => text,
        }
    }
}

impl Principal {
    #[inline]
    pub(crate) fn new(claims: String, origin: Arc<Origin>, parts: PrincipalParts) -> Self {
        Self { inner: Arc::new(Inner { claims, origin, parts }) }
    }

    /// Puts the text of the claims in, which the stages have lent until the last of them is done.
    #[inline]
    pub(crate) fn with_claims(mut self, claims: String) -> Self {
        Arc::make_mut(&mut self.inner).claims = claims;
        self
    }

    /// Returns the same caller, as one of another engine, which has found the token.
    pub(crate) fn of(self, origin: Arc<Origin>, is_from_cookie: bool) -> Self {
        let inner = Arc::unwrap_or_clone(self.inner);
        let parts = PrincipalParts { is_from_cookie, ..inner.parts };
        Self { inner: Arc::new(Inner { origin, parts, ..inner }) }
    }

    /// Returns the subject: the `sub` claim ([RFC 7519 §4.1.2]).
    ///
    /// It is unique within its issuer only: a service that trusts several keeps users apart by
    /// issuer *and* subject. It is empty only where
    /// [`dangerous_optional_subject`](crate::Issuer::dangerous_optional_subject) allows that.
    ///
    /// [RFC 7519 §4.1.2]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2
    #[must_use]
    pub fn subject(&self) -> &str {
        self.text(&self.inner.parts.subject)
    }

    /// Returns the issuer: the `iss` claim ([RFC 7519 §4.1.1]), or the configured name of an issuer
    /// whose tokens have none.
    ///
    /// [RFC 7519 §4.1.1]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.1
    #[must_use]
    pub fn issuer(&self) -> &str {
        match &self.inner.parts.token_issuer {
            Some(text) => self.text(text),
            None => self.inner.origin.name(),
        }
    }

    /// Returns the client that the token was issued to: `client_id` ([RFC 8693 §4.3]), else `azp`.
    ///
    /// [RFC 8693 §4.3]: https://www.rfc-editor.org/rfc/rfc8693#section-4.3
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.inner.parts.client_id.as_ref().map(|text| self.text(text))
    }

    /// Returns the id of the token: `jti` ([RFC 7519 §4.1.7]).
    ///
    /// [RFC 7519 §4.1.7]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.inner.parts.token_id.as_ref().map(|text| self.text(text))
    }

    /// Returns who acts for the subject now, if anyone does ([RFC 8693 §4.1]).
    ///
    /// [RFC 8693 §4.1]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1
    #[must_use]
    pub fn actor(&self) -> Option<&Actor> {
        self.inner.parts.actors.first()
    }

    /// Returns the chain of actors, the acting party first. The ones behind it acted before and
    /// are for the record: access decisions look at the first alone ([RFC 8693 §4.1]).
    ///
    /// [RFC 8693 §4.1]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1
    #[must_use]
    pub fn actors(&self) -> &[Actor] {
        &self.inner.parts.actors
    }

    /// Returns when the token expires ([RFC 7519 §4.1.4]), if it does.
    ///
    /// [RFC 7519 §4.1.4]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
    #[must_use]
    pub fn expires_at(&self) -> Option<NumericDate> {
        self.inner.parts.expires_at
    }

    /// Returns when the token was issued ([RFC 7519 §4.1.6]).
    ///
    /// [RFC 7519 §4.1.6]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.6
    #[must_use]
    pub fn issued_at(&self) -> Option<NumericDate> {
        self.inner.parts.issued_at
    }

    /// Reads all claims as a type of the application.
    ///
    /// # Errors
    ///
    /// - Kind [`AuthErrorKind::MalformedClaim`], with the cause as its source, if the claims are not
    ///   of that type.
    /// - Kind [`AuthErrorKind::ClaimNotIncluded`] if the token [does not include](Grant#claims-that-the-token-does-not-include)
    ///   a claim that the type may read: a struct reads those that it has fields for, and any other
    ///   type, such as a map or a struct with flattened fields, reads each.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, AuthError> {
        self.check_included(|absent| may_read::<T>(&|field| absent.has_name(field)))?;
        serde_json::from_str(&self.inner.claims).map_err(|error| malformed(&error))
    }

    /// Reads one claim as a type of the application; `None` if it is not there. The claim is named
    /// by its member name, not by a JSON pointer.
    ///
    /// # Errors
    ///
    /// - Kind [`AuthErrorKind::MalformedClaim`] if the claim is of another type.
    /// - Kind [`AuthErrorKind::ClaimNotIncluded`] if the token names another source for the claim
    ///   instead of including it.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, AuthError> {
        self.check_included(|absent| absent.has_name(name))?;
        let value = self.object().and_then(|claims| claims.find(name));
        value
            .map(|value| serde_json::from_str(&value.json()).map_err(|error| malformed(&error)))
            .transpose()
    }

    /// Rejects a read of claims that the token does not include.
    #[inline]
    fn check_included(&self, is_read: impl Fn(&NotIncluded<'_>) -> bool) -> Result<(), AuthError> {
        if !self.inner.parts.names_other_sources {
            return Ok(());
        }
        let claims = self.object().ok_or(AuthErrorKind::MalformedToken)?;
        match NotIncluded::of(&claims)? {
            Some(absent) if is_read(&absent) => {
                // Counted too: a function of the application may drop the error, and go on as with a
                // claim that is absent.
                reads::count();
                Err(not_included())
            }
            _ => Ok(()),
        }
    }

    /// Reads the claim at a path.
    pub(crate) fn claim_at<T: DeserializeOwned>(
        &self,
        path: &ClaimPath,
    ) -> Result<Option<T>, AuthError> {
        let claims = self.object().ok_or(AuthErrorKind::MalformedToken)?;
        let value = path.find_included(&claims)?;
        value
            .map(|value| serde_json::from_str(&value.json()).map_err(|error| malformed(&error)))
            .transpose()
    }

    /// Makes the standard grant from the claims, by the [mapping](crate::Issuer::grant_mapping) of the
    /// issuer: for an application whose own grant has it inside.
    ///
    /// # Errors
    ///
    /// Kind [`AuthErrorKind::MalformedClaim`] if a claim of the mapping has another type, and what a
    /// mapping [of the application's own](crate::GrantMapping::from_fn) rejects. Kind
    /// [`AuthErrorKind::InternalError`] if such a mapping calls this method.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis::{Authenticator, Grant};
    ///
    /// struct Rights {
    ///     standard: Grant,
    ///     credit: u32,
    /// }
    ///
    /// let builder = Authenticator::builder().with_grant_from(|caller| {
    ///     let credit = caller.claim("credit")?.unwrap_or(0);
    ///     Ok(Rights { standard: caller.standard_grant()?, credit })
    /// });
    /// ```
    pub fn standard_grant(&self) -> Result<Grant, AuthError> {
        self.inner.origin.mapping.grant_of(self)
    }

    pub(crate) fn claims_text(&self) -> &str {
        &self.inner.claims
    }

    /// Returns the name that the issuer, or the strategy, has in the configuration. It differs from the
    /// token's [issuer](Self::issuer) where any is trusted.
    #[must_use]
    pub fn trusted_issuer(&self) -> &str {
        self.inner.origin.name()
    }

    /// Tells whether the token is meant for this audience: the `aud` claim ([RFC 7519 §4.1.3]).
    ///
    /// [RFC 7519 §4.1.3]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3
    #[must_use]
    pub fn has_audience(&self, audience: &str) -> bool {
        let Some(claims) = self.object() else { return false };
        let Some(claim) = claims.get(Name::Aud) else { return false };
        match claim.as_str() {
            Some(only) => only == audience,
            None => {
                let mut found = false;
                let read = claim.each_element(|element| {
                    found |= element.as_str()? == audience;
                    Some(())
                });
                found && read.is_some()
            }
        }
    }

    /// Returns what the token is looked up by among revocations.
    pub(crate) fn question(&self) -> Question<'_> {
        let revocable = self.inner.parts.revocable.as_deref();
        let key = self.inner.parts.key.as_ref();
        let session = revocable.and_then(|revocable| revocable.session.as_ref());
        Question {
            issuer: self.issuer(),
            known_issuer: Some(self.inner.origin.issuer_name()),
            jti: self.token_id(),
            subject: Some(self.subject()).filter(|subject| !subject.is_empty()),
            session: session.map(|text| self.text(text)),
            client: self.client_id(),
            thumbprint: key.and_then(VerificationKey::thumbprint),
            issued_at: revocable.map_or(self.issued_at(), |revocable| revocable.issued_at),
        }
    }

    /// Returns the key that verified the token. `None` for a caller that a [strategy](crate::strategy::Strategy)
    /// has accepted, such as a static token or a tenant's.
    #[must_use]
    pub fn verification_key(&self) -> Option<&VerificationKey> {
        let parts = &self.inner.parts;
        parts.key.as_ref().filter(|_| !self.inner.origin.is_of_strategy())
    }

    /// Returns whether the token came in a cookie. A page must not read such a token: no response may have it,
    /// or one like it, in another field than `Set-Cookie`.
    #[must_use]
    pub fn is_from_cookie(&self) -> bool {
        self.inner.parts.is_from_cookie
    }

    /// Returns whether the token may be used [once](crate::Issuer::one_time).
    #[must_use]
    pub fn is_one_time(&self) -> bool {
        self.inner.origin.one_time
    }

    /// Makes an entry that revokes the token of this caller until it has expired; `None` if it has no `jti`.
    #[must_use]
    pub fn revocation(&self) -> Option<Revocation> {
        let entry = Revocation::new(self.issuer(), Revoked::Token(self.token_id()?.into()));
        Some(match self.remembered_until() {
            Some(until) => entry.until(until),
            None => entry,
        })
    }

    /// Returns when no replica accepts the token any more, if it expires.
    pub(crate) fn remembered_until(&self) -> Option<NumericDate> {
        let end = self.expires_at()?.saturating_add(self.inner.origin.leeway);
        Some(end.saturating_add(CLOCK_MARGIN))
    }

    /// Returns when the token ends, without the leeway of its issuer: at its `exp`, or when it reaches the
    /// [maximum age](crate::Issuer::max_age) if that is earlier. A token that was derived from it must not be
    /// valid for longer.
    #[must_use]
    pub fn ends_at(&self) -> Option<NumericDate> {
        let oldest = self.origin().max_age.zip(self.issued_at());
        let too_old = oldest.map(|(max_age, issued_at)| issued_at.saturating_add(max_age));
        self.expires_at().into_iter().chain(too_old).min()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.inner.origin
    }

    /// Reads the claims again. They were one object when the token was accepted.
    pub(crate) fn object(&self) -> Option<Object<'_>> {
        Object::parse(&self.inner.claims).ok()
    }

    fn text<'a>(&'a self, text: &'a Text) -> &'a str {
        text.resolve(&self.inner.claims)
    }
}

/// Says where the claims do not fit. The text of the error is left out: it quotes their values,
/// which belong into no log.
fn malformed(error: &serde_json::Error) -> AuthError {
    let place = format!("{:?} error at column {}", error.classify(), error.column());
    AuthError::with_source(AuthErrorKind::MalformedClaim, place)
}

impl fmt::Debug for Principal {
    /// Shows who calls, and none of the other claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("subject", &self.subject())
            .field("issuer", &self.issuer())
            .field("client_id", &self.client_id())
            .field("actors", &self.actors())
            .finish_non_exhaustive()
    }
}

impl Serialize for Principal {
    /// Writes `subject`, `issuer`, `client_id` and `actors`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut principal = serializer.serialize_struct("Principal", 4)?;
        principal.serialize_field("subject", self.subject())?;
        principal.serialize_field("issuer", self.issuer())?;
        principal.serialize_field("client_id", &self.client_id())?;
        principal.serialize_field("actors", self.actors())?;
        principal.end()
    }
}

/// A party that acts for the subject ([RFC 8693 §4.1]).
///
/// [RFC 8693 §4.1]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Actor {
    pub(crate) subject: Box<str>,
    pub(crate) issuer: Option<Box<str>>,
}

impl Actor {
    /// Returns the actor's subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the issuer that the subject belongs to; without one it is the token's.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }
}
