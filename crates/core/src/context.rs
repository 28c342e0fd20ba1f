//! What a layer leaves in the extensions of a request.

use std::{
    any::{Any, type_name},
    fmt,
    sync::Arc,
};

use serde::de::DeserializeOwned;

use crate::{Anonymous, Authenticated, ChallengeSettings, LayerError, Principal, Rejection};

/// What a layer found out about a request: the caller, or why there is none.
///
/// An adapter leaves exactly one value of this type in the extensions of a request. The type has no
/// parameter, so an inner layer replaces everything that an outer one left, whatever type of grant each
/// engine makes. Cloning copies pointers.
///
/// # Examples
///
/// ```
/// use portcullis::{AuthContext, Grant};
///
/// fn may_see_all(context: &AuthContext) -> bool {
///     context.grant::<Grant>().is_some_and(|grant| grant.has_role("admin"))
/// }
/// ```
#[derive(Clone)]
pub struct AuthContext {
    state: State,
}

#[derive(Clone)]
enum State {
    Caller {
        principal: Principal,
        /// An `Arc<G>`.
        grant: Arc<dyn Any + Send + Sync>,
        /// An `Arc<Vec<Authenticated<G>>>`; `None` if there are none, which costs no allocation.
        others: Option<Arc<dyn Any + Send + Sync>>,
        /// The cookie that the token is from.
        cookie: Option<Arc<str>>,
    },
    Anonymous(Anonymous),
    PassedPreflight(Anonymous),
}

impl AuthContext {
    /// Creates the context of a CORS preflight that a layer passes without authentication.
    #[must_use]
    pub fn passed_preflight(settings: Arc<ChallengeSettings>) -> Self {
        Self { state: State::PassedPreflight(Anonymous::new(settings)) }
    }

    /// Returns the caller; `None` if the layer let the request through without one.
    #[must_use]
    pub fn caller(&self) -> Option<&Principal> {
        match &self.state {
            State::Caller { principal, .. } => Some(principal),
            State::Anonymous(_) | State::PassedPreflight(_) => None,
        }
    }

    /// Returns what the caller may do; `None` without a caller, or if the engine makes grants of another
    /// type.
    #[must_use]
    pub fn grant<G: Send + Sync + 'static>(&self) -> Option<Arc<G>> {
        match &self.state {
            State::Caller { grant, .. } => Arc::clone(grant).downcast().ok(),
            State::Anonymous(_) | State::PassedPreflight(_) => None,
        }
    }

    /// Returns the callers of the other tokens, where a request may bring several
    /// ([`Requirement::all`](crate::Requirement::all)). Empty if the engine makes grants of another type.
    #[must_use]
    pub fn other_callers<G: Send + Sync + 'static>(&self) -> &[Authenticated<G>] {
        match &self.state {
            State::Caller { others: Some(others), .. } => others
                .downcast_ref::<Vec<Authenticated<G>>>()
                .map(Vec::as_slice)
                .unwrap_or_default(),
            _ => &[],
        }
    }

    /// Returns why there is no caller; `None` if there is one.
    #[must_use]
    pub fn anonymous(&self) -> Option<&Anonymous> {
        match &self.state {
            State::Caller { .. } => None,
            State::Anonymous(anonymous) | State::PassedPreflight(anonymous) => Some(anonymous),
        }
    }

    /// Returns whether a layer passed the request as a CORS preflight, which policies let through.
    #[must_use]
    pub fn is_passed_preflight(&self) -> bool {
        matches!(self.state, State::PassedPreflight(_))
    }

    /// Returns whether the request came without credentials. Invalid credentials do not count as none, except in
    /// a session cookie that the response [removes](crate::adapter::Authentication::remove_invalid_cookie).
    #[must_use]
    pub fn is_without_credentials(&self) -> bool {
        self.anonymous().is_some_and(Anonymous::is_without_credentials)
    }

    /// Returns the name of the cookie that the caller's token is from; `None` if the token is from elsewhere, or if
    /// the request has several.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        match &self.state {
            State::Caller { cookie, .. } => cookie.as_deref(),
            State::Anonymous(_) | State::PassedPreflight(_) => None,
        }
    }

    /// Adds where the token is from.
    pub(crate) fn with_cookie(mut self, name: Option<Arc<str>>) -> Self {
        if let State::Caller { cookie, .. } = &mut self.state {
            *cookie = name;
        }
        self
    }

    /// Returns the caller, for an adapter whose handler or policy requires one.
    ///
    /// # Errors
    ///
    /// The rejection to answer with: there is no caller, or no layer has left a context.
    pub fn required_caller(context: Option<&Self>) -> Result<&Principal, Box<Rejection>> {
        match context.map(|context| &context.state) {
            Some(State::Caller { principal, .. }) => Ok(principal),
            Some(State::Anonymous(anonymous) | State::PassedPreflight(anonymous)) => {
                Err(Box::new(Rejection::of_anonymous(anonymous)))
            }
            None => Err(fault(LayerError::Missing)),
        }
    }

    /// Returns the caller and the grant, for an adapter whose handler or policy requires both.
    ///
    /// # Errors
    ///
    /// As [`required_caller`](Self::required_caller), and if the engine makes grants of another type.
    pub fn required_grant<G: Send + Sync + 'static>(
        context: Option<&Self>,
    ) -> Result<(&Principal, Arc<G>), Box<Rejection>> {
        let caller = Self::required_caller(context)?;
        match context.and_then(Self::grant) {
            Some(grant) => Ok((caller, grant)),
            None => {
                let (wanted, made) = (type_name::<G>(), caller.grant_type_name());
                Err(fault(LayerError::OtherGrant { wanted, made }))
            }
        }
    }

    /// Returns the callers of the other tokens, for an adapter whose handler requires them.
    ///
    /// # Errors
    ///
    /// As [`required_grant`](Self::required_grant).
    pub fn required_others<G: Send + Sync + 'static>(
        context: Option<&Self>,
    ) -> Result<Vec<Authenticated<G>>, Box<Rejection>> {
        Self::required_grant::<G>(context)?;
        Ok(context.map(Self::other_callers).unwrap_or_default().to_vec())
    }

    /// Reads all claims of the caller as a type of the application.
    ///
    /// # Errors
    ///
    /// As [`required_caller`](Self::required_caller), and as [`Principal::claims`].
    pub fn required_claims<T: DeserializeOwned>(
        context: Option<&Self>,
    ) -> Result<T, Box<Rejection>> {
        let caller = Self::required_caller(context)?;
        let settings = || Arc::clone(caller.challenge_settings());
        caller.claims().map_err(|error| Box::new(Rejection::new(error, settings())))
    }

    /// Reads what a handler can do without: `None` if the request came without credentials.
    ///
    /// # Errors
    ///
    /// As the function that reads: invalid credentials, or no context.
    pub fn optional<'c, T>(
        context: Option<&'c Self>,
        read: impl FnOnce(Option<&'c Self>) -> Result<T, Box<Rejection>>,
    ) -> Result<Option<T>, Box<Rejection>> {
        if context.is_some_and(Self::is_without_credentials) {
            return Ok(None);
        }
        read(context).map(Some)
    }
}

/// Rejects a request because of a fault of the application, and logs the fault at once: a handler that
/// can do without a caller makes no response of the rejection.
#[cold]
fn fault(error: LayerError) -> Box<Rejection> {
    error.report();
    Box::new(error.into())
}

impl<G: Send + Sync + 'static> From<Authenticated<G>> for AuthContext {
    fn from(caller: Authenticated<G>) -> Self {
        let (principal, grant, others) = caller.into_all();
        let others: Option<Arc<dyn Any + Send + Sync>> =
            if others.is_empty() { None } else { Some(Arc::new(others)) };
        Self { state: State::Caller { principal, grant, others, cookie: None } }
    }
}

impl From<Anonymous> for AuthContext {
    fn from(anonymous: Anonymous) -> Self {
        Self { state: State::Anonymous(anonymous) }
    }
}

impl fmt::Debug for AuthContext {
    /// Shows the caller and not the grant, whose type is erased.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Caller { principal, .. } => {
                f.debug_struct("AuthContext").field("caller", principal).finish_non_exhaustive()
            }
            State::Anonymous(anonymous) => f.debug_tuple("AuthContext").field(anonymous).finish(),
            State::PassedPreflight(_) => f.write_str("AuthContext(PassedPreflight)"),
        }
    }
}
