//! The rules for the claims of an issuer's tokens.

use std::{sync::Arc, time::Duration};

use super::Issuer;
use crate::{
    AuthError, NumericDate, Principal, TokenProfile, TokenType, grant_source::PrincipalMapping,
};

/// How far clocks may differ, unless configured otherwise.
pub(crate) const LEEWAY: Duration = Duration::from_secs(60);

/// The rules that need no compiling.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) leeway: Duration,
    /// `None`: any.
    pub(crate) types: Option<Vec<TokenType>>,
    /// Whether the tokens report events, which access tokens must not.
    pub(crate) reports_events: bool,
    /// Whether an `exp` of zero is one.
    pub(crate) zero_is_a_date: bool,
    /// Whether a date may lie between two seconds.
    pub(crate) fractions_count: bool,
    pub(crate) expiry_required: bool,
    pub(crate) subject_required: bool,
    /// `None`: all.
    pub(crate) subjects: Option<Vec<String>>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) max_lifetime: Option<Duration>,
    pub(crate) bound_tokens_ignored: bool,
    pub(crate) required: Vec<String>,
    pub(crate) jti_required: bool,
    /// Whether a token may be used once.
    pub(crate) one_time: bool,
    /// The checks of the application.
    pub(crate) checks: Vec<Arc<PrincipalMapping<()>>>,
}

impl Rules {
    /// Reads the text of a JSON number as a date.
    pub(crate) fn date(&self, number: &str) -> Option<NumericDate> {
        let date = NumericDate::from_json_number(number)?;
        Some(if self.fractions_count { date } else { date.whole_seconds() })
    }

    /// Runs the checks of the application.
    pub(crate) fn validate(&self, caller: &Principal) -> Result<(), AuthError> {
        self.checks.iter().try_for_each(|check| check.map(caller))
    }

    /// Tells whether a date that a token has is one.
    pub(crate) fn counts(&self, date: NumericDate) -> bool {
        self.zero_is_a_date || date != NumericDate::EPOCH
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            leeway: LEEWAY,
            types: Some(vec![TokenType::Absent, TokenType::Jwt, TokenType::AtJwt]),
            reports_events: false,
            zero_is_a_date: true,
            fractions_count: true,
            expiry_required: true,
            subject_required: true,
            subjects: None,
            max_age: None,
            max_lifetime: None,
            bound_tokens_ignored: false,
            required: Vec::new(),
            jti_required: false,
            one_time: false,
            checks: Vec::new(),
        }
    }
}

impl Issuer {
    /// How far clocks may differ. Default: 60 seconds.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// The types that `typ` may name ([RFC 8725 §3.11]). Default: absent, `JWT`, `at+jwt`.
    ///
    /// [RFC 8725 §3.11]: https://www.rfc-editor.org/rfc/rfc8725#section-3.11
    pub fn token_types<I: IntoIterator<Item = TokenType>>(mut self, types: I) -> Self {
        self.rules.types = Some(types.into_iter().collect());
        self
    }

    /// Accepts tokens whatever their `typ` says.
    ///
    /// # Security
    ///
    /// What the issuer signed for another purpose, such as an ID token, then works as an access token here,
    /// wherever its other claims happen to fit ([RFC 8725 §2.8]). Logout tokens and other security events are
    /// rejected all the same: they have a claim `events`.
    ///
    /// [RFC 8725 §2.8]: https://www.rfc-editor.org/rfc/rfc8725#section-2.8
    pub fn dangerous_any_token_type(mut self) -> Self {
        self.rules.types = None;
        self
    }

    /// Switches a published set of rules on, on top of those set so far.
    pub fn profile(mut self, profile: TokenProfile) -> Self {
        match profile {
            TokenProfile::AtJwt => {
                self.rules.types = Some(vec![TokenType::AtJwt]);
                self.rules.expiry_required = true;
                self.rules.subject_required = true;
                self.required_claims(["iss", "aud", "client_id", "iat", "jti"])
            }
        }
    }

    /// Adds claims that must be there: member names, or JSON pointers with a leading slash. `null`
    /// counts as missing.
    pub fn required_claims<I: IntoIterator<Item: Into<String>>>(mut self, claims: I) -> Self {
        self.rules.required.extend(claims.into_iter().map(Into::into));
        self
    }

    /// Adds a check of the application for every token of this issuer, for rules that no setting has.
    ///
    /// It runs after the signature and the claims of the token were found valid, and before its grant is
    /// made, for each request, so it must be quick. The request is rejected with the error that it returns, for example
    /// of the kind [`WrongSubject`](crate::AuthErrorKind::WrongSubject) (401) or
    /// [`NotPermitted`](crate::AuthErrorKind::NotPermitted) (403). If it panics, the request is rejected with an
    /// [internal error](crate::AuthErrorKind::InternalError). If it reads a claim that the token
    /// [does not include](crate::Grant#claims-that-the-token-does-not-include), the request is rejected, whatever it
    /// returns. Several checks all run, in the order in which they were added.
    ///
    /// It can only reject: no check of the engine is relaxed by it.
    ///
    /// ```
    /// use portcullis::{AuthErrorKind, Issuer};
    ///
    /// let issuer = Issuer::new("https://idp.example.com").validate(|caller| {
    ///     let use_of_token: Option<String> = caller.claim("token_use")?;
    ///     match use_of_token.as_deref() {
    ///         Some("access") => Ok(()),
    ///         _ => Err(AuthErrorKind::WrongType.into()),
    ///     }
    /// });
    /// ```
    pub fn validate(
        mut self,
        check: impl Fn(&Principal) -> Result<(), AuthError> + Send + Sync + 'static,
    ) -> Self {
        self.rules.checks.push(Arc::new(PrincipalMapping::new(check)));
        self
    }

    /// The subjects that this issuer may speak for. Default: all.
    pub fn subjects<I: IntoIterator<Item: Into<String>>>(mut self, subjects: I) -> Self {
        self.rules.subjects = Some(subjects.into_iter().map(Into::into).collect());
        self
    }

    /// The longest time since `iat`, which then must be there. Default: no limit.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.rules.max_age = Some(max_age);
        self
    }

    /// The longest time from `iat` to `exp`, which then must be there. Default: no limit.
    pub fn max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.rules.max_lifetime = Some(max_lifetime);
        self
    }

    /// Rejects tokens without `jti`. Default: as the engine's
    /// [revocations](crate::AuthenticatorBuilder::revocations) say, if it has any.
    pub fn require_jti(mut self) -> Self {
        self.rules.jti_required = true;
        self
    }

    /// Accepts each token once: the second request with it is rejected as
    /// [`TokenReplayed`](crate::AuthErrorKind::TokenReplayed), also if the first one failed later. A token is
    /// known by its `jti`, which must be there as `exp` must. The engine needs a
    /// [`replay_store`](crate::AuthenticatorBuilder::replay_store).
    ///
    /// A token is used when all checks of the engine have passed and the caller's grant is made, by the
    /// first layer that accepts it. A request that an inner layer judges again needs another token.
    pub fn one_time(mut self) -> Self {
        self.rules.jti_required = true;
        self.rules.one_time = true;
        self
    }

    /// Accepts tokens without `exp`, which stay good for ever.
    ///
    /// # Security
    ///
    /// A stolen token of that kind works until its key is withdrawn.
    pub fn dangerous_optional_expiry(mut self) -> Self {
        self.rules.expiry_required = false;
        self
    }

    /// Cuts the fractions of `exp`, `nbf` and `iat` off, as services do whose dates are whole seconds: a
    /// token ends, and begins, up to a second earlier. Default: they count ([RFC 7519 §2]).
    ///
    /// [RFC 7519 §2]: https://www.rfc-editor.org/rfc/rfc7519#section-2
    pub fn whole_seconds(mut self) -> Self {
        self.rules.fractions_count = false;
        self
    }

    /// Takes an `exp`, `nbf` or `iat` of `0` for one that is not there, as services in Go do whose
    /// dates have zero for "none"; where the claim is [required](Self::required_claims) it is missing.
    /// Default: it is the date 1970-01-01T00:00:00Z, so that a token with
    /// `exp: 0` has expired.
    ///
    /// # Security
    ///
    /// With [`dangerous_optional_expiry`](Self::dangerous_optional_expiry), a token that an issuer meant
    /// to be dead from the start stays good for ever.
    pub fn dangerous_zero_is_no_date(mut self) -> Self {
        self.rules.zero_is_a_date = false;
        self
    }

    /// Accepts tokens without `sub`. The [subject](crate::Principal::subject) is empty then.
    ///
    /// # Security
    ///
    /// Code that keeps users apart by subject takes all such callers for one.
    pub fn dangerous_optional_subject(mut self) -> Self {
        self.rules.subject_required = false;
        self
    }

    /// Accepts tokens with a `cnf` claim as if they had none. Default: they are rejected, because
    /// the binding to their sender is not checked ([RFC 7800 §3.1]).
    ///
    /// # Security
    ///
    /// Whoever steals such a token can use it here, which its issuer meant to prevent.
    ///
    /// [RFC 7800 §3.1]: https://www.rfc-editor.org/rfc/rfc7800#section-3.1
    pub fn dangerous_ignore_binding(mut self) -> Self {
        self.rules.bound_tokens_ignored = true;
        self
    }
}
