//! An application of actix-web.

use std::hint::black_box;

use actix_http::Request;
use actix_web::{
    App, Error,
    body::{MessageBody, to_bytes},
    dev::{Service, ServiceResponse},
    http::{
        StatusCode, Uri,
        header::{self, HeaderName, HeaderValue},
    },
    rt::System,
    test, web,
};
use portcullis::Authenticator;
use portcullis_actix_web::JwtAuth;

use super::{BODY, now};
use crate::Run;

/// Adds what the application answers to.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/hello", web::get().to(async || BODY));
}

pub(super) fn in_process(authorization: &str, auth: Option<Authenticator>) -> Run {
    let app = App::new().configure(configure);
    let system = System::new();
    match auth {
        None => run(authorization, system.block_on(test::init_service(app))),
        Some(auth) => {
            let app = app.wrap(JwtAuth::new(auth));
            run(authorization, system.block_on(test::init_service(app)))
        }
    }
}

fn run<S, B>(authorization: &str, service: S) -> Run
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody,
{
    let fields: [(HeaderName, HeaderValue); 4] = [
        (header::HOST, "127.0.0.1:8080"),
        (header::USER_AGENT, "bench/1.0"),
        (header::ACCEPT, "*/*"),
        (header::AUTHORIZATION, authorization),
    ]
    .map(|(name, value)| (name, value.parse().expect("a value")));
    Box::new(move || {
        let mut request = Request::new();
        request.head_mut().uri = Uri::from_static("/hello");
        for (name, value) in &fields {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        let response = now(service.call(request)).expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        black_box(now(to_bytes(response.into_body())).is_ok());
    })
}
