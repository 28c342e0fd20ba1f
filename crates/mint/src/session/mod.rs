//! Sessions of browsers: tokens of the service's own, in a cookie.

mod builder;
mod engine;
mod error;
mod once;
mod refresh;
pub(crate) mod successor;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub use builder::SessionsBuilder;
pub use error::SessionError;
use portcullis::{
    AuthContext, AuthErrorKind, Authenticator, NumericDate, Principal,
    error::LayerError,
    future::BoxFuture,
    revocation::{CookieAttributes, SetCookies, StoreError},
};
pub use refresh::Refresh;
use serde::Serialize;
use serde_json::{Map, Value};

use self::{
    engine::Engine,
    error::Failure,
    once::{PAUSE, Renewals},
    refresh::Hook,
};
use crate::{MintError, MintedToken, Minter, reissue::successor::is_due};

/// The sessions of a service's users: each is a row of tokens in one cookie. The adapters have a layer for it.
///
/// A login handler [starts](Self::start) a session after it has checked who the user is. The layer renews it, and
/// removes a cookie that has become invalid. [`end`](Self::end), or a
/// [logout endpoint](portcullis::revocation::LogoutEndpoint), ends it.
///
/// After the handler, whatever the status of its response, the layer may renew the session:
///
/// 1. The caller's token is from the session cookie, and the request has no other token. The response does not set
///    or remove this cookie itself, as login and logout do.
/// 2. The token is *due*: no more than 20 % of its life, or no more than 30 seconds, is left. In the mode
///    [`at_every_request`](SessionsBuilder::at_every_request) each token is due.
/// 3. The token is the service's own: verified by a key of the [`Minter`], and with the minter's issuer as its
///    `iss`. Tokens that may be used [once](portcullis::Issuer::one_time), and tokens with an actor (`act`), are
///    never renewed.
/// 4. No other request of this process has renewed the token in the last 10 seconds. If a response is lost, the
///    browser still has its token, and a later request gets another new one.
/// 5. The application's [`refresh`](SessionsBuilder::refresh) says what happens.
/// 6. The token is still valid: one that has expired meanwhile, leeway included, or was revoked is not renewed. If
///    the store of revocations is not available, it is not renewed either.
/// 7. The new token has new `jti`, `iat`, `nbf` and `exp`, and all other claims of the old one, unless `refresh`
///    gives others. It keeps the `sid`; if there is none, the first `jti` becomes it. It never lives longer than
///    [`max_session_age`](SessionsBuilder::max_session_age) allows. The claim `orig_iat` has the `iat` of the first
///    token.
/// 8. The cookie lives as long as its token. The response gets `Cache-Control: no-store`, unless it has that
///    already. Also if the handler sets the cookie.
///
/// If a session is not renewed because something fails, the response is unchanged, and the log has a warning, target
/// `portcullis::tokens`.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, Issuer, TokenLocation, revocation::CookieAttributes};
/// use portcullis_jose::{Algorithm, SigningKey};
/// use portcullis_mint::{Minter, session::Sessions};
/// use serde_json::json;
///
/// let key = SigningKey::generate(Algorithm::EdDSA)?;
/// let cookie = CookieAttributes::session("session");
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("https://app.example.com").key(key.verification_key()?))
///     .audience("app")
///     .locations([TokenLocation::bearer(), cookie.location()])
///     .build()?;
/// let minter = Minter::new(key).issuer("https://app.example.com");
/// let sessions = Sessions::builder(&auth, minter, cookie).build()?;
///
/// // In a login handler, after it has checked the password.
/// let cookies = sessions.start(&json!({"sub": "alice", "aud": "app"}))?;
/// let value = cookies.values().next().unwrap();
/// assert!(value.starts_with("__Host-session=ey"));
/// assert!(value.contains("; Path=/; Max-Age=") && value.ends_with("; Secure; HttpOnly; SameSite=Lax"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Sessions {
    inner: Arc<Inner>,
    /// Whether the log says already that no layer has authenticated requests. Clones share it.
    is_reported: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Inner {
    engine: Arc<dyn Engine>,
    cookie: CookieAttributes,
    old_cookies: Vec<CookieAttributes>,
    removal: SetCookies,
    settings: Settings,
    renewals: Arc<Renewals>,
}

#[derive(Debug)]
struct Settings {
    minter: Minter,
    hook: Hook,
    /// Whether each token is due.
    is_renewed_always: bool,
    /// Whether replicas agree through the engine's store.
    is_shared: bool,
    max_session_age: Duration,
}

impl Sessions {
    /// Starts a configuration: the engine that accepts the sessions, the minter that makes their tokens, and the
    /// cookie that has them. The lifetime of the minter is how long a user may be away.
    pub fn builder<G: Send + Sync + 'static>(
        auth: &Authenticator<G>,
        minter: Minter,
        cookie: CookieAttributes,
    ) -> SessionsBuilder {
        SessionsBuilder::new(auth, minter, cookie)
    }

    /// Starts a session, for a login handler that has checked who the user is. The claims are a struct or a map with
    /// `sub`, and what else the engine requires, such as `aud`. `iss`, `jti` and the dates are set here, and `sid`
    /// too unless there is one.
    ///
    /// The response must have the returned fields, and `Cache-Control: no-store`. The layer adds the latter.
    ///
    /// # Errors
    ///
    /// [`SessionError::Mint`], [`SessionError::Cookie`] if the token is too long for a cookie, and
    /// [`SessionError::TooOld`] if the user authenticated (`auth_time`) so long ago that the session is over.
    pub fn start(&self, claims: &impl Serialize) -> Result<SetCookies, SessionError> {
        let Inner { settings, .. } = &*self.inner;
        let now = settings.minter.timing().0.now();
        let claims = match serde_json::to_value(claims).map_err(MintError::Claims)? {
            Value::Object(claims) => settings.first(claims, now)?,
            _ => return Err(MintError::NoObject.into()),
        };
        self.inner.cookie_of(&settings.minter.mint(&claims)?, now)
    }

    /// Ends the session of a caller, for a logout handler: revokes it, if the engine has revocations, and returns the
    /// fields that remove the cookie. A [`LogoutEndpoint`](portcullis::revocation::LogoutEndpoint) also ends sessions
    /// beside another token.
    ///
    /// # Errors
    ///
    /// The store has failed. The session may still be valid: answer with an error, and do not remove the cookie.
    ///
    /// # Security
    ///
    /// Call it on `POST`, and with the caller of the request: then the engine has checked that no other site caused
    /// the request. A response that removes the cookie without a caller lets other sites log users out, because the
    /// browser does not attach the cookie to their requests but removes it by the response.
    pub async fn end(&self, caller: &Principal) -> Result<SetCookies, StoreError> {
        self.inner.engine.end(caller).await?;
        Ok(self.inner.removal.clone())
    }

    /// Returns the fields that remove the cookie, without ending the session.
    #[must_use]
    pub fn removal(&self) -> &SetCookies {
        &self.inner.removal
    }

    /// Returns the caller whose session an adapter may renew, by what a layer has left in a request.
    ///
    /// A request that no layer has authenticated is a mistake of the application, which is logged once.
    #[must_use]
    pub fn caller(&self, context: Option<&AuthContext>) -> Option<Principal> {
        if context.is_none() && !self.is_reported.swap(true, Ordering::Relaxed) {
            LayerError::Missing.report();
        }
        let context = context.filter(|context| context.cookie() == Some(self.removal().name()))?;
        context.caller().cloned()
    }

    /// Starts to renew a session, for an adapter that has the response of the handler: `None` at once if the
    /// caller's token is not due, and `None` later if it is not renewed.
    #[must_use]
    pub fn renew(&self, caller: &Principal) -> Option<BoxFuture<'static, Option<SetCookies>>> {
        let settings = &self.inner.settings;
        let now = settings.minter.timing().0.now();
        if !settings.is_renewed_always && !is_due(caller, now) {
            return None;
        }
        let (inner, caller) = (Arc::clone(&self.inner), caller.clone());
        Some(Box::pin(async move {
            inner.renew(&caller).await.unwrap_or_else(|failure| {
                report(&failure);
                None
            })
        }))
    }
}

impl Inner {
    async fn renew(&self, caller: &Principal) -> Result<Option<SetCookies>, Failure> {
        let Settings { minter, hook, .. } = &self.settings;
        if !self.settings.is_renewable(caller).map_err(Failure::Claims)? {
            return Ok(None);
        }
        let clock = minter.timing().0;
        let Some(renewal) = self.renewals.start(caller, clock.now()) else { return Ok(None) };
        let replacement = match hook.call(caller, &**clock).await? {
            Refresh::Keep => return Ok(None),
            Refresh::Clear => return Ok(Some(self.removal.clone())),
            Refresh::Renew => None,
            Refresh::RenewWith(Value::Object(claims)) => Some(claims),
            Refresh::RenewWith(_) => return Err(Failure::NoObject),
        };
        // Before the check: a later revocation has a later cut-off time, which applies to the new token.
        let now = clock.now();
        match caller.check_still_valid().await {
            Ok(()) => {}
            Err(error) if error.kind() == AuthErrorKind::StoreUnavailable => {
                return Err(Failure::Unchecked(error));
            }
            Err(_) => return Ok(None),
        }
        let claims = self.settings.successor(caller, replacement, now).map_err(Failure::Claims)?;
        let Some(claims) = claims else { return Ok(None) };
        if !self.is_first(caller, now).await {
            renewal.made();
            return Ok(None);
        }
        let cookies = self.mint(claims, now).await.map_err(Failure::Token)?;
        renewal.made();
        Ok(Some(cookies))
    }

    /// Returns whether no other replica renews the token now. If that is not known, this one does.
    async fn is_first(&self, caller: &Principal, now: NumericDate) -> bool {
        let Some(token_id) = caller.token_id().filter(|_| self.settings.is_shared) else {
            return true;
        };
        // A new id after each pause: a response that is lost must not lose the session.
        let since_issue = now.saturating_since(caller.issued_at().unwrap_or(NumericDate::EPOCH));
        let round = since_issue.as_secs() / PAUSE.as_secs();
        let id = format!("renewal {round} of {token_id}");
        let until = now.saturating_add(PAUSE).saturating_add(PAUSE);
        let first = self.engine.is_first_use(caller.issuer(), &id, until).await;
        first.unwrap_or_else(|error| {
            report(&Failure::NotShared(error));
            true
        })
    }

    async fn mint(
        &self,
        claims: Map<String, Value>,
        now: NumericDate,
    ) -> Result<SetCookies, SessionError> {
        let minted = self.settings.minter.mint_off_thread(claims).await;
        self.cookie_of(&minted.map_err(SessionError::Mint)?, now)
    }

    /// Returns the fields that store a token for as long as it lives.
    fn cookie_of(
        &self,
        minted: &MintedToken,
        now: NumericDate,
    ) -> Result<SetCookies, SessionError> {
        let expires_at = minted.expires_at().unwrap_or(now);
        // `exp` is in whole seconds: with a part of a second the cookie would live a second less.
        let max_age = expires_at.saturating_since(NumericDate::from_seconds(now.seconds()));
        Ok(SetCookies::set(&self.cookie, minted.token(), max_age, &self.old_cookies)?)
    }
}

fn report(failure: &Failure) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "portcullis::tokens",
        cause = std::error::Error::source(failure).map(tracing::field::display),
        "renewal of a session: {failure}"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = failure;
}
