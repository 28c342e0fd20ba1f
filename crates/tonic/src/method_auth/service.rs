//! The service that knows the method of a call.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use portcullis::Grant;
use portcullis_tower::service::AuthFuture;
use tonic::body::Body;
use tower_service::Service;

use super::MethodAuthFuture;
use crate::{
    BoxError, GrpcStatus,
    body::TonicBody,
    expiry::{Expiry, RequestBody},
    methods::{MethodTable, Rule},
    request::RejectionForm,
    route::authorize,
};

/// The part of the service of [`JwtAuthLayer`](crate::JwtAuthLayer) that runs when the call was judged.
#[derive(Debug)]
pub struct MethodAuth<S, G = Grant> {
    inner: TonicBody<S>,
    // Both shared, because the framework clones a service for each call.
    methods: Option<Arc<MethodTable<G>>>,
    rejections: Arc<GrpcStatus>,
    streams: Streams,
}

/// What becomes of a stream whose token expires.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Streams {
    Unlimited,
    EndAtExpiry,
}

impl<S, G> MethodAuth<S, G> {
    pub(crate) fn new(
        inner: S,
        methods: Option<Arc<MethodTable<G>>>,
        rejections: GrpcStatus,
        streams: Streams,
    ) -> Self {
        Self { inner: TonicBody::new(inner), methods, rejections: Arc::new(rejections), streams }
    }
}

impl<S: Clone, G> Clone for MethodAuth<S, G> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            methods: self.methods.clone(),
            rejections: Arc::clone(&self.rejections),
            streams: self.streams,
        }
    }
}

impl<S, G, ReqBody, ResBody> Service<Request<ReqBody>> for MethodAuth<S, G>
where
    S: Service<Request<Body>, Response = Response<ResBody>> + Clone,
    G: Send + Sync + 'static,
    ReqBody: http_body::Body<Data = Bytes> + Send + 'static,
    ReqBody::Error: Into<BoxError>,
    ResBody: http_body::Body<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = MethodAuthFuture<S>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let (form, method) = (Arc::clone(&self.rejections), request.uri().clone());
        request.extensions_mut().insert(RejectionForm { form, method });
        let rule = self.methods.as_ref().map(|table| table.rule(request.uri().path()));
        let expiry = match (self.streams, rule) {
            (Streams::Unlimited, _) | (_, Some(Rule::Public)) => None,
            (Streams::EndAtExpiry, _) => Expiry::of::<G>(request.extensions(), &self.rejections),
        };
        let request = match &expiry {
            Some(expiry) => request.map(|body| Body::new(RequestBody::new(body, expiry.again()))),
            None => request.map(Body::new),
        };
        let call = match rule {
            Some(Rule::Policy(authorization)) => {
                let outcome = authorize(authorization, &request);
                AuthFuture::new(outcome, request, &mut self.inner, &*self.rejections)
            }
            Some(Rule::Public | Rule::NoPolicy) | None => {
                AuthFuture::inner(self.inner.call(request))
            }
        };
        MethodAuthFuture::new(call, expiry)
    }
}
