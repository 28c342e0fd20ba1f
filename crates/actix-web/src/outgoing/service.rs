//! The service that adds tokens to requests.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_http::{RequestHeadType, header::HeaderMap};
use actix_service::Service;
use awc::{
    ConnectRequest, ConnectResponse,
    error::SendRequestError,
    http::{Uri, header::AUTHORIZATION},
};
use portcullis_mint::{CallCredentials, IssuedToken};

use super::middleware::{field, not_made};

/// The service of [`AddBearerToken`](super::AddBearerToken).
#[doc(hidden)]
pub struct AddBearerTokenMiddleware<S> {
    inner: Rc<S>,
    credentials: Rc<CallCredentials>,
}

impl<S> AddBearerTokenMiddleware<S> {
    pub(super) fn new(inner: Rc<S>, credentials: Rc<CallCredentials>) -> Self {
        Self { inner, credentials }
    }
}

impl<S> Service<ConnectRequest> for AddBearerTokenMiddleware<S>
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError> + 'static,
{
    type Response = ConnectResponse;
    type Error = SendRequestError;
    type Future = Pin<Box<dyn Future<Output = Result<ConnectResponse, SendRequestError>>>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), SendRequestError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ConnectRequest) -> Self::Future {
        let (inner, credentials) = (Rc::clone(&self.inner), Rc::clone(&self.credentials));
        Box::pin(async move {
            let (uri, has_authorization) = target(&request);
            let (scheme, authority) = (uri.scheme_str(), uri.authority().map(|it| it.as_str()));
            let token = credentials.token_for_request(has_authorization, scheme, authority).await;
            let Some(token) = token.map_err(not_made)? else { return inner.call(request).await };
            let response = inner.call(with_token(request, &token)?).await?;
            let (status, headers) = match &response {
                ConnectResponse::Client(response) => (response.status(), response.headers()),
                ConnectResponse::Tunnel(head, _) => (head.status, &head.headers),
            };
            let header = |name: &str| headers.get(name).map(|value| value.as_bytes());
            credentials.evaluate(&token, status.as_u16(), header);
            Ok(response)
        })
    }
}

/// Returns where a request goes, and whether it has credentials.
fn target(request: &ConnectRequest) -> (&Uri, bool) {
    match request {
        ConnectRequest::Client(head, ..) => {
            let extra = head.extra_headers();
            let is_extra = extra.is_some_and(|headers| headers.contains_key(AUTHORIZATION));
            let head = head.as_ref();
            (&head.uri, is_extra || head.headers.contains_key(AUTHORIZATION))
        }
        ConnectRequest::Tunnel(head, _) => (&head.uri, head.headers.contains_key(AUTHORIZATION)),
    }
}

fn with_token(
    request: ConnectRequest,
    token: &IssuedToken,
) -> Result<ConnectRequest, SendRequestError> {
    let value = field(token)?;
    Ok(match request {
        ConnectRequest::Client(RequestHeadType::Owned(mut head), body, address) => {
            head.headers.insert(AUTHORIZATION, value);
            ConnectRequest::Client(RequestHeadType::Owned(head), body, address)
        }
        ConnectRequest::Client(RequestHeadType::Rc(head, extra), body, address) => {
            let mut extra = extra.unwrap_or_else(HeaderMap::new);
            extra.insert(AUTHORIZATION, value);
            ConnectRequest::Client(RequestHeadType::Rc(head, Some(extra)), body, address)
        }
        ConnectRequest::Tunnel(mut head, address) => {
            head.headers.insert(AUTHORIZATION, value);
            ConnectRequest::Tunnel(head, address)
        }
    })
}

impl<S> fmt::Debug for AddBearerTokenMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddBearerTokenMiddleware").finish_non_exhaustive()
    }
}
