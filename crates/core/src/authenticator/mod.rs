//! The engine: from a request to who calls and what they may do.

mod builder;
mod grant_source;
#[cfg(feature = "remote")]
mod readiness;
mod waiting;

use std::{fmt, sync::Arc};

pub use builder::AuthenticatorBuilder;
pub(crate) use grant_source::{GrantSource, PrincipalMapping};
#[cfg(feature = "remote")]
pub use readiness::{KeyChanges, NotReady};
pub use waiting::{Judgement, Waiting};

use crate::{
    AuthError, AuthErrorKind, BearerToken, Clock, Grant, Place, Principal, RequestView,
    SeveralTokens,
    challenge::ChallengeSettings,
    issuer::TrustedIssuers,
    pipeline::{KnownHeaders, Patience, Stop, extract, prove},
};

/// Judges requests: takes the token out, proves it, and tells who calls and what they may do.
///
/// It is built once and shared: cloning copies a pointer, and nothing is locked when it is used.
/// `G` is the type of the grant; see [`AuthenticatorBuilder::with_grant`].
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, Issuer, JwkSet};
///
/// # let json = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("https://idp.example.com").jwk_set(&JwkSet::from_json(json)?))
///     .audience("https://api.example.com")
///     .build()?;
/// let refused = auth.authenticate_token("no token").unwrap_err();
/// assert_eq!(refused.kind().code(), "malformed_request");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Authenticator<G = Grant> {
    engine: Arc<Engine<G>>,
}

/// What the stages read.
pub(crate) struct Engine<G> {
    pub(crate) issuers: TrustedIssuers,
    pub(crate) places: Vec<Place>,
    pub(crate) several: SeveralTokens,
    pub(crate) max_token_len: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) grant: GrantSource<G>,
    pub(crate) challenge: Arc<ChallengeSettings>,
    pub(crate) known_headers: KnownHeaders,
    #[cfg(feature = "remote")]
    pub(crate) tasks: crate::key_source::SourceTasks,
}

impl Authenticator {
    /// Starts a configuration. The grant is a [`Grant`], unless the builder is told otherwise.
    pub fn builder() -> AuthenticatorBuilder {
        AuthenticatorBuilder::new()
    }
}

impl<G: Send + Sync + 'static> Authenticator<G> {
    /// Judges a request by the keys at hand.
    #[must_use]
    pub fn authenticate(&self, request: &dyn RequestView) -> Verdict<G> {
        match self.begin(request) {
            Judgement::Done(verdict) => verdict,
            Judgement::Waiting(waiting) => waiting.give_up(),
        }
    }

    /// Judges a request; where a key is missing that a source may bring soon, what comes back waits
    /// for it, for a bounded time.
    #[must_use]
    pub fn begin(&self, request: &dyn RequestView) -> Judgement<G> {
        let engine = &*self.engine;
        #[cfg(feature = "remote")]
        self.start_tasks();
        let query_without_tokens = self.query_without_tokens(request);
        let tokens = match extract::extract(&engine.places, engine.several, request) {
            Ok(tokens) => tokens,
            Err(error) => {
                return Judgement::Done(Verdict { result: Err(error), query_without_tokens });
            }
        };
        match self.judge(&tokens, Patience::Ask) {
            Ok(caller) => Judgement::Done(Verdict { result: Ok(caller), query_without_tokens }),
            Err(Stop { error, coming: None }) => {
                Judgement::Done(Verdict { result: Err(error), query_without_tokens })
            }
            Err(Stop { error, coming: Some(coming) }) => {
                let verdict = Verdict { result: Err(error), query_without_tokens };
                Judgement::Waiting(Waiting::new(self, &tokens, coming, verdict))
            }
        }
    }

    /// Returns the query without tokens, if there are any in it, of a request that is not judged.
    #[must_use]
    pub fn query_without_tokens(&self, request: &dyn RequestView) -> Option<String> {
        let query = request.query()?;
        extract::without_tokens(&self.engine.places, query)
    }

    /// Judges a token that some other code took out of a request, by the keys at hand.
    ///
    /// # Errors
    ///
    /// Why the token is refused. A text that is not even a `b64token` is
    /// [`AuthErrorKind::MalformedRequest`], and an empty one [`AuthErrorKind::NoCredentials`].
    pub fn authenticate_token(&self, token: &str) -> Result<Authenticated<G>, AuthError> {
        if token.is_empty() {
            return Err(AuthErrorKind::NoCredentials.into());
        }
        #[cfg(feature = "remote")]
        self.start_tasks();
        self.judge(&[BearerToken::new(token)], Patience::Ask).map_err(|stop| stop.error)
    }

    /// Returns the realm and the metadata URL that challenges name.
    #[must_use]
    pub fn challenge_settings(&self) -> &Arc<ChallengeSettings> {
        &self.engine.challenge
    }

    /// Proves each token. The caller is the one of the first.
    fn judge(
        &self,
        tokens: &[BearerToken<'_>],
        patience: Patience,
    ) -> Result<Authenticated<G>, Stop> {
        let mut caller = None;
        for token in tokens {
            let proven = prove(&self.engine, token, patience)
                .map_err(|stop| Stop { error: stop.error.about(token), ..stop })?;
            caller.get_or_insert(proven);
        }
        caller.ok_or_else(|| AuthError::from(AuthErrorKind::NoCredentials).into())
    }
}

impl<G> Clone for Authenticator<G> {
    fn clone(&self) -> Self {
        Self { engine: Arc::clone(&self.engine) }
    }
}

impl<G> fmt::Debug for Authenticator<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("issuers", &self.engine.issuers)
            .field("places", &self.engine.places)
            .field("several", &self.engine.several)
            .finish_non_exhaustive()
    }
}

/// What the engine says of one request.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verdict<G = Grant> {
    /// The caller, or why the request is refused.
    pub result: Result<Authenticated<G>, AuthError>,
    /// The query without tokens, if there were any in it: what handlers and their logs should see.
    /// The response must not be stored by caches then ([RFC 6750 §2.3]).
    ///
    /// [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3
    pub query_without_tokens: Option<String>,
}

/// A caller whose token was found good.
pub struct Authenticated<G = Grant> {
    principal: Principal,
    grant: Arc<G>,
}

impl<G> Authenticated<G> {
    pub(crate) fn new(principal: Principal, grant: Arc<G>) -> Self {
        Self { principal, grant }
    }

    /// Returns who calls.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Returns what they may do. It was made once and is shared.
    #[must_use]
    pub fn grant(&self) -> &Arc<G> {
        &self.grant
    }

    /// Returns both.
    #[must_use]
    pub fn into_parts(self) -> (Principal, Arc<G>) {
        (self.principal, self.grant)
    }
}

impl<G> Clone for Authenticated<G> {
    fn clone(&self) -> Self {
        Self { principal: self.principal.clone(), grant: Arc::clone(&self.grant) }
    }
}

impl<G: fmt::Debug> fmt::Debug for Authenticated<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticated")
            .field("principal", &self.principal)
            .field("grant", &self.grant)
            .finish()
    }
}
