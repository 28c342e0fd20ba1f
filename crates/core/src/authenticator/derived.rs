//! Engines with the keys of another one, for tokens that are not the credentials of a request.
//!
//! An endpoint judges such tokens, for example one that a client asks to revoke, or a logout token of an
//! issuer. They go through the stages of the pipeline by the same keys, with the same waiting, rotation and
//! limits. Nothing is fetched twice.

use std::sync::Arc;

use super::{Authenticator, pending::replaced};
use crate::{
    AuthError, Principal, RequestView,
    engine::{AnonymousLimit, Engine},
    grant_source::GrantSource,
    issuer::{IssuerConfig, TrustedIssuers},
    jws::KnownHeaders,
    pipeline::extract::extract_all,
    revocation::Question,
    strategy::Slot,
};

/// How often a token is judged again because its engine is replaced while it waits.
const MAX_REPLACED: usize = 4;

impl<G: Send + Sync + 'static> Authenticator<G> {
    /// Judges a token as a credential, but makes no grant and does not use a one-time token.
    pub(crate) async fn judge_without_grant(&self, token: &str) -> Result<Principal, AuthError> {
        self.judge_derived(token, |engine| {
            engine.derived(engine.issuers.clone(), engine.strategies.clone())
        })
        .await
    }

    /// Judges a token of a trusted issuer by other rules than those for credentials. Strategies take no part.
    pub(crate) async fn judge_by(
        &self,
        token: &str,
        rules: impl Fn(&IssuerConfig) -> IssuerConfig,
    ) -> Result<Principal, AuthError> {
        let derive = |engine: &Engine<G>| {
            let derived = engine.derived(engine.issuers.map(&rules), Vec::new());
            // Of all that can be revoked, only the key matters: the token is no credential.
            Engine { revocations: None, ..derived }
        };
        let judged = self.judge_derived(token, derive).await?;
        self.check_key(&judged).await?;
        Ok(judged)
    }

    /// Checks that the key which verified a token is not revoked.
    async fn check_key(&self, judged: &Principal) -> Result<(), AuthError> {
        let engine = self.engine();
        let Some(revocations) = &engine.revocations else { return Ok(()) };
        let Question { issuer, thumbprint, .. } = judged.question();
        let question = Question { issuer, thumbprint, ..Question::default() };
        revocations.check(&question, engine.clock.now())?;
        if revocations.is_strict() {
            revocations.ask(&question, &*engine.clock).await?;
        }
        Ok(())
    }

    /// Returns the different tokens in all locations of a request, for an endpoint that ends them. It changes
    /// cookies if the request has a token in one, or if `changes_cookies`.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::CrossSiteRequest`](crate::AuthErrorKind::CrossSiteRequest), if it changes cookies, and
    /// another site caused the request;
    /// [`AuthErrorKind::InternalError`](crate::AuthErrorKind::InternalError), if a function of the application
    /// panics.
    pub(crate) fn all_tokens(
        &self,
        request: &dyn RequestView,
        changes_cookies: bool,
    ) -> Result<Vec<String>, AuthError> {
        let engine = self.engine();
        let mut tokens: Vec<String> = Vec::new();
        let (found, has_cookie) = extract_all(self.route.locations(&engine), request)?;
        if has_cookie || changes_cookies {
            engine.cross_site.check(request)?;
        }
        for found in found {
            // What is not text is no token.
            if let Ok(text) = str::from_utf8(found.token.as_bytes())
                && !tokens.iter().any(|other| other == text)
            {
                tokens.push(text.to_owned());
            }
        }
        Ok(tokens)
    }

    async fn judge_derived(
        &self,
        token: &str,
        derive: impl Fn(&Engine<G>) -> Engine<()>,
    ) -> Result<Principal, AuthError> {
        for _ in 0..MAX_REPLACED {
            let engine = self.engine();
            let derived = Authenticator::new(derive(&engine));
            let judged = derived.authenticate_token(token).await;
            // What a new engine does not trust any more is not accepted.
            if Arc::ptr_eq(&engine, &self.engine()) {
                return judged.map(|caller| caller.into_parts().0);
            }
        }
        replaced("the configuration changed again and again while the request waited")
    }
}

impl<G> Engine<G> {
    /// Returns an engine that makes no grants. It shares what is expensive or has a state: keys, the tasks
    /// that fetch them, strategies and revocations.
    fn derived(&self, issuers: TrustedIssuers, strategies: Vec<Slot>) -> Engine<()> {
        Engine {
            issuers,
            strategies,
            strategy_timeout: self.strategy_timeout,
            locations: Vec::new(),
            multiple_tokens: self.multiple_tokens,
            cross_site: self.cross_site.clone(),
            hide: self.hide,
            max_token_len: self.max_token_len,
            clock: Arc::clone(&self.clock),
            grant: GrantSource::Claims(|_, _| Ok(()), |_| Ok(())),
            challenge: Arc::clone(&self.challenge),
            known_headers: KnownHeaders::default(),
            resource_metadata: None,
            anonymous: AnonymousLimit::None,
            tasks: Arc::clone(&self.tasks),
            revocations: self.revocations.clone(),
            one_time: None,
            is_inner: true,
        }
    }
}
