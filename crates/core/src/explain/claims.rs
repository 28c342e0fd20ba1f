//! What the rules for claims compare with what.

use super::words::{any_of, date, quoted, relative, span};
use crate::{
    AuthErrorKind, NumericDate, TokenType,
    issuer::IssuerConfig,
    json::{Name, Value},
    pipeline::{VerifiedJws, has_required},
};

/// One comparison, in words, and the kind of error it has where it does not hold.
pub(super) struct Fact {
    pub(super) kind: AuthErrorKind,
    pub(super) text: String,
}

/// Returns what the stage `validate` compares, in its order.
pub(super) fn compare(token: &VerifiedJws<'_>, now: NumericDate) -> Vec<Fact> {
    let issuer = token.issuer();
    let rules = &issuer.rules;
    let mut facts = Vec::new();
    let mut add = |kind, text| facts.push(Fact { kind, text });
    add(
        AuthErrorKind::WrongType,
        match token.claim(Name::Events) {
            None => types(token.typ(), rules.types.as_deref()),
            Some(_) => {
                "the token reports events (`events`), so it is not an access token".to_owned()
            }
        },
    );
    dates(token, now, &mut add);
    add(AuthErrorKind::WrongAudience, audience(token.claim(Name::Aud), issuer));
    let subject = token
        .claim(Name::Sub)
        .map_or("no subject".to_owned(), |claim| format!("subject is {}", shown(claim)));
    add(
        AuthErrorKind::WrongSubject,
        match &rules.subjects {
            None => subject,
            Some(allowed) => {
                let allowed = any_of(allowed.iter().map(String::as_str));
                format!("{subject}; this issuer may speak for {allowed}")
            }
        },
    );
    for (path, name) in issuer.required.iter().zip(&rules.required) {
        let is_there = has_required(token, path).unwrap_or_default();
        let text = if is_there { "is there" } else { "is missing" };
        add(AuthErrorKind::MissingClaim, format!("required claim {} {text}", quoted(name)));
    }
    facts
}

fn types(typ: Option<&str>, allowed: Option<&[TokenType]>) -> String {
    let typ = typ.map_or("is absent".to_owned(), |typ| format!("is {}", quoted(typ)));
    let Some(allowed) = allowed else {
        return format!("type (`typ`) {typ}; any is accepted (dangerous_any_token_type)");
    };
    let name = |own: &TokenType| own.media_type().map_or("no type".to_owned(), quoted);
    let allowed: Vec<_> = allowed.iter().map(name).collect();
    format!("type (`typ`) {typ}; this service expects {}", allowed.join(" or "))
}

fn dates(token: &VerifiedJws<'_>, now: NumericDate, add: &mut impl FnMut(AuthErrorKind, String)) {
    let rules = &token.issuer().rules;
    let leeway = span(rules.leeway.as_secs());
    let counts = |date: &NumericDate| rules.counts(*date);
    let read = |name| {
        let date = token.claim(name)?.as_number().and_then(|number| rules.date(number));
        date.filter(counts)
    };
    let when = |at: NumericDate| format!("{}, {}", date(at), relative(at, now));
    let (exp, nbf, iat) = (read(Name::Exp), read(Name::Nbf), read(Name::Iat));
    let expires = match exp {
        None => "the token has no end (`exp`)".to_owned(),
        Some(exp) if exp <= now => {
            format!("token expired (`exp`) at {}; clocks may differ by {leeway}", when(exp))
        }
        Some(exp) => format!("token expires (`exp`) at {}", when(exp)),
    };
    add(AuthErrorKind::TokenExpired, expires);
    if let Some(nbf) = nbf {
        let text = format!("token is good from (`nbf`) {}", when(nbf));
        let note =
            if nbf > now { format!("; clocks may differ by {leeway}") } else { String::new() };
        add(AuthErrorKind::TokenNotYetValid, text + &note);
    }
    if let Some(iat) = iat {
        let text = format!("token was issued (`iat`) at {}", when(iat));
        let note =
            if iat > now { format!("; clocks may differ by {leeway}") } else { String::new() };
        add(AuthErrorKind::IssuedInFuture, text + &note);
        if let Some(max_age) = rules.max_age {
            let age = span(now.saturating_since(iat).as_secs());
            let max_age = span(max_age.as_secs());
            add(AuthErrorKind::TokenTooOld, format!("token is {age} old; `max_age` is {max_age}"));
        }
        if let (Some(max), Some(exp)) = (rules.max_lifetime, exp) {
            let life = span(exp.saturating_since(iat).as_secs());
            let max = span(max.as_secs());
            let text = format!("token lives {life} from `iat` to `exp`; `max_lifetime` is {max}");
            add(AuthErrorKind::LifetimeTooLong, text);
        }
    }
}

fn audience(claim: Option<Value<'_>>, issuer: &IssuerConfig) -> String {
    let found = match claim {
        None => "no audience (`aud`)".to_owned(),
        Some(claim) => format!("audience is {}", shown(claim)),
    };
    match &issuer.audiences {
        None => format!("{found}; any is accepted (dangerous_any_audience)"),
        Some(ours) => {
            let ours = any_of(ours.iter().map(String::as_str));
            format!("{found}; this service expects {ours}")
        }
    }
}

/// A claim's value: strings and lists of strings by their texts, everything else as JSON.
pub(super) fn shown(value: Value<'_>) -> String {
    if let Some(text) = value.as_str() {
        return quoted(&text);
    }
    let mut texts = Vec::new();
    let all = value.each_element(|element| {
        texts.push(quoted(&element.as_str()?));
        Some(())
    });
    match all {
        Some(()) if texts.is_empty() => "an empty list".to_owned(),
        Some(()) => texts.join(", "),
        None => quoted(&value.json()),
    }
}
