//! Are the claims right? ([RFC 7519 §7.2], [RFC 9068 §4])
//!
//! [RFC 7519 §7.2]: https://www.rfc-editor.org/rfc/rfc7519#section-7.2
//! [RFC 9068 §4]: https://www.rfc-editor.org/rfc/rfc9068#section-4

use super::verify::VerifiedJws;
use crate::{
    AuthError, AuthErrorKind, NumericDate, VerificationKey,
    claims::ClaimPath,
    issuer::{IssuerConfig, Origin},
    json::{Kind, Name, Object, Value},
};

/// A token whose claims hold, here and now.
#[derive(Debug)]
pub(super) struct ValidClaims<'a> {
    verified: VerifiedJws<'a>,
    dates: Dates,
}

impl<'a> ValidClaims<'a> {
    pub(super) fn issuer(&self) -> &'a IssuerConfig {
        self.verified.issuer()
    }

    pub(super) fn claim(&self, name: Name) -> Option<Value<'a>> {
        self.verified.claim(name)
    }

    pub(super) fn claims(&self) -> &'a Object<'a> {
        self.verified.claims()
    }

    pub(super) fn key(&self) -> &'a VerificationKey {
        self.verified.key()
    }

    pub(super) fn claims_text(&self) -> &'a str {
        self.verified.claims_text()
    }

    pub(super) fn expires_at(&self) -> Option<NumericDate> {
        self.dates.expires_at
    }

    pub(super) fn issued_at(&self) -> Option<NumericDate> {
        self.dates.issued_at
    }
}

type Check = Result<(), AuthError>;

/// Checks every claim that the issuer's rules speak of.
///
/// A claim that is there with another JSON type than its definition says is an error, whether a
/// rule needs it or not: nothing is ever taken for absent.
///
/// # Errors
///
/// The kinds from [`AuthErrorKind::WrongType`] to [`AuthErrorKind::WrongSubject`].
pub(super) fn validate<'a>(
    token: VerifiedJws<'a>,
    now: NumericDate,
) -> Result<ValidClaims<'a>, AuthError> {
    let issuer = token.issuer();
    check_type(&token, issuer)?;
    check_events(&token, issuer)?;
    let dates = Dates::read(&token, issuer)?;
    dates.check(issuer, now)?;
    check_audience(&token, issuer)?;
    check_subject(&token, issuer)?;
    check_required(&token, issuer)?;
    Ok(ValidClaims { verified: token, dates })
}

/// `typ` ([RFC 8725 §3.11]).
///
/// [RFC 8725 §3.11]: https://www.rfc-editor.org/rfc/rfc8725#section-3.11
fn check_type(token: &VerifiedJws<'_>, issuer: &IssuerConfig) -> Check {
    let typ = token.header().typ();
    let Some(types) = &issuer.rules.types else { return Ok(()) };
    let allowed = types.iter().any(|own| own.is_named_by(typ));
    if allowed { Ok(()) } else { Err(AuthErrorKind::WrongType.into()) }
}

/// `events` ([RFC 8417 §2.2]): a token that reports events, such as a logout token, grants no access, whatever
/// its `typ` says.
///
/// [RFC 8417 §2.2]: https://www.rfc-editor.org/rfc/rfc8417#section-2.2
fn check_events(token: &VerifiedJws<'_>, issuer: &IssuerConfig) -> Check {
    match (token.claim(Name::Events), issuer.rules.reports_events) {
        (None, false) | (Some(_), true) => Ok(()),
        (Some(_), false) => {
            let reason = "a token with `events` is not an access token";
            Err(AuthError::because(AuthErrorKind::WrongType, reason))
        }
        (None, true) => Err(missing("no `events`")),
    }
}

/// `exp`, `nbf` and `iat` ([RFC 7519 §4.1.4] to §4.1.6).
///
/// [RFC 7519 §4.1.4]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
#[derive(Debug)]
struct Dates {
    expires_at: Option<NumericDate>,
    not_before: Option<NumericDate>,
    issued_at: Option<NumericDate>,
}

impl Dates {
    fn read(token: &VerifiedJws<'_>, issuer: &IssuerConfig) -> Result<Self, AuthError> {
        let rules = &issuer.rules;
        let counts = |date: &NumericDate| rules.counts(*date);
        let date = |name, reason| match token.claim(name) {
            None => Ok(None),
            Some(value) => {
                let date = value.as_number().and_then(|number| rules.date(number));
                date.map(|date| Some(date).filter(counts)).ok_or_else(|| malformed(reason))
            }
        };
        Ok(Self {
            expires_at: date(Name::Exp, "`exp` is not a NumericDate")?,
            not_before: date(Name::Nbf, "`nbf` is not a NumericDate")?,
            issued_at: date(Name::Iat, "`iat` is not a NumericDate")?,
        })
    }

    fn check(&self, issuer: &IssuerConfig, now: NumericDate) -> Check {
        let rules = &issuer.rules;
        let (early, late) = (now.saturating_add(rules.leeway), now.saturating_sub(rules.leeway));
        match self.expires_at {
            Some(expires_at) if late >= expires_at => {
                return Err(AuthErrorKind::TokenExpired.into());
            }
            None if rules.expiry_required => return Err(missing("no `exp`")),
            _ => {}
        }
        if self.not_before.is_some_and(|not_before| not_before > early) {
            return Err(AuthErrorKind::TokenNotYetValid.into());
        }
        if self.issued_at.is_some_and(|issued_at| issued_at > early) {
            return Err(AuthErrorKind::IssuedInFuture.into());
        }
        if let Some(max_age) = rules.max_age {
            let issued_at = self.issued_at.ok_or_else(|| missing("no `iat` to tell the age by"))?;
            if late.saturating_since(issued_at) > max_age {
                return Err(AuthErrorKind::TokenTooOld.into());
            }
        }
        if let Some(max_lifetime) = rules.max_lifetime {
            let issued_at =
                self.issued_at.ok_or_else(|| missing("no `iat` to tell the lifetime by"))?;
            let expires_at =
                self.expires_at.ok_or_else(|| missing("no `exp` to tell the lifetime by"))?;
            if expires_at.saturating_since(issued_at) > max_lifetime {
                return Err(AuthErrorKind::LifetimeTooLong.into());
            }
        }
        Ok(())
    }
}

/// Returns from when on the dates of a token are rejected that are good now, and as what: the later
/// side of [`Dates::check`].
pub(crate) fn good_until(
    origin: &Origin,
    expires_at: Option<NumericDate>,
    issued_at: Option<NumericDate>,
) -> Option<(NumericDate, AuthErrorKind)> {
    let late = |date: NumericDate, kind| (date.saturating_add(origin.leeway), kind);
    let expiry = expires_at.map(|date| late(date, AuthErrorKind::TokenExpired));
    let too_old = origin
        .max_age
        .zip(issued_at)
        .map(|(max_age, date)| late(date.saturating_add(max_age), AuthErrorKind::TokenTooOld));
    expiry.into_iter().chain(too_old).min_by_key(|(date, _)| *date)
}

/// `aud` ([RFC 7519 §4.1.3]): one of ours, in a string or a list of strings.
///
/// [RFC 7519 §4.1.3]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3
fn check_audience(token: &VerifiedJws<'_>, issuer: &IssuerConfig) -> Check {
    const MALFORMED: AuthError = malformed("`aud` is neither a string nor a list of strings");
    let is_ours = |audience: &str| match &issuer.audiences {
        None => true,
        Some(ours) => ours.iter().any(|own| own == audience),
    };
    let Some(claim) = token.claim(Name::Aud) else {
        return if issuer.audiences.is_none() { Ok(()) } else { Err(missing("no `aud`")) };
    };
    let mut found = issuer.audiences.is_none();
    if let Some(audience) = claim.as_str() {
        found |= is_ours(&audience);
    } else {
        // To the end, so that one good entry does not hide a bad one.
        let read = claim.each_element(|element| {
            found |= is_ours(&element.as_str()?);
            Some(())
        });
        read.ok_or(MALFORMED)?;
    }
    if found { Ok(()) } else { Err(AuthErrorKind::WrongAudience.into()) }
}

/// `sub` ([RFC 7519 §4.1.2]).
///
/// [RFC 7519 §4.1.2]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2
fn check_subject(token: &VerifiedJws<'_>, issuer: &IssuerConfig) -> Check {
    let rules = &issuer.rules;
    let subject = match token.claim(Name::Sub) {
        None if rules.subject_required => return Err(missing("no `sub`")),
        None => None,
        Some(value) => Some(value.as_str().ok_or_else(|| malformed("`sub` is not a string"))?),
    };
    if rules.subject_required && subject.as_deref() == Some("") {
        return Err(malformed("`sub` is empty"));
    }
    let Some(allowed) = &rules.subjects else { return Ok(()) };
    let speaks_for = |subject: &str| allowed.iter().any(|own| own == subject);
    if subject.is_some_and(|subject| speaks_for(&subject)) {
        Ok(())
    } else {
        Err(AuthErrorKind::WrongSubject.into())
    }
}

fn check_required(token: &VerifiedJws<'_>, issuer: &IssuerConfig) -> Check {
    if issuer.rules.jti_required && token.claim(Name::Jti).is_none_or(is_null) {
        return Err(missing("no `jti`"));
    }
    for path in &issuer.required {
        if !has_required(token, path)? {
            return Err(missing("a claim that the issuer's rules require"));
        }
    }
    Ok(())
}

/// Tells whether a token has a claim that is required. A date that is none is not there.
pub(crate) fn has_required(token: &VerifiedJws<'_>, path: &ClaimPath) -> Result<bool, AuthError> {
    let Some(value) = path.find(token.claims())? else { return Ok(false) };
    let rules = &token.issuer().rules;
    let is_none =
        |number| path.is_date() && rules.date(number).is_some_and(|date| !rules.counts(date));
    Ok(value.kind() != Kind::Null && !value.as_number().is_some_and(is_none))
}

fn is_null(value: Value<'_>) -> bool {
    value.kind() == Kind::Null
}

const fn malformed(reason: &'static str) -> AuthError {
    AuthError::because(AuthErrorKind::MalformedClaim, reason)
}

const fn missing(reason: &'static str) -> AuthError {
    AuthError::because(AuthErrorKind::MissingClaim, reason)
}
