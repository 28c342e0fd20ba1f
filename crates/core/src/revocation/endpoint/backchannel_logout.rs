//! [OpenID Connect Back-Channel Logout 1.0].
//!
//! [OpenID Connect Back-Channel Logout 1.0]: https://openid.net/specs/openid-connect-backchannel-1_0.html

use std::{sync::Arc, time::Duration};

use super::{EndpointError, of_unjudged, response::OK, revoke};
use crate::{
    AuthContext, AuthError, AuthErrorKind, Authenticator, Grant, NumericDate, Principal,
    RequestView, TokenType,
    adapter::{Endpoint, EndpointCall, EndpointResponse, Form},
    issuer::{IssuerConfig, Rules},
    json::{Kind, Name},
    revocation::{CLOCK_MARGIN, Revoked},
};

/// The event that a logout token reports (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// How long after its `iat` a logout token is accepted, plus the leeway of its issuer.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// Ends the tokens of a session or of a subject when an issuer says so ([OpenID Connect Back-Channel Logout
/// 1.0]). The adapters serve it at the URL that is registered with the issuer as `backchannel_logout_uri`.
///
/// The issuer sends a `POST` with a form that has the parameter `logout_token`. It brings no credentials, so
/// no layer belongs around it: the token proves who sends it.
///
/// # Which logout tokens are accepted
///
/// The issuers are those of the engine, with their keys, algorithms and leeway. The same fetches and the same
/// waiting for new keys serve both kinds of tokens. The other rules of the issuers are for access tokens, and
/// do not apply. Tenants are not among them. A logout token must have (§2.4, §2.6)
///
/// - `typ` `logout+jwt`, or none,
/// - `iss`, `jti`, `exp`, and an `iat` of the last five minutes,
/// - `aud` with one of the client ids,
/// - `events` with the member `http://schemas.openid.net/event/backchannel-logout`,
/// - `sid` or `sub`, and no `nonce`,
///
/// and it is accepted once. A token with `events` is never an access token.
///
/// # What it does
///
/// With a `sid`, all tokens with that `sid` are revoked. Otherwise, all tokens of the `sub` are that were
/// issued up to the `iat` of the logout token: both dates are of the clock of the issuer, so it does not
/// matter how far that is from ours, and the tokens of a later login stay valid.
///
/// | what happens | answer |
/// |---|---|
/// | the session or subject is revoked on this replica, and this survives a crash | 200 |
/// | the token is not accepted, or was used before | 400 `invalid_request`, without a detail |
/// | the form is malformed | 400 `invalid_request` |
/// | the form is longer than 64 KiB | 413 |
/// | keys or a store are not available | 503 with `Retry-After` |
/// | another method than `POST` | 405 |
///
/// §2.8 has 400 for all failures. This answers 503 if the same request may succeed later, so that an issuer
/// or a proxy can try again. Until the revocation is written, the token does not count as used: no logout is lost
/// by trying again. No answer may be stored by caches. The reason is logged at level debug, target
/// `portcullis::revocation`.
///
/// [OpenID Connect Back-Channel Logout 1.0]: https://openid.net/specs/openid-connect-backchannel-1_0.html
#[derive(Debug)]
pub struct BackchannelLogoutEndpoint<G = Grant> {
    auth: Authenticator<G>,
    client_ids: Arc<[String]>,
}

impl<G: Send + Sync + 'static> BackchannelLogoutEndpoint<G> {
    /// Accepts logout tokens of the issuers of an engine for these client ids: those that the application has
    /// at the issuers. They are not the audience of access tokens.
    ///
    /// # Errors
    ///
    /// [`EndpointError::NoRevocations`], [`EndpointError::NoReplayStore`] and
    /// [`EndpointError::NoClientId`].
    pub fn new<I: IntoIterator<Item: Into<String>>>(
        auth: &Authenticator<G>,
        client_ids: I,
    ) -> Result<Self, EndpointError> {
        let engine = auth.engine();
        if engine.revocations.is_none() {
            return Err(EndpointError::NoRevocations);
        }
        if engine.one_time.is_none() {
            return Err(EndpointError::NoReplayStore);
        }
        let client_ids: Arc<[String]> = client_ids.into_iter().map(Into::into).collect();
        if client_ids.is_empty() || client_ids.iter().any(String::is_empty) {
            return Err(EndpointError::NoClientId);
        }
        Ok(Self { auth: auth.clone(), client_ids })
    }

    async fn respond(self, form: Form) -> Result<EndpointResponse, EndpointResponse> {
        let token = form.required("logout_token")?;
        let rejected = |error| {
            of_unjudged(&error, &self.auth).unwrap_or_else(EndpointResponse::invalid_request)
        };
        let judged = self.auth.judge_by(token, |issuer| self.rules(issuer)).await;
        let judged = judged.map_err(rejected)?;
        let revoked = revoked_by(&judged).map_err(rejected)?;
        // Written before the token counts as used, so that a failure between the two loses no logout. A token
        // that is sent again writes the same entry again, which changes nothing.
        let entry = self.auth.revocation(judged.issuer(), revoked);
        revoke(&self.auth, &[entry]).await?;
        self.consume(&judged).await.map_err(rejected)?;
        Ok(OK.into())
    }

    /// The rules for logout tokens of an issuer.
    fn rules(&self, issuer: &IssuerConfig) -> IssuerConfig {
        let types = vec![TokenType::Absent, TokenType::Other("logout+jwt".to_owned())];
        let rules = Rules {
            leeway: issuer.rules.leeway,
            types: Some(types),
            reports_events: true,
            subject_required: false,
            max_age: Some(MAX_AGE),
            jti_required: true,
            ..Rules::default()
        };
        issuer.by_rules(rules, self.client_ids.to_vec(), [Name::Iss])
    }

    /// Uses the token.
    async fn consume(&self, judged: &Principal) -> Result<(), AuthError> {
        let engine = self.auth.engine();
        let reason = "the logout token cannot be remembered as used";
        let unavailable = || AuthError::because(AuthErrorKind::StoreUnavailable, reason);
        // A reload may have taken the store away. The dates were checked before.
        let store = engine.one_time.as_ref().ok_or_else(unavailable)?;
        let until = remembered_until(judged).ok_or_else(unavailable)?;
        let token_id = judged.token_id().ok_or_else(unavailable)?;
        store.consume(judged.issuer(), token_id, until, &*engine.clock).await
    }
}

/// Returns when a logout token is not accepted any more, by its `exp` or its age.
fn remembered_until(judged: &Principal) -> Option<NumericDate> {
    let end = judged.expires_at()?.min(judged.issued_at()?.saturating_add(MAX_AGE));
    Some(end.saturating_add(judged.origin().leeway).saturating_add(CLOCK_MARGIN))
}

/// Reads what a logout token revokes (§2.6, steps 5 to 7).
fn revoked_by(judged: &Principal) -> Result<Revoked, AuthError> {
    let malformed = |reason| AuthError::because(AuthErrorKind::MalformedClaim, reason);
    let claims = judged.object().ok_or(AuthErrorKind::MalformedToken)?;
    let events = claims.get(Name::Events).and_then(|events| events.read_object());
    let events =
        events.and_then(Result::ok).ok_or_else(|| malformed("`events` is not an object"))?;
    if !events.find(EVENT).is_some_and(|event| event.kind() == Kind::Object) {
        return Err(malformed("`events` does not report a back-channel logout"));
    }
    // An ID token has one.
    if claims.find("nonce").is_some() {
        return Err(malformed("a logout token has no `nonce`"));
    }
    if judged.token_id().is_none_or(str::is_empty) {
        return Err(malformed("`jti` is empty"));
    }
    let issued_at = judged.issued_at().ok_or(AuthErrorKind::MissingClaim)?;
    match (judged.question().session, judged.subject()) {
        (Some(""), _) => Err(malformed("`sid` is empty")),
        (Some(session), _) => Ok(Revoked::Session(session.into())),
        (None, "") => Err(AuthErrorKind::MissingClaim.into()),
        (None, subject) => Ok(Revoked::Subject(subject.into(), issued_at)),
    }
}

impl<G: Send + Sync + 'static> Endpoint for BackchannelLogoutEndpoint<G> {
    fn call(&self, request: &dyn RequestView, _: Option<&AuthContext>) -> EndpointCall {
        let endpoint = self.clone();
        EndpointCall::form(request, move |form| endpoint.respond(form))
    }
}

impl<G> Clone for BackchannelLogoutEndpoint<G> {
    fn clone(&self) -> Self {
        Self { auth: self.auth.clone(), client_ids: Arc::clone(&self.client_ids) }
    }
}
