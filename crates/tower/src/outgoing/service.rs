//! The service that adds tokens to requests.

use std::task::{Context, Poll};

use http::{Request, Response, header};
use portcullis_mint::CallToken;
use tower_service::Service;

use super::{AddBearerTokenFuture, AddBearerTokenLayer, BoxError, NoReplay, Replay};

/// The service of [`AddBearerTokenLayer`].
#[derive(Clone, Debug)]
pub struct AddBearerToken<S, R = NoReplay> {
    inner: S,
    layer: AddBearerTokenLayer<R>,
}

impl<S, R> AddBearerToken<S, R> {
    pub(super) fn new(inner: S, layer: AddBearerTokenLayer<R>) -> Self {
        Self { inner, layer }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for AddBearerToken<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    R: Replay<ReqBody>,
{
    type Response = Response<ResBody>;
    type Error = BoxError;
    type Future = AddBearerTokenFuture<S, ReqBody, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let uri = request.uri();
        let (scheme, authority) = (uri.scheme_str(), uri.authority().map(AsRef::as_ref));
        let has_authorization = request.headers().contains_key(header::AUTHORIZATION);
        match self.layer.credentials.for_request(has_authorization, scheme, authority) {
            Err(error) => AddBearerTokenFuture::rejected(error),
            Ok(CallToken::Own) => AddBearerTokenFuture::unchanged(self.inner.call(request)),
            Ok(CallToken::Ready(token)) => {
                AddBearerTokenFuture::send(request, token, &mut self.inner, self.layer.clone())
            }
            Ok(CallToken::Wait) => {
                // The service that was made ready is the one that must be called; a clone that was
                // not takes its place.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                AddBearerTokenFuture::waiting(request, ready, self.layer.clone())
            }
        }
    }
}
