//! The service that renews sessions.

use std::task::{Context, Poll};

use http::{Request, Response};
use portcullis_mint::session;
use tower_service::Service;

use super::SessionsFuture;

/// The service inside of a [`SessionLayer`](crate::SessionLayer): it renews the session of the caller.
#[derive(Clone, Debug)]
pub struct Sessions<S> {
    inner: S,
    sessions: session::Sessions,
}

impl<S> Sessions<S> {
    pub(super) fn new(inner: S, sessions: session::Sessions) -> Self {
        Self { inner, sessions }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Sessions<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = SessionsFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let caller = self.sessions.caller(request.extensions().get());
        SessionsFuture::new(self.inner.call(request), self.sessions.clone(), caller)
    }
}
