//! An issuer, an engine that trusts it, and requests to applications that it guards.

use actix_http::Request;
use actix_web::{
    Error,
    body::{MessageBody, to_bytes},
    dev::{Service, ServiceResponse},
    http::{Method, header},
    test::{self, TestRequest},
};
use portcullis_actix_web::{Authenticator, Caller, TokenLocation};
use portcullis_testkit::{TestIssuer, TokenBuilder};
use serde_json::Value;

pub(crate) const AUDIENCE: &str = "orders";

pub(crate) struct World {
    pub(crate) issuer: TestIssuer,
    pub(crate) auth: Authenticator,
}

impl World {
    pub(crate) fn new() -> Self {
        let issuer = TestIssuer::new("https://idp.test");
        let auth = Authenticator::builder()
            .issuer(issuer.trusted())
            .audience(AUDIENCE)
            .locations(TokenLocation::header_query_cookie("access_token"))
            .realm("orders")
            .build()
            .unwrap();
        Self { issuer, auth }
    }

    pub(crate) fn token(&self) -> TokenBuilder {
        self.issuer.token().audience(AUDIENCE)
    }
}

/// What came back, in one value that a failed assertion shows whole.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) challenge: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) body: String,
}

pub(crate) fn request(method: Method, uri: &str, token: Option<&str>) -> TestRequest {
    let request = TestRequest::default().method(method).uri(uri);
    match token {
        Some(token) => request.insert_header(("authorization", format!("Bearer {token}"))),
        None => request,
    }
}

pub(crate) async fn get<S, B>(app: &S, uri: &str, token: Option<&str>) -> Answer
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    send(app, request(Method::GET, uri, token)).await
}

pub(crate) async fn send<S, B>(app: &S, request: TestRequest) -> Answer
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    answer(test::call_service(app, request.to_request()).await).await
}

pub(crate) async fn answer<B: MessageBody>(response: ServiceResponse<B>) -> Answer {
    let status = response.status().as_u16();
    let challenge = response
        .headers()
        .get(header::WWW_AUTHENTICATE)
        .map(|value| value.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body()).await.map_err(|_| "a body that fails").unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let code = serde_json::from_str::<Value>(&body)
        .ok()
        .and_then(|problem| Some(problem.get("code")?.as_str()?.to_owned()));
    Answer { status, challenge, code, body }
}

pub(crate) fn allowed(body: &str) -> Answer {
    Answer { status: 200, challenge: None, code: None, body: body.to_owned() }
}

pub(crate) fn rejected(status: u16, challenge: Option<&str>, title: &str, code: &str) -> Answer {
    Answer {
        status,
        challenge: challenge.map(ToOwned::to_owned),
        code: Some(code.to_owned()),
        body: format!(
            r#"{{"type":"about:blank","title":"{title}","status":{status},"code":"{code}"}}"#
        ),
    }
}

pub(crate) async fn who(caller: Caller) -> String {
    caller.subject().to_owned()
}
