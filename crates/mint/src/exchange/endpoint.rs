//! The endpoint: from a request to its response.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use portcullis::{
    AuthContext, Authenticator, Grant,
    adapter::{
        Authenticated, DeferredUse, Endpoint, EndpointCall, EndpointResponse, Form, RequestView,
    },
    future::BoxFuture,
};
use serde_json::json;

use super::{
    ClientAuthentication, ExchangePolicy, ExchangeRefusal, ExchangeRequest, ExchangedClaims,
    PresentedCredentials, RateLimit, RateLimitRequest, TokenExchangeBuilder,
    client::Authorization,
    issuance::{Issued, Sources},
    log,
    parameters::{Parameters, check_unique},
    rate_limit::RequestHeaders,
    refusal::{Failed, Failure, TokenError, json_response},
};
use crate::{Minter, renewing::panic_caught::PanicCaught};

/// The longest time that a function of the application may take.
const HOOK_TIMEOUT: Duration = Duration::from_secs(5);

/// Exchanges tokens ([RFC 8693]). The adapters serve it.
///
/// A client sends a `POST` with a form that has `grant_type`
/// `urn:ietf:params:oauth:grant-type:token-exchange`, a `subject_token` and its type, and gets a token that this service
/// signs: for the same subject, for the audiences that it names, and with no more scopes than before. With an
/// `actor_token`, the new token says who acts for the subject (`act`, §4.1).
///
/// # What is checked
///
/// 1. The client is [authenticated](TokenExchangeBuilder::client_authentication), and within the
///    [rate limit](TokenExchangeBuilder::rate_limit).
/// 2. Both tokens are judged by the engine as credentials are: issuer, key, dates, audience (that of *this* endpoint),
///    revocation, resolver. Their types are `urn:ietf:params:oauth:token-type:access_token` or `…:jwt`.
/// 3. `may_act` of the subject token, if it has one, allows the actor (§4.4). There are no more than five actors.
/// 4. The [hook](TokenExchangeBuilder::authorize) decides; without one, the defaults are those of
///    [`ExchangeRequest::narrow`].
/// 5. At least 5 seconds are left of both tokens.
/// 6. Tokens that may be used [once](TokenExchangeBuilder::one_time) have not been, and none was revoked meanwhile.
///
/// # The exchanged token
///
/// | claim | value |
/// |---|---|
/// | `iss`, `iat`, `nbf`, `jti` | those of the minter |
/// | `sub` | that of the subject token, unless the hook names another |
/// | `aud`, `scope` | as decided |
/// | `exp` | the earliest of: the end of the subject token, that of the actor token, now plus the lifetime of the minter (15 minutes unless it is set), now plus what the hook says |
/// | `act` | the actor, and behind it the actors of the subject token; `iss` is added to those of other issuers |
/// | `may_act` | that of the subject token |
/// | `sid` | that of the subject token, else its `jti`: a revocation of this session, under the issuer of the minter, ends everything that was exchanged for the token |
/// | `client_id` | the client, if it was authenticated (§4.3) |
/// | `auth_time` | that of the subject token |
/// | `orig_iat` | the `iat` of the subject token, or its `orig_iat` if that is earlier: a revocation of the subject with a cut-off time applies to what is exchanged later for older tokens |
/// | `exchanged` | `true`: the reissue layer and sessions do not renew the token |
///
/// All exchanged tokens have the issuer of the minter. Where that issuer also issues other tokens, their subjects must
/// not be equal to those of the subject tokens: give the minter an issuer of its own, or name the subjects by the hook.
///
/// # Responses
///
/// | what happens | response |
/// |---|---|
/// | the token is issued | 200 with `access_token`, `issued_token_type`, `token_type` `Bearer`, `expires_in`, and `scope` if it is not what was requested |
/// | the form is malformed, lacks a parameter or repeats one, or a token type is not supported | 400 `invalid_request` |
/// | a token is not acceptable, for whatever reason | 400 `invalid_request` with one description (or [`invalid_grant`](TokenExchangeBuilder::respond_invalid_grant)) |
/// | another `grant_type` | 400 `unsupported_grant_type` |
/// | a target is malformed or not allowed | 400 `invalid_target` |
/// | the scope is malformed, or the client gets none of it | 400 `invalid_scope` |
/// | the client is not authenticated | 401 `invalid_client`, with `WWW-Authenticate` if it used `Authorization` |
/// | the hook refuses | as it says |
/// | the form is longer than 64 KiB | 413 |
/// | another method than `POST` | 405 |
/// | too many requests | 429 with `Retry-After` |
/// | keys, a store or the application are not available | 503 `temporarily_unavailable` with `Retry-After` |
/// | the application panics | 500 `server_error` |
///
/// No response may be stored by caches. The reason of a refusal is logged at level debug, target `portcullis::tokens`;
/// each issued token is logged at level info, without the token and its subject.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, Issuer};
/// use portcullis_jose::{Algorithm, SigningKey};
/// use portcullis_mint::{Minter, exchange::{ClientSecrets, TokenExchangeEndpoint}};
///
/// # let idp_key = SigningKey::generate(Algorithm::ES256)?.verification_key()?;
/// // The tokens that may be exchanged.
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("https://idp.example.com").key(idp_key))
///     .audience("https://gateway.example.com")
///     .build()?;
/// let minter = Minter::new(SigningKey::generate(Algorithm::ES256)?).issuer("https://gateway.example.com");
/// let endpoint = TokenExchangeEndpoint::builder(&auth, minter)
///     .client_authentication(ClientSecrets::new([("gateway", "a long secret")])?)
///     .audience("https://orders.example.com")
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693
pub struct TokenExchangeEndpoint<G = Grant> {
    pub(super) settings: Arc<Settings<G>>,
}

/// What the builder has checked.
pub(super) struct Settings<G> {
    pub(super) auth: Authenticator<G>,
    pub(super) minter: Minter,
    pub(super) clients: Option<Box<dyn ClientAuthentication>>,
    pub(super) policy: Option<Box<dyn ExchangePolicy<G>>>,
    pub(super) audiences: Arc<[String]>,
    pub(super) rate_limit: Option<Box<dyn RateLimit>>,
    pub(super) rate_limit_headers: Vec<String>,
    pub(super) is_one_time: bool,
    pub(super) token_error: TokenError,
    /// When the log had the last warning, in seconds since 1970.
    pub(super) warned_at: AtomicI64,
    pub(super) lifetime: Duration,
    /// The `iss` of the exchanged tokens.
    pub(super) issuer: String,
}

/// What is known of a request apart from its form.
struct Head {
    authorization: Authorization,
    headers: RequestHeaders,
}

impl<G: Send + Sync + 'static> TokenExchangeEndpoint<G> {
    /// Starts an endpoint that accepts what an engine accepts, and signs with a minter. Both should go by one clock.
    ///
    /// An engine of its own keeps the issuers whose tokens may be exchanged apart from those whose tokens the service
    /// accepts as credentials.
    pub fn builder(auth: &Authenticator<G>, minter: Minter) -> TokenExchangeBuilder<G> {
        TokenExchangeBuilder::new(auth.clone(), minter)
    }
}

impl<G: Send + Sync + 'static> Settings<G> {
    async fn respond(&self, head: Head, form: &Form) -> EndpointResponse {
        match self.exchange(head, form).await {
            Ok(response) => response,
            Err(failed) => {
                let code = failed.failure.code(self.token_error);
                log::failed(&failed, code, &self.warned_at, self.minter.timing().0.now());
                failed.failure.response(self.token_error)
            }
        }
    }

    async fn exchange(&self, head: Head, form: &Form) -> Result<EndpointResponse, Failed> {
        check_unique(form)?;
        let client = self.authenticate_client(head.authorization, form).await;
        self.check_rate(&client, head.headers).await?;
        let client_id = client?;
        let parameters = Parameters::read(form)?;

        let tokens = self.auth.defer_use();
        let (subject, actor) = self.authenticate(&tokens, &parameters).await?;
        let sources = Sources {
            subject: subject.principal().clone(),
            actor: actor.as_ref().map(|actor| actor.principal().clone()),
        };
        sources.check()?;
        sources.check_remaining(self.minter.timing().0.now())?;
        let request = ExchangeRequest {
            subject,
            actor,
            client_id: client_id.clone(),
            requested: parameters.requested.clone(),
            audiences: Arc::clone(&self.audiences),
        };
        let decision = self.decide(request).await?;
        let now = self.minter.timing().0.now();
        let prepared = self.prepare(&decision, &sources, client_id.as_deref(), now)?;
        self.use_tokens(&tokens, &sources).await?;
        let issued = self.issue(prepared, &sources).await?;
        log::issued(&issued, client_id.as_deref());
        Ok(success(&issued, &parameters))
    }

    /// Returns the id of the client; `None` if the application has declined client authentication.
    async fn authenticate_client(
        &self,
        authorization: Authorization,
        form: &Form,
    ) -> Result<Option<String>, Failed> {
        let Some(clients) = &self.clients else { return Ok(None) };
        let used_authorization = authorization.is_used();
        let credentials = PresentedCredentials::read(authorization, form)?;
        // Inside of a future, because a function of the application may panic before it returns one.
        let client = self.call(Box::pin(async { clients.authenticate(credentials).await })).await?;
        match client {
            Ok(client) if client.is_empty() => {
                Err(Failed::new(Failure::ServerError, "a client was authenticated without an id"))
            }
            Ok(client) => Ok(Some(client)),
            Err(error) => Err(error.failure(used_authorization).into()),
        }
    }

    async fn check_rate(
        &self,
        client: &Result<Option<String>, Failed>,
        headers: RequestHeaders,
    ) -> Result<(), Failed> {
        let Some(rate_limit) = &self.rate_limit else { return Ok(()) };
        let client_id = client.as_ref().ok().cloned().flatten();
        let request = RateLimitRequest { client_id, headers };
        Ok(self.call(Box::pin(async { rate_limit.check(request).await })).await??)
    }

    async fn authenticate(
        &self,
        tokens: &DeferredUse<G>,
        parameters: &Parameters<'_>,
    ) -> Result<(Authenticated<G>, Option<Authenticated<G>>), Failed> {
        let subject = tokens.authenticate_token(parameters.subject_token).await;
        let subject = subject.map_err(|error| Failed::from(&error))?;
        let actor = match parameters.actor_token {
            Some(token) => {
                let actor = tokens.authenticate_token(token).await;
                Some(actor.map_err(|error| Failed::from(&error))?)
            }
            None => None,
        };
        Ok((subject, actor))
    }

    async fn decide(&self, request: ExchangeRequest<G>) -> Result<ExchangedClaims, Failed> {
        Ok(match &self.policy {
            Some(policy) => self.call(Box::pin(async { policy.decide(request).await })).await??,
            None => request.narrow()?,
        })
    }

    async fn use_tokens(&self, tokens: &DeferredUse<G>, sources: &Sources) -> Result<(), Failed> {
        let mut all = sources.all();
        for token in &all {
            // In strict mode, it may have been revoked on another replica while the application decided.
            token.check_still_valid().await.map_err(|error| Failed::from(&error))?;
        }
        // The actor token first: if it was used before, the subject token can be sent again with another one.
        all.reverse();
        let used = match self.is_one_time {
            true => tokens.use_tokens_once(&all).await,
            false => tokens.use_tokens(&all).await,
        };
        used.map_err(|error| Failed::from(&error))
    }

    /// Waits for a function of the application, for a limited time.
    async fn call<T>(&self, future: BoxFuture<'_, T>) -> Result<T, Failed> {
        let clock = Arc::clone(self.minter.timing().0);
        tokio::select! {
            biased;
            value = PanicCaught(future) => value.ok_or_else(|| {
                Failed::new(Failure::ServerError, "a function of the application panicked")
            }),
            () = clock.sleep(HOOK_TIMEOUT) => Err(Failed::fault(
                ExchangeRefusal::Unavailable,
                "a function of the application took too long",
            )),
        }
    }
}

/// Creates the response of RFC 8693 §2.2.1.
fn success(issued: &Issued, parameters: &Parameters<'_>) -> EndpointResponse {
    let mut body = json!({
        "access_token": issued.token,
        "issued_token_type": parameters.issued_token_type,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
    });
    let is_as_requested = match &parameters.requested.scope {
        Some(requested) => *requested == issued.scope,
        None => issued.scope.is_empty(),
    };
    if !is_as_requested && let Some(body) = body.as_object_mut() {
        body.insert("scope".to_owned(), issued.scope.to_string().into());
    }
    json_response(200, body.to_string())
}

impl<G: Send + Sync + 'static> Endpoint for TokenExchangeEndpoint<G> {
    fn call(&self, request: &dyn RequestView, _: Option<&AuthContext>) -> EndpointCall {
        let settings = Arc::clone(&self.settings);
        let head = Head {
            authorization: Authorization::of(request),
            headers: RequestHeaders::of(request, &settings.rate_limit_headers),
        };
        EndpointCall::form(
            request,
            move |form| async move { Ok(settings.respond(head, &form).await) },
        )
    }
}

impl<G> Clone for TokenExchangeEndpoint<G> {
    fn clone(&self) -> Self {
        Self { settings: Arc::clone(&self.settings) }
    }
}

impl<G> fmt::Debug for TokenExchangeEndpoint<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenExchangeEndpoint")
            .field("issuer", &self.settings.issuer)
            .field("audiences", &self.settings.audiences)
            .field("lifetime", &self.settings.lifetime)
            .field("is_one_time", &self.settings.is_one_time)
            .finish_non_exhaustive()
    }
}
