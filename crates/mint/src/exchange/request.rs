//! What a hook of the application sees of an exchange.

use std::{fmt, sync::Arc};

use portcullis::{Grant, adapter::Authenticated, future::BoxFuture, grant::Scope};

use super::{
    ExchangeRefusal, ExchangedClaims,
    parameters::{Requested, is_scope},
};

/// Decides about an exchange whose tokens are valid: what the client gets, or why it gets nothing. Closures do:
///
/// ```
/// use portcullis_mint::exchange::{ExchangeRefusal, ExchangeRequest};
///
/// # async fn user_of(_issuer: &str, _subject: &str) -> Option<String> { None }
/// let hook = |request: ExchangeRequest| async move {
///     let subject = request.subject().principal();
///     // The subject as this service names it.
///     let user = user_of(subject.issuer(), subject.subject()).await;
///     let user = user.ok_or(ExchangeRefusal::UnacceptableToken)?;
///     Ok::<_, ExchangeRefusal>(request.narrow()?.subject(user))
/// };
/// ```
pub trait ExchangePolicy<G = Grant>: Send + Sync {
    /// Decides about one exchange.
    fn decide(
        &self,
        request: ExchangeRequest<G>,
    ) -> BoxFuture<'static, Result<ExchangedClaims, ExchangeRefusal>>;
}

impl<G, F, Fut> ExchangePolicy<G> for F
where
    F: Fn(ExchangeRequest<G>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<ExchangedClaims, ExchangeRefusal>> + Send + 'static,
{
    fn decide(
        &self,
        request: ExchangeRequest<G>,
    ) -> BoxFuture<'static, Result<ExchangedClaims, ExchangeRefusal>> {
        Box::pin(self(request))
    }
}

/// An exchange whose tokens are valid. `Debug` shows no token.
pub struct ExchangeRequest<G = Grant> {
    pub(super) subject: Authenticated<G>,
    pub(super) actor: Option<Authenticated<G>>,
    pub(super) client_id: Option<String>,
    pub(super) requested: Requested,
    /// The audiences that may be requested without a decision of the application.
    pub(super) audiences: Arc<[String]>,
}

impl<G> ExchangeRequest<G> {
    /// Returns the caller of the subject token, with the grant that the engine makes for it.
    #[must_use]
    pub fn subject(&self) -> &Authenticated<G> {
        &self.subject
    }

    /// Returns the caller of the actor token, if there is one.
    #[must_use]
    pub fn actor(&self) -> Option<&Authenticated<G>> {
        self.actor.as_ref()
    }

    /// Returns the client, if it was authenticated.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Returns the scopes that the client requests, if it does.
    #[must_use]
    pub fn scope(&self) -> Option<&Scope> {
        self.requested.scope.as_ref()
    }

    /// Returns the values of `audience`: the logical names of the services that the token is for.
    #[must_use]
    pub fn audiences(&self) -> &[String] {
        &self.requested.audiences
    }

    /// Returns the values of `resource`: the URIs of the services that the token is for ([RFC 8707 §2]).
    ///
    /// [RFC 8707 §2]: https://www.rfc-editor.org/rfc/rfc8707#section-2
    #[must_use]
    pub fn resources(&self) -> &[String] {
        &self.requested.resources
    }

    /// Returns what the client gets if nothing is to be more than before:
    ///
    /// - audiences: all values of `audience` and `resource`, each of which must be one that the endpoint
    ///   [allows](super::TokenExchangeBuilder::audience). Without any, the one that it allows, if it is only one.
    /// - scopes: those that are requested and that the subject token has; without a request, all that the subject
    ///   token has. Scopes are read by the [mapping](portcullis::Issuer::grant_mapping) of the issuer.
    ///
    /// # Errors
    ///
    /// [`ExchangeRefusal::InvalidTarget`] and [`ExchangeRefusal::InvalidScope`], the latter if scopes are requested and
    /// the subject token has none of them. [`ExchangeRefusal::UnacceptableToken`] if the scopes of the subject token
    /// cannot be read.
    pub fn narrow(&self) -> Result<ExchangedClaims, ExchangeRefusal> {
        Ok(ExchangedClaims::new(self.narrow_audiences()?).scope(self.narrow_scope()?))
    }

    fn narrow_audiences(&self) -> Result<Vec<String>, ExchangeRefusal> {
        let mut audiences: Vec<String> = Vec::new();
        for target in self.audiences().iter().chain(self.resources()) {
            if !self.audiences.contains(target) {
                return Err(ExchangeRefusal::InvalidTarget);
            }
            if !audiences.contains(target) {
                audiences.push(target.clone());
            }
        }
        match (audiences.is_empty(), &*self.audiences) {
            (false, _) => Ok(audiences),
            (true, [only]) => Ok(vec![only.clone()]),
            (true, _) => Err(ExchangeRefusal::InvalidTarget),
        }
    }

    fn narrow_scope(&self) -> Result<Scope, ExchangeRefusal> {
        let grant = self.subject.principal().standard_grant();
        let grant = grant.map_err(|_| ExchangeRefusal::UnacceptableToken)?;
        let Some(requested) = self.scope() else {
            // What another issuer or a mapping calls a scope may be none by RFC 6749.
            return Ok(grant.scope().iter().filter(|token| is_scope(token)).collect());
        };
        let scope: Scope = requested.iter().filter(|token| grant.has_scope(token)).collect();
        if scope.is_empty() { Err(ExchangeRefusal::InvalidScope) } else { Ok(scope) }
    }
}

impl<G> fmt::Debug for ExchangeRequest<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeRequest")
            .field("subject", self.subject.principal())
            .field("actor", &self.actor.as_ref().map(Authenticated::principal))
            .field("client_id", &self.client_id)
            .field("requested", &self.requested)
            .finish_non_exhaustive()
    }
}
