//! An endpoint, the issuers whose tokens it exchanges, and requests to it.

use portcullis::{
    Algorithm, Authenticator, AuthenticatorBuilder, NumericDate,
    adapter::{Endpoint, EndpointCall, EndpointResponse, RequestView},
};
use portcullis_jose::SigningKey;
use portcullis_mint::{
    Minter,
    exchange::{TokenExchangeBuilder, TokenExchangeEndpoint},
};
use portcullis_testkit::{ManualClock, TestIssuer, TokenBuilder};
use serde_json::Value;

pub(crate) const NOW: i64 = 1_800_000_000;
/// The audience of the tokens that are exchanged.
pub(crate) const GATEWAY: &str = "https://gateway.test";
/// The issuer of the exchanged tokens.
pub(crate) const OWN: &str = "https://own.test";
pub(crate) const ORDERS: &str = "https://orders.test";
pub(crate) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
pub(crate) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// What a test exchanges tokens with.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) idp: TestIssuer,
    pub(crate) auth: Authenticator,
    pub(crate) minter: Minter,
    /// Verifies exchanged tokens, as another service does.
    pub(crate) orders: Authenticator,
}

impl World {
    /// An engine that trusts one issuer, and this service.
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// The same with other settings.
    pub(crate) async fn with(
        settings: impl FnOnce(AuthenticatorBuilder) -> AuthenticatorBuilder,
    ) -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let idp = TestIssuer::new("https://idp.test").clock(clock.clone());
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let own = || portcullis::Issuer::new(OWN).key(key.verification_key().unwrap());
        let auth = Authenticator::builder()
            .issuer(idp.trusted())
            .issuer(own())
            .audience(GATEWAY)
            .clock(clock.clone());
        let auth = settings(auth).build().unwrap();
        auth.ready().await.unwrap();
        let orders = Authenticator::builder()
            .issuer(own())
            .audience(ORDERS)
            .clock(clock.clone())
            .build()
            .unwrap();
        let minter = Minter::new(key).issuer(OWN).clock(clock.clone());
        Self { clock, idp, auth, minter, orders }
    }

    /// An endpoint that exchanges tokens for those of `ORDERS`, without client authentication.
    pub(crate) fn builder(&self) -> TokenExchangeBuilder {
        TokenExchangeEndpoint::builder(&self.auth, self.minter.clone())
            .dangerous_without_client_authentication()
            .audience(ORDERS)
    }

    /// A good subject token.
    pub(crate) fn token(&self) -> TokenBuilder {
        self.idp.token().audience(GATEWAY).claim("jti", "1")
    }

    /// Exchanges a token by the least that a form needs.
    pub(crate) async fn exchange(&self, token: &TokenBuilder) -> Response {
        Form::of(&token.build()).send(&self.builder().build().unwrap()).await
    }
}

/// A form in the body of a request, and its header fields.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    parameters: Vec<(String, String)>,
    fields: Vec<(&'static str, String)>,
}

impl Form {
    /// The least that an exchange needs.
    pub(crate) fn of(subject_token: &str) -> Self {
        Self { parameters: Vec::new(), fields: Vec::new() }
            .add("grant_type", GRANT_TYPE)
            .add("subject_token", subject_token)
            .add("subject_token_type", ACCESS_TOKEN)
    }

    pub(crate) fn add(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        self.without(name).add(name, value)
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(own, _)| own != name);
        self
    }

    pub(crate) fn actor(self, token: &TokenBuilder) -> Self {
        self.add("actor_token", &token.build()).add("actor_token_type", JWT)
    }

    pub(crate) fn field(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    pub(crate) async fn send(&self, endpoint: &impl Endpoint) -> Response {
        let pairs = self.parameters.iter().map(|(name, value)| format!("{name}={}", encode(value)));
        self.send_body(endpoint, &pairs.collect::<Vec<_>>().join("&")).await
    }

    /// Sends this body in place of the parameters.
    pub(crate) async fn send_body(&self, endpoint: &impl Endpoint, body: &str) -> Response {
        let response = match endpoint.call(&View(&self.fields), None) {
            EndpointCall::Response(response) => response.await,
            EndpointCall::Form(mut call) => match call.push(body.as_bytes()) {
                Ok(()) => call.finish().await,
                Err(response) => response,
            },
        };
        Response::of(response)
    }
}

pub(crate) fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

struct View<'a>(&'a [(&'static str, String)]);

impl RequestView for View<'_> {
    fn field_values<'r>(&'r self, name: &str, visit: &mut dyn FnMut(&'r [u8])) {
        if name == "content-type" {
            visit(b"application/x-www-form-urlencoded");
        }
        let values = self.0.iter().filter(|(own, _)| *own == name);
        values.for_each(|(_, value)| visit(value.as_bytes()));
    }

    fn query(&self) -> Option<&str> {
        None
    }

    fn method(&self) -> &str {
        "POST"
    }

    fn authority(&self) -> Option<&str> {
        None
    }
}

/// A response that no cache may store.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Response {
    fn of(response: EndpointResponse) -> Self {
        let EndpointResponse::Plain { status, headers, body } = response else { panic!() };
        let headers: Vec<_> = headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into_owned()))
            .collect();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() };
        let response = Self { status, headers, body };
        assert_eq!(response.header("cache-control"), Some("no-store"), "{response:?}");
        assert_eq!(response.header("pragma"), Some("no-cache"), "{response:?}");
        assert_eq!(response.header("retry-after").is_some(), status == 503 || status == 429);
        response
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the status and the OAuth error, or `issued`.
    pub(crate) fn outcome(&self) -> (u16, &str) {
        (self.status, self.body["error"].as_str().unwrap_or("issued"))
    }

    pub(crate) fn token(&self) -> &str {
        self.body["access_token"].as_str().unwrap_or_else(|| panic!("{self:?}"))
    }

    /// Returns the claims of the token, which its audience accepts.
    pub(crate) async fn claims(&self, world: &World) -> Value {
        let judged = world.orders.authenticate_token(self.token()).await;
        let caller = judged.unwrap_or_else(|error| panic!("{error:?}: {self:?}"));
        caller.principal().claims().unwrap()
    }
}
