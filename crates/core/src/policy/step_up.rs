//! Rules about how, and how long ago, the user logged in ([RFC 9470]).
//!
//! [RFC 9470]: https://www.rfc-editor.org/rfc/rfc9470

use std::{sync::Arc, time::Duration};

use super::{
    Node, Policy,
    authorize::{Answer, Denial},
    tree::is_visible_ascii,
};
use crate::{
    AuthError, AuthErrorKind, NumericDate, Principal,
    claims::{NotIncluded, not_included},
    error::StepUp,
};

/// The user logged in with one of these authentication context classes, the preferred one first:
/// the claim `acr` has one of them ([RFC 9470 §4]).
///
/// A caller without is rejected with 401, and the challenge asks for
/// `error="insufficient_user_authentication", acr_values="…"` ([RFC 9470 §3]): a client can send its
/// user to log in again, and come back. Where it is needed together with [`max_age`], the challenge
/// names both. A claim of another type than text is
/// [malformed](AuthErrorKind::MalformedClaim).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use portcullis::policy::{acr_values, max_age, scope};
///
/// let transfer = scope("transfers:write")
///     .and(acr_values(["urn:example:gold", "urn:example:silver"]))
///     .and(max_age(Duration::from_secs(300)));
/// ```
///
/// [RFC 9470 §3]: https://www.rfc-editor.org/rfc/rfc9470#section-3
/// [RFC 9470 §4]: https://www.rfc-editor.org/rfc/rfc9470#section-4
pub fn acr_values<I: IntoIterator<Item: AsRef<str>>>(values: I) -> Policy {
    let values: Vec<_> = values.into_iter().map(|value| value.as_ref().to_owned()).collect();
    if values.is_empty() || !values.iter().all(|value| is_visible_ascii(value)) {
        return Policy::senseless("no `acr` value, or one that a challenge cannot name");
    }
    let acr_values = Some(values.join(" ").into());
    Policy { node: Node::StepUp(Arc::new(StepUp { acr_values, max_age: None })) }
}

/// The user logged in no longer ago than this: by the claim `auth_time`, and the clock of the
/// engine ([RFC 9470 §4]). The issuer's [leeway](crate::Issuer::leeway) comes on top.
///
/// A caller whose login is older, or whose token does not tell when it was, is rejected with 401, and
/// the challenge asks for `error="insufficient_user_authentication", max_age="…"`
/// ([RFC 9470 §3]), in whole seconds. A time that is no NumericDate, or lies in the future, is
/// [malformed](AuthErrorKind::MalformedClaim).
///
/// [RFC 9470 §3]: https://www.rfc-editor.org/rfc/rfc9470#section-3
/// [RFC 9470 §4]: https://www.rfc-editor.org/rfc/rfc9470#section-4
pub fn max_age(max_age: Duration) -> Policy {
    Policy { node: Node::StepUp(Arc::new(StepUp { acr_values: None, max_age: Some(max_age) })) }
}

/// Decides whether the login is good enough.
pub(crate) fn check_login(step_up: &Arc<StepUp>, principal: &Principal) -> Answer {
    let claims = principal.object().ok_or_else(|| malformed("the claims are no object"))?;
    let absent = NotIncluded::of(&claims).map_err(Denial::Unknown)?;
    let find = |name| {
        if absent.as_ref().is_some_and(|absent| absent.has_name(name)) {
            return Err(Denial::Unknown(not_included()));
        }
        Ok(claims.find(name))
    };
    let not_enough = || Denial::No(AuthError::stepping_up(Arc::clone(step_up)));
    if step_up.acr_values.is_some() {
        let acr = find("acr")?.ok_or_else(not_enough)?;
        let acr = acr.as_str().ok_or_else(|| malformed("`acr` is not a string"))?;
        if !step_up.acr_values().any(|value| value == acr) {
            return Err(not_enough());
        }
    }
    if let Some(max_age) = step_up.max_age {
        let auth_time = find("auth_time")?.ok_or_else(not_enough)?;
        let auth_time = auth_time
            .as_number()
            .and_then(NumericDate::from_json_number)
            .ok_or_else(|| malformed("`auth_time` is not a NumericDate"))?;
        let origin = principal.origin();
        let (now, leeway) = (origin.engine().clock.now(), origin.leeway);
        if auth_time > now.saturating_add(leeway) {
            return Err(malformed("`auth_time` lies in the future"));
        }
        if now.saturating_sub(leeway).saturating_since(auth_time) > max_age {
            return Err(not_enough());
        }
    }
    Ok(())
}

fn malformed(reason: &'static str) -> Denial {
    Denial::Unknown(AuthError::because(AuthErrorKind::MalformedClaim, reason))
}
