//! A service with the endpoint, and its issuers.

use std::net::SocketAddr;

use conformance::NOW;
use portcullis::{Algorithm, Authenticator, AuthenticatorBuilder, NumericDate};
use portcullis_axum::mint::{
    Minter,
    exchange::{ClientSecrets, TokenExchangeBuilder, TokenExchangeEndpoint},
};
use portcullis_testkit::{ManualClock, TestIssuer, TokenBuilder};

use super::{
    http::{Request, Response},
    servers::Framework,
};

/// Where the endpoint is.
pub(crate) const TOKEN: &str = "/token";
/// The audience of the tokens that are exchanged.
pub(crate) const GATEWAY: &str = "https://gateway.test";
pub(crate) const ORDERS: &str = "https://orders.test";
/// `web:secret`
pub(crate) const BASIC: &str = "Basic d2ViOnNlY3JldA==";

/// One service.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) framework: Framework,
    pub(crate) idp: TestIssuer,
    address: SocketAddr,
}

/// Starts one service for each framework.
pub(crate) fn worlds() -> Vec<World> {
    worlds_with(|auth, _| auth, |endpoint| endpoint)
}

/// The same with other settings.
pub(crate) fn worlds_with(
    auth_settings: impl Fn(AuthenticatorBuilder, &TestIssuer) -> AuthenticatorBuilder,
    settings: impl Fn(TokenExchangeBuilder) -> TokenExchangeBuilder,
) -> Vec<World> {
    let mut worlds = Vec::new();
    for framework in Framework::ALL {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let idp = TestIssuer::new("https://idp.test").clock(clock.clone());
        let auth = Authenticator::builder().audience(GATEWAY).clock(clock.clone());
        let auth = auth_settings(auth.issuer(idp.trusted()), &idp).build().unwrap();
        let key = portcullis::jose::SigningKey::generate(Algorithm::ES256).unwrap();
        let minter = Minter::new(key).issuer("https://own.test").clock(clock);
        let endpoint = TokenExchangeEndpoint::builder(&auth, minter)
            .client_authentication(ClientSecrets::new([("web", "secret")]).unwrap())
            .audience(ORDERS);
        let endpoint = settings(endpoint).build().unwrap();
        let address = framework.start(&[(TOKEN, endpoint)]);
        worlds.push(World { framework, idp, address });
    }
    worlds
}

impl World {
    /// The URL of the endpoint.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{TOKEN}", self.address)
    }

    /// A good subject token.
    pub(crate) fn token(&self) -> TokenBuilder {
        self.idp.token().audience(GATEWAY).claim("jti", "1")
    }

    /// A good form.
    pub(crate) fn form(&self) -> String {
        form_of(&self.token())
    }

    pub(crate) async fn send(&self, request: Request) -> Response {
        let what = format!("{:?}: {request:?}", self.framework);
        let response = request.send(self.address).await;
        assert_eq!(response.get("cache-control"), Some("no-store"), "{what}");
        assert_eq!(response.get("pragma"), Some("no-cache"), "{what}");
        let has_json = response.get("content-type") == Some("application/json");
        assert_eq!(has_json, response.status != 405, "{what}: {response:?}");
        let retry_after = response.get("retry-after");
        assert_eq!(retry_after.is_some(), [429, 503].contains(&response.status), "{what}");
        response
    }

    /// Asserts status and OAuth error of a response.
    pub(crate) async fn expect(&self, request: Request, status: u16, error: &str) -> Response {
        let what = format!("{:?}: {request:?}", self.framework);
        let response = self.send(request).await;
        assert_eq!(response.status, status, "{what}: {response:?}");
        let body: serde_json::Value = serde_json::from_str(&response.body).unwrap_or_default();
        assert_eq!(body["error"].as_str().unwrap_or_default(), error, "{what}: {response:?}");
        response
    }
}

/// The least that an exchange of a token needs.
pub(crate) fn form_of(token: &TokenBuilder) -> String {
    let token = token.build();
    format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token={token}\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
    )
}

/// A request of the client.
pub(crate) fn request() -> Request {
    Request::post(TOKEN).field("authorization", BASIC)
}
