//! `revoke`: writes an entry to a store of revocations.

use std::time::Duration;

use portcullis::revocation::{Revocation, Revoked};

use crate::{
    args::RevokeArguments,
    failure::{Failure, Finding},
    output::{self, Format, GOOD},
    revoked::Entry,
    store::{IfMissing, Store},
};

/// How long the entry of a token outlives the token. The issuer's leeway is not known here; it must end
/// before the entry does.
const AFTER_EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn run(arguments: &RevokeArguments, format: Format) -> Result<Finding, Failure> {
    let revocation = revocation(arguments)?;
    let store = Store::open(&arguments.store, IfMissing::Create)?;
    store.call(|store| store.add(std::slice::from_ref(&revocation)))?;
    let entry = Entry::of(&revocation);
    if format.is_json() {
        output::json_line(&entry)?;
    } else {
        output::text(&format!("{GOOD}revoked{GOOD:#}  {}", entry.text()))?;
    }
    Ok(Finding::AllFine)
}

/// Returns the entry that the arguments describe.
fn revocation(arguments: &RevokeArguments) -> Result<Revocation, Failure> {
    let RevokeArguments { issuer, what, exp, before, until, .. } = arguments;
    let text = |text: &String| text.clone().into_boxed_str();
    let kinds = [
        what.jti.as_ref().map(|jti| Revoked::Token(text(jti))),
        what.subject.as_ref().zip(*before).map(|(sub, time)| Revoked::Subject(text(sub), time)),
        what.session.as_ref().map(|sid| Revoked::Session(text(sid))),
        what.client.as_ref().zip(*before).map(|(id, time)| Revoked::Client(text(id), time)),
        what.key.as_ref().map(|thumbprint| Revoked::Key(text(thumbprint))),
    ];
    let usage = || Failure::mistake("say what to revoke: `portcullis revoke --help`");
    let revoked = kinds.into_iter().flatten().next().ok_or_else(usage)?;
    check_not_empty("--issuer", issuer)?;
    check_not_empty(&format!("the id of the {}", revoked.kind()), revoked.id())?;
    if let Revoked::Key(thumbprint) = &revoked {
        check_thumbprint(thumbprint)?;
    }
    let until = exp.map(|exp| exp.saturating_add(AFTER_EXPIRY)).or(*until);
    let revocation = Revocation::new(issuer.as_str(), revoked);
    Ok(match until {
        Some(until) => revocation.until(until),
        None => revocation,
    })
}

/// An empty text is most often a variable of a script that is not set. The entry would match no token.
fn check_not_empty(what: &str, text: &str) -> Result<(), Failure> {
    match text {
        "" => Err(Failure::mistake(format!("{what} is empty"))),
        _ => Ok(()),
    }
}

/// A `kid` in place of a thumbprint would match no token.
fn check_thumbprint(text: &str) -> Result<(), Failure> {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.len() == 43 && text.bytes().all(is_base64url) {
        return Ok(());
    }
    Err(Failure::mistake(
        "--key: not a thumbprint of RFC 7638, which has 43 characters; `portcullis jwks check` shows \
         those of a set",
    ))
}
