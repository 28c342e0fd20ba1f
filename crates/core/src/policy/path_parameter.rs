//! Rules about a parameter of the request's path.

use std::sync::Arc;

use super::{
    Policy,
    authorize::{Answer, Denial},
};
use crate::{
    AuthError, AuthErrorKind, Principal,
    claims::ClaimPath,
    json::{Kind, Value},
};

/// Names a parameter of the request's path, such as `tenant` of the route `/tenants/{tenant}/jobs`,
/// for rules about its value.
///
/// The value is the one that the handler gets, without percent-encoding. A rule that names a
/// parameter which the route does not have never allows, and neither does its
/// [`not`](Policy::not): it is a fault of the application, answered with 500
/// ([`InternalError`](AuthErrorKind::InternalError)), and the log has the name. Where no route was
/// found at all, the answer is 403.
///
/// # Examples
///
/// ```
/// use portcullis::policy::path_parameter;
///
/// let own = path_parameter("user").equals_claim("sub");
/// let tenant = path_parameter("tenant")
///     .equals_claim("tenant")
///     .or(path_parameter("tenant").is_in_claim("tenants"));
/// ```
pub fn path_parameter(name: impl Into<Arc<str>>) -> PathParameter {
    PathParameter { name: name.into() }
}

/// A parameter of the request's path, by its name: see [`path_parameter`].
#[derive(Clone, Debug)]
#[must_use = "it does nothing until a rule is made of it"]
pub struct PathParameter {
    pub(super) name: Arc<str>,
}

impl PathParameter {
    /// The value equals a claim, which is named by its member name, or by a JSON pointer with a
    /// leading slash.
    ///
    /// - A string equals the same text, letter by letter.
    /// - A whole number equals its plain decimal form: `42` equals `42`, and not `042`, `+42` or
    ///   `42.0`, which some handler may take for the same number: these neither equal nor differ, so
    ///   that [`not`](Policy::not) does not allow them either. Nor does a claim like `4.2e1`.
    /// - A claim that is not there, or `null`, equals nothing. One of another type is
    ///   [malformed](AuthErrorKind::MalformedClaim).
    ///
    /// A subject is unique within its issuer only: mind that where several issuers are trusted.
    pub fn equals_claim(self, claim: &str) -> Policy {
        let Ok(path) = ClaimPath::parse(claim) else {
            return Policy::senseless(NO_PATH);
        };
        Policy::own_path_rule("equals_claim", self.name, move |value, principal, _| {
            let Some(claim) = find(&path, principal)? else { return Err(no()) };
            yes_or_no(equals(value, claim)?)
        })
    }

    /// The value equals an element of a claim that is a list: of strings, or whole numbers, which
    /// are compared as by [`equals_claim`](Self::equals_claim). A claim that is no list is taken for
    /// a list of one, as some issuers write it.
    pub fn is_in_claim(self, claim: &str) -> Policy {
        let Ok(path) = ClaimPath::parse(claim) else {
            return Policy::senseless(NO_PATH);
        };
        Policy::own_path_rule("is_in_claim", self.name, move |value, principal, _| {
            let Some(claim) = find(&path, principal)? else { return Err(no()) };
            if claim.kind() != Kind::Array {
                return yes_or_no(equals(value, claim)?);
            }
            let mut answer = Ok(false);
            // To the end, so that one good entry does not hide a bad one.
            let read = claim.each_element(|element| {
                answer = match (std::mem::replace(&mut answer, Ok(false)), equals(value, element)) {
                    (Ok(found), Ok(equal)) => Ok(found || equal),
                    (Err(rejection), _) | (_, Err(rejection)) => Err(rejection),
                };
                Some(())
            });
            read.ok_or_else(malformed)?;
            yes_or_no(answer?)
        })
    }

    /// A function of the application looks at the value, the caller and the grant, and may reject
    /// with any [kind](AuthErrorKind) of error.
    pub fn check<G>(
        self,
        function: impl Fn(&str, &Principal, &G) -> Result<(), AuthError> + Send + Sync + 'static,
    ) -> Policy<G> {
        Policy::path_rule("check", self.name, function)
    }

    /// A function of the application looks at the value, the caller and the grant, and takes its
    /// time; see [`check_async`](super::check_async).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use portcullis::{AuthErrorKind, Grant, Principal, policy::path_parameter};
    ///
    /// # async fn owner_of(order: &str) -> String { String::from("alice") }
    /// let own_order = path_parameter("order").check_async(
    ///     async |order: String, caller: Principal, _grant: Arc<Grant>| {
    ///         let is_own = owner_of(&order).await == caller.subject();
    ///         if is_own { Ok(()) } else { Err(AuthErrorKind::NotPermitted.into()) }
    ///     },
    /// );
    /// ```
    pub fn check_async<G, F>(
        self,
        function: impl Fn(String, Principal, Arc<G>) -> F + Send + Sync + 'static,
    ) -> Policy<G>
    where
        F: Future<Output = Result<(), AuthError>> + Send + 'static,
    {
        Policy::async_rule("check_async", Some(self.name), move |principal, grant, value| {
            // It is there: the rule names it.
            Box::pin(function(value.unwrap_or_default(), principal, grant))
        })
    }
}

const NO_PATH: &str = "a claim whose name is empty or no JSON pointer";

/// Finds the claim. `null` is not there.
fn find<'a>(path: &ClaimPath, principal: &'a Principal) -> Result<Option<Value<'a>>, Denial> {
    // The claims were one object when the token was accepted.
    let claims = principal.object().ok_or_else(malformed)?;
    let value = path.find_included(&claims).map_err(Denial::Unknown)?;
    Ok(value.filter(|value| value.kind() != Kind::Null))
}

/// Compares a text with a claim's string or number.
fn equals(value: &str, claim: Value<'_>) -> Result<bool, Denial> {
    if let Some(text) = claim.as_str() {
        return Ok(*text == *value);
    }
    let number = claim.as_number().ok_or_else(malformed)?;
    if is_plain_integer(number) && is_plain_integer(value) {
        return Ok(number == value);
    }
    Err(Denial::Unknown(AuthError::because(
        AuthErrorKind::NotPermitted,
        "a path parameter is compared with a number, and one of them is no plain decimal integer",
    )))
}

/// The one form that a whole number has in decimal digits: no zeros in front, no plus sign.
fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match digits.as_bytes() {
        [b'0'] => text == "0",
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn yes_or_no(yes: bool) -> Answer {
    if yes { Ok(()) } else { Err(no()) }
}

fn no() -> Denial {
    Denial::No(AuthErrorKind::NotPermitted.into())
}

fn malformed() -> Denial {
    Denial::Unknown(AuthError::because(
        AuthErrorKind::MalformedClaim,
        "a claim of a policy is neither a string, a number nor a list of these",
    ))
}
