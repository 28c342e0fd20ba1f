//! Who acts for whom ([RFC 8693 §4]).
//!
//! [RFC 8693 §4]: https://www.rfc-editor.org/rfc/rfc8693#section-4

use portcullis::Principal;
use serde_json::{Map, Value};

/// How many actors a token may name, the acting party included.
const MAX_ACTORS: usize = 5;

/// Why tokens are not acceptable together. The text is for the log.
type Check<T> = Result<T, &'static str>;

/// Checks a token of a request.
///
/// # Errors
///
/// It is an ID token, which says who has logged in, and grants no access ([OpenID Connect Core §2]).
///
/// [OpenID Connect Core §2]: https://openid.net/specs/openid-connect-core-1_0.html#IDToken
pub(super) fn check_token(token: &Principal) -> Check<()> {
    for name in ["at_hash", "c_hash"] {
        if !matches!(token.claim::<Value>(name), Ok(None)) {
            return Err("a token with `at_hash` or `c_hash` is an ID token");
        }
    }
    Ok(())
}

/// Checks that the actor may act for the subject, as far as the tokens say.
///
/// - `may_act` of the subject token names who may act ([RFC 8693 §4.4]). All its members must be equal to the claims
///   of the actor token, and its `iss` is that of the subject token if it has none. Without an actor token, the client
///   would act as the subject itself, and nothing shows that it is the one that is named.
/// - An actor token with `act` is of a party for which somebody acts. The chain of actors has one place for both.
///
/// [RFC 8693 §4.4]: https://www.rfc-editor.org/rfc/rfc8693#section-4.4
pub(super) fn check_actor(subject: &Principal, actor: Option<&Principal>) -> Check<()> {
    if actor.is_some_and(|actor| actor.actor().is_some()) {
        return Err("the actor token has an actor");
    }
    if actor.is_some_and(|actor| actor.subject().is_empty()) {
        return Err("the actor token has no subject");
    }
    let may_act = subject.claim::<Map<String, Value>>("may_act");
    let Some(may_act) = may_act.map_err(|_| "`may_act` is not an object")? else { return Ok(()) };
    let actor = actor.ok_or("the subject token has `may_act`, and there is no actor token")?;
    if may_act_allows(&may_act, subject, actor) {
        Ok(())
    } else {
        Err("`may_act` does not allow the actor")
    }
}

/// Returns `may_act` for a token that is issued by `issuer`, so that the next exchange is limited as this one is. An actor
/// without an issuer is of that of the subject token, which is added.
///
/// # Errors
///
/// `may_act` is not an object.
pub(super) fn may_act(subject: &Principal, issuer: &str) -> Check<Option<Value>> {
    let may_act = subject.claim::<Map<String, Value>>("may_act");
    let Some(mut may_act) = may_act.map_err(|_| "`may_act` is not an object")? else {
        return Ok(None);
    };
    if subject.issuer() != issuer {
        may_act.entry("iss").or_insert_with(|| subject.issuer().into());
    }
    Ok(Some(may_act.into()))
}

fn may_act_allows(may_act: &Map<String, Value>, subject: &Principal, actor: &Principal) -> bool {
    let is_equal = |(name, value): (&String, &Value)| match name.as_str() {
        "iss" => value == actor.issuer(),
        _ => matches!(actor.claim::<Value>(name), Ok(Some(own)) if own == *value),
    };
    let is_of_issuer = may_act.contains_key("iss") || actor.issuer() == subject.issuer();
    may_act.contains_key("sub") && is_of_issuer && may_act.iter().all(is_equal)
}

/// The acting party of an exchanged token.
#[derive(Clone, Copy, Debug)]
pub(super) struct ActingParty<'a> {
    pub(super) subject: &'a str,
    pub(super) issuer: &'a str,
}

/// Checks that a tenant, or another source that is not a configured issuer, does not name actors of `issuer`, which
/// issues the exchanged tokens.
pub(super) fn check_former_actors(subject: &Principal, issuer: &str) -> Check<()> {
    let is_configured =
        subject.verification_key().is_some() && subject.issuer() == subject.trusted_issuer();
    let names_own = subject.actors().iter().any(|actor| actor.issuer() == Some(issuer));
    if names_own && !is_configured {
        return Err("a source that is not a configured issuer names an actor of this service");
    }
    Ok(())
}

/// Returns the claim `act` of a token that is issued by `issuer`: the acting party, and behind it the actors of the
/// subject token, with nothing but their names.
///
/// An actor without an issuer is of that of its token. The exchanged token has another one, so that it is added.
///
/// # Errors
///
/// There are more than five actors.
pub(super) fn act(
    subject: &Principal,
    acting: Option<ActingParty<'_>>,
    issuer: &str,
) -> Check<Option<Value>> {
    let former = subject.actors().iter().map(|actor| ActingParty {
        subject: actor.subject(),
        issuer: actor.issuer().unwrap_or(subject.issuer()),
    });
    let actors: Vec<_> = acting.into_iter().chain(former).collect();
    if actors.len() > MAX_ACTORS {
        return Err("there are more than five actors");
    }
    Ok(actors.into_iter().rev().fold(None, |inner, actor| {
        let own_issuer = (actor.issuer != issuer).then(|| actor.issuer.into());
        let members = [("sub", Some(actor.subject.into())), ("iss", own_issuer), ("act", inner)];
        let members = members.into_iter();
        let object = members.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Some(Value::Object(object.collect()))
    }))
}
