//! Token revocation ([RFC 7009]).
//!
//! [RFC 7009]: https://www.rfc-editor.org/rfc/rfc7009

use super::{
    EndpointError, of_unjudged,
    response::{NOT_THE_CALLERS, OK, UNSUPPORTED_TOKEN},
    revoke,
};
use crate::{
    AuthContext, Authenticator, Grant, Policy, Principal, RequestView,
    adapter::{ChallengeMap, Endpoint, EndpointCall, EndpointResponse, Form, authorize},
};

/// Revokes the token that a caller presents ([RFC 7009]). The adapters serve it.
///
/// It belongs behind a layer that authenticates the caller, for example by the same access token. The request
/// is a `POST` with a form that has the parameter `token`. `token_type_hint` is ignored: the token says what
/// it is.
///
/// | what happens | answer |
/// |---|---|
/// | the token is valid, and its subject or its client is that of the caller | it is revoked: 200 |
/// | it is valid and of another caller, and the caller meets the [admin policy](Self::admin) | it is revoked: 200 |
/// | it is valid and of another caller | 403 `unauthorized_client`: the request is refused and the client informed, as §2.1 demands |
/// | it is expired, revoked already, malformed, or not from a trusted issuer | 200, as §2.2 demands: it cannot be used anyway |
/// | it is valid and has no `jti`, so that it cannot be revoked alone | 400 `unsupported_token_type` (§2.2.1) |
/// | the form has no `token`, or is malformed | 400 `invalid_request` |
/// | the form is longer than 64 KiB | 413 |
/// | the token cannot be judged, or the store cannot write | 503 with `Retry-After` (§2.2.1): nothing is revoked |
/// | there are too many look-ups of [tenants](crate::strategy::Tenants) | 429 with `Retry-After` |
/// | no caller | 401 |
/// | no layer | 500 |
/// | another method than `POST` | 405 |
///
/// When the answer is 200, the token is rejected on this replica, and the revocation survives a crash. Two
/// callers of different issuers are never the same, whatever their subjects are. Errors are JSON
/// ([RFC 6749 §5.2]). No answer may be stored by caches.
///
/// [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
/// [RFC 7009]: https://www.rfc-editor.org/rfc/rfc7009
#[derive(Debug)]
pub struct RevokeEndpoint<G = Grant> {
    auth: Authenticator<G>,
    admin: Option<Policy<G>>,
}

impl<G: Send + Sync + 'static> RevokeEndpoint<G> {
    /// Revokes tokens that this engine accepts.
    ///
    /// # Errors
    ///
    /// [`EndpointError::NoRevocations`].
    pub fn new(auth: &Authenticator<G>) -> Result<Self, EndpointError> {
        auth.revocations().ok_or(EndpointError::NoRevocations)?;
        Ok(Self { auth: auth.clone(), admin: None })
    }

    /// Lets callers who meet a policy revoke the tokens of others. Default: no caller may. A rule of the policy
    /// that looks at the route rejects, because the route is unknown here.
    #[must_use]
    pub fn admin(self, policy: Policy<G>) -> Self {
        policy.report_mistakes();
        Self { admin: Some(policy), ..self }
    }

    async fn respond(
        self,
        context: AuthContext,
        form: Form,
    ) -> Result<EndpointResponse, EndpointResponse> {
        let token = form.required("token")?;
        let owner = match self.auth.judge_without_grant(token).await {
            Ok(owner) => owner,
            Err(error) => {
                return Ok(of_unjudged(&error, &self.auth).unwrap_or_else(|| OK.into()));
            }
        };
        if !context.caller().is_some_and(|caller| is_own(caller, &owner)) {
            self.check_admin(&context).await?;
        }
        let entry = owner.revocation().ok_or(UNSUPPORTED_TOKEN)?;
        revoke(&self.auth, &[entry]).await?;
        Ok(OK.into())
    }

    /// Checks that the caller may revoke the tokens of others.
    async fn check_admin(&self, context: &AuthContext) -> Result<(), EndpointResponse> {
        let policy = self.admin.as_ref().ok_or(NOT_THE_CALLERS)?;
        let outcome = authorize(policy, Some(context), &(), "POST", &ChallengeMap::default());
        match outcome.await.result {
            Ok(_) => Ok(()),
            // No more rights would be needed for the caller's own token, which is what most want.
            Err(rejection) if rejection.status() == 403 => Err(NOT_THE_CALLERS.into()),
            Err(rejection) => Err((*rejection).into()),
        }
    }
}

/// Returns whether a token is of the caller: of the same issuer, and of the same subject or client.
fn is_own(caller: &Principal, owner: &Principal) -> bool {
    let is_same_issuer =
        caller.issuer() == owner.issuer() && caller.trusted_issuer() == owner.trusted_issuer();
    let is_same_subject = !owner.subject().is_empty() && caller.subject() == owner.subject();
    let client = owner.client_id().filter(|client| !client.is_empty());
    let is_same_client = client.is_some() && caller.client_id() == client;
    is_same_issuer && (is_same_subject || is_same_client)
}

impl<G: Send + Sync + 'static> Endpoint for RevokeEndpoint<G> {
    fn call(&self, request: &dyn RequestView, context: Option<&AuthContext>) -> EndpointCall {
        let context = match (AuthContext::required_caller(context), context) {
            (Ok(_), Some(context)) => context.clone(),
            (Err(rejection), _) => {
                return EndpointCall::respond(rejection.for_method(request.method()));
            }
            // There is no caller without a context.
            (Ok(_), None) => return EndpointCall::respond(NOT_THE_CALLERS),
        };
        let endpoint = self.clone();
        EndpointCall::form(request, move |form| endpoint.respond(context, form))
    }
}

impl<G> Clone for RevokeEndpoint<G> {
    fn clone(&self) -> Self {
        Self { auth: self.auth.clone(), admin: self.admin.clone() }
    }
}
