//! Logout: the end of all credentials of a request.

use super::{EndpointError, of_unjudged, response::NO_CONTENT, revoke};
use crate::{
    AuthContext, Authenticator, Grant, Principal, Rejection, RequestView,
    adapter::{Endpoint, EndpointCall, EndpointResponse},
    endpoint::{CookieAttributes, NOT_POST},
    revocation::Revocation,
};

/// How many different tokens one request may bring.
const MAX_TOKENS: usize = 4;

/// Revokes all tokens of a request, and removes the cookies that hold them. The adapters serve it.
///
/// 1. It finds the tokens itself, in each location of the engine: a cookie too, although a token in a header
///    field takes precedence over it. So no layer belongs around it, which would reject a request whose token
///    has expired, so that the cookie stayed. If there is a layer, its callers are logged out as well.
/// 2. Each valid token is revoked, and so is its session, which ends the other tokens of that session: those with
///    the same `sid`, the first token, whose `jti` may be that `sid`, and those whose `sid` is the `jti` of this
///    one ([details](Authenticator::session_revocations)). A token without `jti` and `sid` cannot be revoked: engines with revocations reject such tokens,
///    unless [`allow_missing_jti`](crate::revocation::Revocations::allow_missing_jti) is set.
/// 3. Tokens that are not valid are ignored. They cannot be used anyway.
/// 4. The answer is 204, or a [redirect](Self::redirect), and removes the [cookies](Self::remove_cookie). A request
///    without tokens gets it too.
/// 5. If a token cannot be judged, or the store cannot write, the answer is 503 with `Retry-After`. It
///    removes no cookie, so that the browser can try again. Other tokens may be revoked already.
/// 6. A request with more than four different tokens gets 400, and one with another method than `POST` 405: a
///    link or an image of another site must not log a user out.
///
/// With one of these answers, the tokens are rejected on this replica, and the revocation survives a crash. No
/// answer may be stored by caches.
///
/// # Security
///
/// Another site must not log a user out: a request that has a token in a cookie, or is to remove one, is checked
/// as the engine [checks](crate::AuthenticatorBuilder::allowed_origins) each request with a cookie (403).
#[derive(Debug)]
pub struct LogoutEndpoint<G = Grant> {
    auth: Authenticator<G>,
    removed_cookies: Vec<String>,
    redirect: Option<String>,
    allows_get: bool,
}

impl<G: Send + Sync + 'static> LogoutEndpoint<G> {
    /// Revokes tokens that this engine accepts.
    ///
    /// # Errors
    ///
    /// [`EndpointError::NoRevocations`].
    pub fn new(auth: &Authenticator<G>) -> Result<Self, EndpointError> {
        auth.revocations().ok_or(EndpointError::NoRevocations)?;
        let (auth, removed_cookies) = (auth.clone(), Vec::new());
        Ok(Self { auth, removed_cookies, redirect: None, allows_get: false })
    }

    /// Adds a cookie that the browser is to remove. Default: none.
    ///
    /// # Errors
    ///
    /// [`EndpointError::InvalidCookie`].
    pub fn remove_cookie(mut self, cookie: &CookieAttributes) -> Result<Self, EndpointError> {
        self.removed_cookies.push(cookie.removal()?);
        Ok(self)
    }

    /// Redirects the browser to this URI reference after the logout, with 307 to a `GET` and 303 to a `POST`.
    /// Default: 204.
    ///
    /// # Errors
    ///
    /// [`EndpointError::InvalidRedirect`] if it is empty or not visible ASCII.
    pub fn redirect(self, location: impl Into<String>) -> Result<Self, EndpointError> {
        let location = location.into();
        if location.is_empty() || !location.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(EndpointError::InvalidRedirect);
        }
        Ok(Self { redirect: Some(location), ..self })
    }

    /// Accepts `GET` too, for systems whose logout is a link. Default: 405.
    ///
    /// # Security
    ///
    /// A link or an image of another site can then log a user out. It can do nothing else.
    #[must_use]
    pub fn dangerous_allow_get(self) -> Self {
        Self { allows_get: true, ..self }
    }

    async fn respond(
        self,
        is_get: bool,
        callers: Vec<Principal>,
        tokens: Vec<String>,
    ) -> Result<EndpointResponse, EndpointResponse> {
        let mut entries = Vec::new();
        callers.iter().for_each(|caller| self.add_entries(caller, &mut entries));
        let mut unjudged = None;
        for token in &tokens {
            match self.auth.judge_without_grant(token).await {
                Ok(caller) => self.add_entries(&caller, &mut entries),
                Err(error) => unjudged = of_unjudged(&error, &self.auth).or(unjudged),
            }
        }
        if !entries.is_empty() {
            revoke(&self.auth, &entries).await?;
        }
        let done = match self.redirect {
            None => NO_CONTENT.into(),
            Some(location) => EndpointResponse::new(if is_get { 307 } else { 303 }, "")
                .header("location", location)
                .header("cache-control", "no-store"),
        };
        let cookies = self.removed_cookies.into_iter();
        let done = cookies.fold(done, |done, cookie| done.header("set-cookie", cookie));
        unjudged.map_or(Ok(done), Err)
    }

    /// Adds what ends a token and its session, unless it is there.
    fn add_entries(&self, caller: &Principal, entries: &mut Vec<Revocation>) {
        for entry in self.auth.session_revocations(caller) {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
}

impl<G: Send + Sync + 'static> Endpoint for LogoutEndpoint<G> {
    fn call(&self, request: &dyn RequestView, context: Option<&AuthContext>) -> EndpointCall {
        let is_get = request.method() == "GET" && self.allows_get;
        if request.method() != "POST" && !is_get {
            return EndpointCall::respond(NOT_POST);
        }
        let tokens = match self.auth.all_tokens(request, !self.removed_cookies.is_empty()) {
            Ok(tokens) => tokens,
            Err(error) => {
                let rejection = Rejection::new(error, self.auth.challenge_settings());
                return EndpointCall::respond(rejection);
            }
        };
        if tokens.len() > MAX_TOKENS {
            return EndpointCall::respond(EndpointResponse::invalid_request());
        }
        let others = context.into_iter().flat_map(AuthContext::other_callers::<G>);
        let others = others.map(|other| other.principal().clone());
        let caller = context.and_then(AuthContext::caller).cloned();
        let callers = caller.into_iter().chain(others).collect();
        let response = self.clone().respond(is_get, callers, tokens);
        EndpointCall::later(async { response.await.unwrap_or_else(|response| response) })
    }
}

impl<G> Clone for LogoutEndpoint<G> {
    fn clone(&self) -> Self {
        Self {
            auth: self.auth.clone(),
            removed_cookies: self.removed_cookies.clone(),
            redirect: self.redirect.clone(),
            allows_get: self.allows_get,
        }
    }
}
