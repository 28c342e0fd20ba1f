//! The way to the response, or to a status.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use portcullis_tower::service::{AddBearerTokenError, NoReplay, Replay};
use tonic::{Code, Status};
use tower_service::Service;

use crate::BoxError;

pin_project! {
    /// The future of [`AddBearerToken`](super::AddBearerToken).
    #[must_use = "futures do nothing unless polled"]
    pub struct AddBearerTokenFuture<S, ReqBody, R = NoReplay>
    where
        S: Service<Request<ReqBody>>,
        R: Replay<ReqBody>,
    {
        #[pin]
        inner: portcullis_tower::service::AddBearerTokenFuture<S, ReqBody, R>,
    }
}

impl<S, ReqBody, R> AddBearerTokenFuture<S, ReqBody, R>
where
    S: Service<Request<ReqBody>>,
    R: Replay<ReqBody>,
{
    pub(super) fn new(
        inner: portcullis_tower::service::AddBearerTokenFuture<S, ReqBody, R>,
    ) -> Self {
        Self { inner }
    }
}

impl<S, ReqBody, R, ResBody> Future for AddBearerTokenFuture<S, ReqBody, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    R: Replay<ReqBody>,
{
    type Output = Result<Response<ResBody>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map_err(with_status)
    }
}

impl<S, ReqBody, R> std::fmt::Debug for AddBearerTokenFuture<S, ReqBody, R>
where
    S: Service<Request<ReqBody>>,
    R: Replay<ReqBody>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddBearerTokenFuture").finish_non_exhaustive()
    }
}

/// Makes a status of the layer's own errors. Clients would take them for 2 `UNKNOWN`, which nobody tries
/// again.
fn with_status(error: BoxError) -> BoxError {
    let error = match error.downcast::<AddBearerTokenError>() {
        Ok(error) => error,
        Err(other) => return other,
    };
    let code = match &*error {
        AddBearerTokenError::Token(_) => Code::Unavailable,
        _ => Code::Internal,
    };
    let mut status = Status::new(code, error.to_string());
    status.set_source(Arc::new(*error));
    status.into()
}
