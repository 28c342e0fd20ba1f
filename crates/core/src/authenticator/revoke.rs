//! What an engine knows of revocations.

use super::Authenticator;
use crate::{
    NumericDate, Principal,
    issuer::{IssuerConfig, Rules},
    revocation::{
        CLOCK_MARGIN, Revocation, RevocationStatus, Revocations, Revoked, StoreError,
        not_configured,
    },
};

impl<G: Send + Sync + 'static> Authenticator<G> {
    /// Makes an entry that revokes tokens of an issuer. It ends when the last token that it can match has
    /// expired, if the rules of the issuer say when that is:
    ///
    /// - token, subject, session, client: the issuer has a [`max_lifetime`](crate::Issuer::max_lifetime).
    ///   The entry ends that much later than now or the cut-off time, whichever is later, plus the
    ///   [leeway](crate::Issuer::leeway) of the issuer's clock and of this one. Otherwise it never ends.
    /// - key: never, because whoever has the key can sign new tokens.
    ///
    /// For the token of a caller, [`Principal::revocation`](crate::Principal::revocation) knows its `exp`.
    /// The issuer is the `iss` of the tokens. One that is not configured, such as that of a
    /// [tenant](crate::strategy::Tenants), has no rules here: the entry never ends.
    #[must_use]
    pub fn revocation(&self, issuer: &str, revoked: Revoked) -> Revocation {
        let engine = self.engine();
        let config = engine.issuers.named(issuer).or(engine.issuers.any());
        let until = config.and_then(|config| until(config, &revoked, engine.clock.now()));
        let entry = Revocation::new(issuer, revoked);
        match until {
            Some(until) => entry.until(until),
            None => entry,
        }
    }

    /// Revokes tokens, as [`Revocations::revoke`](crate::revocation::Revocations::revoke) does.
    ///
    /// # Errors
    ///
    /// The store has failed, or the engine has no revocations.
    pub async fn revoke(&self, entries: &[Revocation]) -> Result<(), StoreError> {
        self.revocations().ok_or_else(not_configured)?.revoke(entries).await
    }

    /// Makes the entries that end the session of a caller: what a [logout](crate::revocation::LogoutEndpoint)
    /// revokes. Empty if the token has neither `jti` nor `sid`.
    ///
    /// | the token has | its session is | entries |
    /// |---|---|---|
    /// | `sid` | all tokens with this `sid`, and the first one, whose `jti` it may be | this token, the session, the token with the `jti` of this name |
    /// | no `sid` | this token, and those that were made from it, whose `sid` is its `jti` | this token, the session with this name if the store [keeps](crate::revocation::RevocationStore::keeps) sessions |
    #[must_use]
    pub fn session_revocations(&self, caller: &Principal) -> Vec<Revocation> {
        let question = caller.question();
        let session = question.session.filter(|session| !session.is_empty());
        let name = session.or(question.jti.filter(|token_id| !token_id.is_empty()));
        let entry = |revoked| self.revocation(caller.issuer(), revoked);
        let own = caller.revocation();
        let of_session = name.map(|name| Revoked::Session(name.into()));
        // A session that the token names must not be left out without an error.
        let is_kept = |of_session: &Revoked| {
            session.is_some() || self.revocations().is_none_or(|all| all.keeps(of_session))
        };
        let of_session = of_session.filter(is_kept).map(entry);
        // The token of this caller is not the first one, which may have no `sid`.
        let first = session.filter(|session| Some(*session) != question.jti);
        let first = first.map(|session| entry(Revoked::Token(session.into())));
        own.into_iter().chain(of_session).chain(first).collect()
    }

    /// Returns the revocations of the engine, if it has any.
    #[must_use]
    pub fn revocations(&self) -> Option<Revocations> {
        self.engine().revocations.clone()
    }

    /// Returns the state of the revocations in memory; `None` if the engine has no revocations.
    #[must_use]
    pub fn revocation_status(&self) -> Option<RevocationStatus> {
        self.revocations().map(|revocations| revocations.status())
    }
}

/// Returns when the last token that an entry can match has expired.
fn until(config: &IssuerConfig, revoked: &Revoked, now: NumericDate) -> Option<NumericDate> {
    if matches!(revoked, Revoked::Key(_)) {
        return None;
    }
    let Rules { max_lifetime, leeway, .. } = config.rules;
    let latest = revoked.issued_until().unwrap_or(now).max(now);
    // The clock of the issuer may be ahead by the leeway.
    let expired =
        latest.saturating_add(leeway).saturating_add(max_lifetime?).saturating_add(leeway);
    Some(expired.saturating_add(CLOCK_MARGIN))
}

#[cfg(test)]
#[cfg(feature = "tracing")]
mod tests {
    use std::time::Duration;

    use crate::{
        Algorithm, Authenticator, Issuer, VerificationKey, revocation::Revocations, test_log::told,
    };

    #[test]
    fn an_issuer_without_a_limit_of_lifetime_is_warned_of() {
        let issuer = |name| {
            let key = VerificationKey::from_secret([7; 32], Algorithm::HS256).unwrap();
            Issuer::new(name).key(key).audience("api")
        };
        let builder = || {
            let limited = issuer("limited").max_lifetime(Duration::from_secs(60));
            Authenticator::builder().issuers([limited, issuer("unlimited")])
        };
        let warnings =
            |build: &dyn Fn()| told("portcullis::revocation", tracing::Level::WARN, build);
        let with = warnings(&|| {
            builder().revocations(Revocations::memory()).build().unwrap();
        });
        assert_eq!(with.len(), 1, "{with:?}");
        assert!(with.iter().all(|text| text.contains("\"unlimited\"")), "{with:?}");
        let without = warnings(&|| {
            builder().build().unwrap();
        });
        assert!(without.is_empty(), "{without:?}");
    }
}
