//! The service that renews sessions.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage,
    dev::{Service, ServiceRequest, ServiceResponse},
};
use portcullis::{AuthContext, Principal};
use portcullis_mint::session::Sessions;

use crate::set_cookies::{change_cookies_of_result, forbid_caching, is_changed};

/// The service inside of a [`SessionAuth`](crate::SessionAuth): it renews the session of the caller.
#[derive(Debug)]
pub struct SessionMiddleware<S> {
    service: S,
    sessions: Sessions,
}

impl<S> SessionMiddleware<S> {
    pub(super) fn new(service: S, sessions: Sessions) -> Self {
        Self { service, sessions }
    }
}

impl<S, B> Service<ServiceRequest> for SessionMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<ServiceResponse<B>, Error>>>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let caller = self.sessions.caller(request.extensions().get::<AuthContext>());
        let (response, sessions) = (self.service.call(request), self.sessions.clone());
        Box::pin(async move {
            let mut result = response.await;
            renew(&mut result, &sessions, caller).await;
            result
        })
    }
}

/// Renews the session of the caller, unless the response changes the cookie itself.
async fn renew<B>(
    result: &mut Result<ServiceResponse<B>, Error>,
    sessions: &Sessions,
    caller: Option<Principal>,
) {
    if let Ok(response) = &mut *result
        && is_changed(response.headers(), sessions.removal().name())
    {
        return forbid_caching(response.headers_mut());
    }
    let Some(renewal) = caller.and_then(|caller| sessions.renew(&caller)) else { return };
    if let Some(cookies) = renewal.await {
        change_cookies_of_result(result, cookies);
    }
}
