//! The service that reissues tokens.

use std::task::{Context, Poll};

use http::{Request, Response};
use portcullis::AuthContext;
use portcullis_mint::Reissuer;
use tower_service::Service;

use super::ReissueFuture;

/// The service of [`ReissueLayer`](super::ReissueLayer).
#[derive(Clone, Debug)]
pub struct Reissue<S> {
    inner: S,
    reissuer: Reissuer,
}

impl<S> Reissue<S> {
    pub(super) fn new(inner: S, reissuer: Reissuer) -> Self {
        Self { inner, reissuer }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Reissue<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ReissueFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let caller = self.reissuer.caller(request.extensions().get::<AuthContext>());
        let reissuer = self.reissuer.clone();
        ReissueFuture::new(self.inner.call(request), caller.map(|caller| (reissuer, caller)))
    }
}
