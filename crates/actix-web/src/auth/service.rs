//! The service that judges requests.

use std::{
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage,
    body::{EitherBody, MessageBody},
    dev::{RequestHead, Service, ServiceRequest, ServiceResponse},
    http::{Method, header},
};
use portcullis::{AuthContext, Judgement, LayerError, RequestView, Verdict};

use super::{
    JwtAuth,
    future::JwtAuthFuture,
    hide::{SharedRequest, hide_tokens},
    transform::Preflight,
};
use crate::{Refusal, ResponseForRefusal};

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
    R: ResponseForRefusal,
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
        let outcome = if passes(config.preflight, request.head()) {
            config.pass(&mut request)
        } else {
            match config.auth.begin(&View(request.head())) {
                Judgement::Done(verdict) => config.decide(&mut request, verdict),
                Judgement::Waiting(waiting) => {
                    return JwtAuthFuture::waiting(waiting, request, Rc::clone(&self.shared));
                }
            }
        };
        JwtAuthFuture::after(outcome, request, &self.shared)
    }
}

/// What becomes of a request.
pub(super) struct Outcome {
    pub(super) refusal: Option<Box<Refusal>>,
    /// Whether the response must not be stored.
    pub(super) no_store: bool,
}

impl<G: Send + Sync + 'static, R> JwtAuth<G, R> {
    /// Leaves the context in the request, or refuses it.
    pub(super) fn decide(&self, request: &mut ServiceRequest, mut verdict: Verdict<G>) -> Outcome {
        let hidden = hide_tokens(request, &verdict.hidden);
        self.hook.call(&mut verdict);
        let no_store = match hidden {
            Ok(no_store) => no_store,
            Err(SharedRequest) => return Outcome::shared_request(request),
        };
        let settings = || self.auth.challenge_settings();
        let refusal = match verdict.into_context(settings) {
            Ok(context) => {
                request.extensions_mut().insert(context);
                None
            }
            Err(error) => Some(Box::new(Refusal::new(error, settings(), request.method()))),
        };
        Outcome { refusal, no_store }
    }

    /// Lets a preflight through, without its tokens and without a caller.
    fn pass(&self, request: &mut ServiceRequest) -> Outcome {
        let hidden = self.auth.hidden_tokens(&View(request.head()));
        let Ok(no_store) = hide_tokens(request, &hidden) else {
            return Outcome::shared_request(request);
        };
        let context = AuthContext::passed_preflight(self.auth.challenge_settings());
        request.extensions_mut().insert(context);
        Outcome { refusal: None, no_store }
    }
}

impl Outcome {
    /// Tokens cannot be taken out of the request, so that nobody inside may see it.
    fn shared_request(request: &ServiceRequest) -> Self {
        let refusal = Refusal::of_layer(LayerError::SharedRequest, request.method());
        Self { refusal: Some(Box::new(refusal)), no_store: true }
    }
}

/// What the engine sees of a request.
struct View<'a>(&'a RequestHead);

impl RequestView for View<'_> {
    fn field_values<'r>(&'r self, name: &str, visit: &mut dyn FnMut(&'r [u8])) {
        let values = match name {
            // By far the most frequent one need not be read as a name each time.
            "authorization" => self.0.headers.get_all(header::AUTHORIZATION),
            _ => self.0.headers.get_all(name),
        };
        values.for_each(|value| visit(value.as_bytes()));
    }

    fn query(&self) -> Option<&str> {
        self.0.uri.query()
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
