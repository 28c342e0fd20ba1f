//! `[revocation]`: tokens that end before they expire.

use std::time::Duration;

use portcullis::{AuthenticatorBuilder, revocation::Revocations};

use crate::{
    apply::Applying,
    mistakes::Mistakes,
    section::Section,
    store_url::StoreUrl,
    table::{
        Apply::{self, Flag, Together, Word},
        Kind, REQUIRED, Table, rows,
    },
};

pub(crate) static REVOCATION: Table<Revocations> = Table {
    rows: rows! {
        store: Together(Kind::Text), REQUIRED,
            "Where revocations are kept for all replicas: `memory:`, `sqlite:FILE`, `postgres://…` \
             or `redis://…`; used tokens of issuers with `one_time` are kept there too";
        mode: Word(&["local", "strict"], mode), "local",
            "A request looks into memory, which follows the store; or it asks the store too";
        max_staleness: Apply::Duration(Revocations::max_staleness), "60s",
            "How long ago the store may have been read; after that tokens are answered with 503";
        poll: Apply::Duration(Revocations::poll), "1s",
            "How often the store is read if it does not notify of changes";
        timeout: Apply::Duration(Revocations::timeout), "250ms",
            "The longest time that a request waits for the store: in the mode `strict`, and for \
             tokens that may be used once";
        allow_missing_jti: Flag(Revocations::allow_missing_jti), "false",
            "Accepts tokens without `jti`, which cannot be revoked one by one";
    },
    check,
};

/// The settings of `Revocations` whose defaults a check needs.
const MAX_STALENESS: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_secs(1);

#[expect(clippy::needless_pass_by_value, reason = "a row passes its value on")]
fn mode(revocations: Revocations, mode: String) -> Revocations {
    if mode == "strict" { revocations.strict() } else { revocations }
}

fn check(section: &Section, mistakes: &mut Mistakes) {
    if let Some(Err((message, help))) = section.text("store").map(StoreUrl::new) {
        mistakes.add(section.path_of("store"), message, help);
    }
    for key in ["max_staleness", "poll", "timeout"] {
        if section.duration(key).is_some_and(|duration| duration.is_zero()) {
            let help = "give a longer time, or leave the key out";
            mistakes.add(section.path_of(key), "it is zero, so no token would be accepted", help);
        }
    }
    let max_staleness = section.duration("max_staleness");
    let poll = section.duration("poll");
    if max_staleness.unwrap_or(MAX_STALENESS) <= poll.unwrap_or(POLL) {
        let key = if poll.is_some() { "poll" } else { "max_staleness" };
        let message = "the store would be read less often than `max_staleness` allows";
        let help = "let `poll` be much shorter than `max_staleness`";
        mistakes.add(section.path_of(key), message, help);
    }
}

pub(crate) fn apply(
    builder: AuthenticatorBuilder,
    section: &Section,
    applying: &Applying<'_>,
) -> AuthenticatorBuilder {
    // A URL with a mistake is reported by the check.
    let Some(url) = applying.store_url(section) else { return builder };
    match applying.stores().open(url, section, applying) {
        Ok((revocations, used_tokens)) => {
            builder.revocations(revocations).replay_store(used_tokens)
        }
        Err(error) => {
            applying.reject(section, "store", error);
            builder
        }
    }
}

/// Checks the keys of issuers that depend on `[revocation]`.
pub(crate) fn check_issuers(root: &Section, mistakes: &mut Mistakes) {
    let revocation = root.section("revocation");
    for issuer in root.sections("issuer") {
        let mut wrong = |key: &str, message: &str, help: &str| {
            mistakes.add(issuer.path_of(key), message, help);
        };
        if issuer.flag("one_time") && revocation.is_none() && !root.lacks_values() {
            let message = "there is no `[revocation]`, so used tokens would be kept nowhere";
            wrong("one_time", message, "name a store in `revocation.store`");
        }
        if !issuer.has("require_jti") || issuer.flag("require_jti") {
            continue;
        }
        if issuer.flag("one_time") {
            let message = "a token without `jti` cannot be used once";
            wrong("require_jti", message, "leave out `require_jti` or `one_time`");
        } else if revocation.is_some_and(|section| !section.flag("allow_missing_jti")) {
            let message = "`[revocation]` requires a `jti` of all issuers";
            let help = "say `revocation.allow_missing_jti = true`, and `require_jti = true` where \
                        it is needed";
            wrong("require_jti", message, help);
        }
    }
}
