//! The configuration of sessions.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use portcullis::{
    Authenticator, Principal,
    revocation::{CookieAttributes, SetCookies},
};

use super::{
    Inner, Refresh, SessionError, Sessions, Settings, engine::Engine, once::Renewals, refresh::Hook,
};
use crate::Minter;

/// The longest age of a session, unless configured otherwise.
const MAX_SESSION_AGE: Duration = Duration::from_secs(24 * 3600);

/// Builds [`Sessions`].
#[must_use]
pub struct SessionsBuilder {
    engine: Arc<dyn Engine>,
    /// Whether the engine reads the cookie.
    is_read: bool,
    has_replay_store: bool,
    may_lack_issuer: bool,
    cookie: CookieAttributes,
    old_cookies: Vec<CookieAttributes>,
    settings: Settings,
}

impl SessionsBuilder {
    pub(super) fn new<G: Send + Sync + 'static>(
        auth: &Authenticator<G>,
        minter: Minter,
        cookie: CookieAttributes,
    ) -> Self {
        Self {
            is_read: auth.reads_cookie(&cookie.full_name()),
            has_replay_store: auth.has_replay_store(),
            may_lack_issuer: false,
            engine: Arc::new(auth.clone()),
            cookie,
            old_cookies: Vec::new(),
            settings: Settings {
                minter,
                hook: Hook::default(),
                is_renewed_always: false,
                is_shared: false,
                max_session_age: MAX_SESSION_AGE,
            },
        }
    }

    /// Decides what happens to a session that may be renewed: once it is due, or at
    /// [every request](Self::at_every_request). It is called after the handler, at most once at a time for each
    /// token, and may take 2 seconds. If it fails, panics or takes longer, the browser keeps its token, and the log
    /// has a warning, target `portcullis::tokens`.
    ///
    /// Default: sessions with a `sid` are renewed with the same claims. [`Sessions::start`] gives each a `sid`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use portcullis::Principal;
    /// # use portcullis_mint::session::{Refresh, SessionsBuilder};
    /// # #[derive(Clone)] struct Users;
    /// # impl Users { async fn is_active(&self, _: &str) -> Result<bool, std::io::Error> { Ok(true) } }
    /// # fn with(sessions: SessionsBuilder, users: Users) {
    /// sessions.refresh(move |caller: Principal| {
    ///     let users = users.clone();
    ///     async move {
    ///         let is_active = users.is_active(caller.subject()).await?;
    ///         Ok::<_, std::io::Error>(if is_active { Refresh::Renew } else { Refresh::Clear })
    ///     }
    /// });
    /// # }
    /// ```
    pub fn refresh<F, E>(
        mut self,
        function: impl Fn(Principal) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Refresh, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.settings.hook = Hook::new(function);
        self
    }

    /// Renews at every request, so that a session ends when it was not used for the lifetime of a token. Default: a
    /// token is renewed once no more than 20 % of its life, or no more than 30 seconds, is left.
    pub fn at_every_request(mut self) -> Self {
        self.settings.is_renewed_always = true;
        self
    }

    /// How long after the start of a session, or its user's authentication (`auth_time`) if that was earlier, its
    /// last token expires. Default: 24 hours. [`Duration::MAX`] is no limit: then a stolen cookie can be renewed
    /// until its session is revoked.
    pub fn max_session_age(mut self, max_session_age: Duration) -> Self {
        self.settings.max_session_age = max_session_age;
        self
    }

    /// Renews a token once among all replicas, which agree through the engine's
    /// [store of used tokens](portcullis::AuthenticatorBuilder::replay_store). While the store is not available,
    /// each replica renews it once. Default: each replica renews it once.
    pub fn once_across_replicas(mut self) -> Self {
        self.settings.is_shared = true;
        self
    }

    /// Adds a cookie that an older version of the service has set, for example with another path. It is removed
    /// whenever the session cookie is set or removed. Default: none.
    pub fn remove_old_cookie(mut self, cookie: CookieAttributes) -> Self {
        self.old_cookies.push(cookie);
        self
    }

    /// Allows a minter without an issuer, for systems whose tokens have no `iss`. Default:
    /// [`SessionError::NoIssuer`].
    ///
    /// # Security
    ///
    /// Then each token without `iss` that a key of the minter has signed, and the engine accepts from the cookie, is
    /// a session, also one that was made for another purpose.
    pub fn dangerous_without_issuer(mut self) -> Self {
        self.may_lack_issuer = true;
        self
    }

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// [`SessionError::Cookie`], [`SessionError::CookieNotRead`], [`SessionError::NoIssuer`] and
    /// [`SessionError::NoReplayStore`].
    pub fn build(self) -> Result<Sessions, SessionError> {
        let Self { engine, cookie, old_cookies, settings, .. } = self;
        let removal = SetCookies::remove(&cookie, &old_cookies)?;
        if !self.is_read {
            return Err(SessionError::CookieNotRead { name: cookie.full_name().into_owned() });
        }
        if settings.minter.identity().0.is_none() && !self.may_lack_issuer {
            return Err(SessionError::NoIssuer);
        }
        if settings.is_shared && !self.has_replay_store {
            return Err(SessionError::NoReplayStore);
        }
        let renewals = Arc::<Renewals>::default();
        let inner = Inner { engine, cookie, old_cookies, removal, settings, renewals };
        Ok(Sessions { inner: Arc::new(inner), is_reported: Arc::default() })
    }
}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder")
            .field("cookie", &self.cookie)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
