//! The service that judges requests.

use std::{
    rc::Rc,
    sync::atomic::Ordering,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage,
    body::{EitherBody, MessageBody},
    dev::{RequestHead, Service, ServiceRequest, ServiceResponse},
    http::{Method, header},
};
use portcullis::{AuthContext, LayerError, MaybePending, Verdict};

use super::{JwtAuth, future::JwtAuthFuture, transform::Preflight};
use crate::{
    Rejection, ResponseForRejection,
    remove_tokens::{Removed, has_visible_tokens},
    request_view::View,
};

/// The service of [`JwtAuth`].
#[derive(Debug)]
pub struct JwtAuthMiddleware<S, G, R> {
    shared: Rc<Shared<S, G, R>>,
}

/// What requests that wait share with the middleware.
#[derive(Debug)]
pub(super) struct Shared<S, G, R> {
    pub(super) service: S,
    pub(super) config: JwtAuth<G, R>,
}

impl<S, G, R> JwtAuthMiddleware<S, G, R> {
    pub(super) fn new(service: S, config: JwtAuth<G, R>) -> Self {
        Self { shared: Rc::new(Shared { service, config }) }
    }
}

impl<S, G, R, B> Service<ServiceRequest> for JwtAuthMiddleware<S, G, R>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    G: Send + Sync + 'static,
    R: ResponseForRejection,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = JwtAuthFuture<S, G, R>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.service.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let config = &self.shared.config;
        let passed =
            passes(config.preflight, request.head()).then(|| config.pass(&request)).flatten();
        let outcome = if let Some(passed) = passed {
            passed
        } else {
            let judgement = {
                let extensions = request.extensions();
                config.auth.authenticate(&View::with(request.head(), extensions.get::<Removed>()))
            };
            match judgement {
                MaybePending::Ready(verdict) => config.decide(&mut request, verdict),
                MaybePending::Pending(waiting) => {
                    return JwtAuthFuture::waiting(waiting, request, Rc::clone(&self.shared));
                }
            }
        };
        JwtAuthFuture::after(outcome, request, &self.shared)
    }
}

/// What becomes of a request.
pub(super) struct Outcome {
    pub(super) rejection: Option<Box<Rejection>>,
    /// Whether the response must not be stored.
    pub(super) no_store: bool,
}

impl<G: Send + Sync + 'static, R> JwtAuth<G, R> {
    /// Leaves the context in the request, or rejects it.
    pub(super) fn decide(&self, request: &mut ServiceRequest, mut verdict: Verdict<G>) -> Outcome {
        self.hook.call(&mut verdict);
        let no_store = verdict.hidden.query().is_some();
        let goes_on = verdict.result.is_ok() || verdict.admits_anonymous;
        if goes_on && has_visible_tokens(&self.auth, request.head(), &verdict.hidden) {
            return self.tokens_not_removed(request, no_store);
        }
        let settings = || self.auth.challenge_settings();
        let rejection = match verdict.into_context(settings) {
            Ok(context) => {
                request.extensions_mut().insert(context);
                None
            }
            Err(error) => Some(Box::new(Rejection::new(error, settings(), request.method()))),
        };
        Outcome { rejection, no_store }
    }

    /// Lets a preflight through, without its tokens and without a caller. Returns `None` if the service
    /// inside would see a token: then the request is authenticated like any other, so that no client
    /// without a valid token can cause a 500.
    fn pass(&self, request: &ServiceRequest) -> Option<Outcome> {
        let hidden = {
            let extensions = request.extensions();
            self.auth.hidden_tokens(&View::with(request.head(), extensions.get::<Removed>()))
        };
        if has_visible_tokens(&self.auth, request.head(), &hidden) {
            return None;
        }
        let context = AuthContext::passed_preflight(self.auth.challenge_settings());
        request.extensions_mut().insert(context);
        Some(Outcome { rejection: None, no_store: hidden.query().is_some() })
    }

    /// Rejects a request whose tokens the service inside would see. The log names the line to add once:
    /// clients decide how often this happens.
    fn tokens_not_removed(&self, request: &ServiceRequest, no_store: bool) -> Outcome {
        let error = LayerError::TokensNotRemoved;
        if !self.is_reported.swap(true, Ordering::Relaxed) {
            error.report();
        }
        let rejection = Rejection::of_reported_layer(error, request.method());
        Outcome { rejection: Some(Box::new(rejection)), no_store }
    }
}

fn passes(preflight: Preflight, head: &RequestHead) -> bool {
    match preflight {
        Preflight::Judged => false,
        Preflight::Passed => is_preflight(head),
        Preflight::OptionsPassed => head.method == Method::OPTIONS,
    }
}

fn is_preflight(head: &RequestHead) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(header::ORIGIN)
        && head.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}
