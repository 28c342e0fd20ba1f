//! The configuration of the layer.

use std::sync::Arc;

use portcullis::{
    AuthError, Authenticator, Grant,
    adapter::{Challenge, Verdict},
};
use portcullis_tower::service::JwtAuth;
use tower_layer::Layer;

use crate::{
    GrpcStatus, MethodError, MethodPolicies,
    method_auth::{MethodAuth, Streams},
    methods::MethodTable,
};

/// Judges each call before a service sees it.
///
/// 1. The token is taken from the places of the engine: metadata are the headers of the request, so
///    that [`TokenLocation::bearer`](portcullis::TokenLocation::bearer) reads the metadata `authorization`. A call
///    that is rejected gets its [status](GrpcStatus) here; the service is not called.
/// 2. The policy of the [method](Self::methods) is asked.
/// 3. The layer leaves one [`AuthContext`](crate::AuthContext) in the request, from which
///    [`RequestExt`](crate::RequestExt) reads the caller.
///
/// Everything else is as in the layer of
/// [`portcullis-tower`](portcullis_tower::JwtAuthLayer), which this one is made of.
///
/// # Deployment
///
/// In tonic, the layer that is added *first* runs first. A `GrpcWebLayer` and a CORS layer belong
/// around this one, added before it, so that browsers can read rejections too: expose the headers
/// `grpc-status`, `grpc-message`, `grpc-status-details-bin` and `www-authenticate` to them.
///
/// Every answer is one of gRPC, HTTP status 200 included. Where a server has routes of plain HTTP
/// beside its services, these want the layer of `portcullis-axum`.
#[derive(Debug)]
#[must_use]
pub struct JwtAuthLayer<G = Grant> {
    layer: portcullis_tower::JwtAuthLayer<G>,
    rejections: GrpcStatus,
    methods: Option<Arc<MethodTable<G>>>,
    streams: Streams,
}

impl<G: Send + Sync + 'static> JwtAuthLayer<G> {
    /// Creates the layer. Every call needs good credentials, and none needs any rights.
    pub fn new(auth: Authenticator<G>) -> Self {
        Self {
            layer: portcullis_tower::JwtAuthLayer::new(auth),
            rejections: GrpcStatus::new(),
            methods: None,
            streams: Streams::Unlimited,
        }
    }

    /// Asks for policies by the name of the method; a method that the table does not name is rejected.
    /// Default: no method has a policy.
    ///
    /// # Errors
    ///
    /// If the table is empty, or has a name that is malformed or there twice.
    pub fn methods(self, policies: MethodPolicies<G>) -> Result<Self, MethodError> {
        let methods = Arc::new(policies.build()?);
        let table = Arc::clone(&methods);
        let layer = self.layer.public(move |uri| table.is_public(uri.path()));
        Ok(Self { layer, methods: Some(methods), ..self })
    }

    /// Lets calls *without* credentials through to methods without a policy: where there is a table, those
    /// that it names as [such](MethodPolicies::no_policy). Handlers ask with
    /// [`optional_caller`](crate::RequestExt::optional_caller). Bad credentials are rejected all the
    /// same. Default: credentials are required.
    pub fn optional(self) -> Self {
        Self { layer: self.layer.optional(), ..self }
    }

    /// Lets every call through to methods without a policy: one without good credentials as
    /// [`Anonymous`](crate::adapter::Anonymous), which tells what was wrong with them.
    ///
    /// # Security
    ///
    /// Whatever the handler does for anonymous callers it does for forged and expired tokens too.
    pub fn dangerous_admit_failed(self) -> Self {
        Self { layer: self.layer.dangerous_admit_failed(), ..self }
    }

    /// Ends streams when their token expires or is revoked: the client's and the server's. Default: a call is judged
    /// once, and its streams go on for as long as both sides like.
    ///
    /// At the expiry, leeway included and by the clock of the engine, a stream of responses ends with
    /// the status of an expired token. When this replica learns that the token was
    /// [revoked](crate::AuthenticatorBuilder::revocations), it ends with the status of a revoked one. The
    /// handler's stream is dropped then, and a handler that reads requests gets that status as an error. A
    /// call with a single response is not cut off: it was judged when it began, and what it did would remain.
    pub fn end_streams_at_expiry(self) -> Self {
        Self { streams: Streams::EndAtExpiry, ..self }
    }

    /// How rejected calls are answered: by this layer, by each [`RequireLayer`](crate::RequireLayer)
    /// and each [`RequestExt`](crate::RequestExt) inside. Default: [`GrpcStatus::new`].
    pub fn grpc_status(self, form: GrpcStatus) -> Self {
        Self { rejections: form, ..self }
    }

    /// Changes the challenge of a rejection: [`GrpcStatus::map_challenge`] of the form at hand.
    pub fn map_challenge(
        self,
        map: impl Fn(Challenge, &AuthError) -> Challenge + Send + Sync + 'static,
    ) -> Self {
        Self { rejections: self.rejections.map_challenge(map), ..self }
    }

    /// Calls a function once for each call that this layer judges, whatever the verdict: for an
    /// audit log, or metrics of the application's own. It must be quick. Where it
    /// panics the request is rejected (500). Default: none.
    pub fn on_verdict(self, hook: impl Fn(&Verdict<G>) + Send + Sync + 'static) -> Self {
        Self { layer: self.layer.on_verdict(hook), ..self }
    }
}

impl<G> Clone for JwtAuthLayer<G> {
    fn clone(&self) -> Self {
        Self {
            layer: self.layer.clone(),
            rejections: self.rejections.clone(),
            methods: self.methods.clone(),
            streams: self.streams,
        }
    }
}

impl<S, G: Send + Sync + 'static> Layer<S> for JwtAuthLayer<G> {
    type Service = JwtAuth<MethodAuth<S, G>, G, GrpcStatus>;

    fn layer(&self, inner: S) -> Self::Service {
        let methods = self.methods.clone();
        let inner = MethodAuth::new(inner, methods, self.rejections.clone(), self.streams);
        self.layer.clone().response_for_rejection(self.rejections.clone()).layer(inner)
    }
}
