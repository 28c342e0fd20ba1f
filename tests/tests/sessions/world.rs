//! A service with sessions, its keys and its store.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use conformance::{AUDIENCE, NOW};
use portcullis::{
    Algorithm, Authenticator, Issuer, NumericDate, TokenLocation,
    keys::SigningKey,
    revocation::{CookieAttributes, Revocations},
};
use portcullis_mint::{
    Minter,
    session::{Sessions, SessionsBuilder},
};
use portcullis_testkit::{ManualClock, TestIssuer};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::{
    http::{Request, Response},
    servers::{Framework, LOGIN, Service},
    store::Store,
};

/// The name of the issuer of sessions.
pub(crate) const OWN: &str = "https://app.test";

/// How one service differs from the usual one.
pub(crate) struct Setup {
    pub(crate) cookie: CookieAttributes,
    pub(crate) lifetime: Duration,
    pub(crate) revocations: fn(Revocations) -> Revocations,
    pub(crate) issuer: fn(Issuer) -> Issuer,
    pub(crate) claims: Value,
    pub(crate) requests_at_barrier: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            cookie: CookieAttributes::session("session"),
            lifetime: Duration::from_secs(3600),
            // Tests advance the clock by hours.
            revocations: |revocations| revocations.max_staleness(Duration::from_secs(1 << 30)),
            issuer: |issuer| issuer,
            claims: json!({"sub": "alice", "aud": AUDIENCE, "scope": "read", "theme": "dark"}),
            requests_at_barrier: 1,
        }
    }
}

/// One service.
pub(crate) struct World {
    pub(crate) framework: Framework,
    pub(crate) clock: ManualClock,
    pub(crate) store: Store,
    pub(crate) partner: TestIssuer,
    pub(crate) auth: Authenticator,
    pub(crate) minter: Minter,
    pub(crate) cookie_name: String,
    pub(crate) barrier: Arc<Barrier>,
    address: SocketAddr,
}

/// Starts one usual service for each framework.
pub(crate) async fn worlds() -> Vec<World> {
    worlds_with(Setup::default, |sessions| sessions).await
}

/// Starts one service for each framework.
pub(crate) async fn worlds_with(
    setup: impl Fn() -> Setup,
    settings: impl Fn(SessionsBuilder) -> SessionsBuilder,
) -> Vec<World> {
    let mut worlds = Vec::new();
    for framework in Framework::ALL {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        let store = Store::default();
        worlds.push(World::start(framework, &setup(), &settings, clock, key, store).await);
    }
    worlds
}

impl World {
    pub(crate) async fn start(
        framework: Framework,
        setup: &Setup,
        settings: &impl Fn(SessionsBuilder) -> SessionsBuilder,
        clock: ManualClock,
        key: SigningKey,
        store: Store,
    ) -> Self {
        let partner = TestIssuer::new("https://partner.test").clock(clock.clone());
        let issuer = Issuer::new(OWN).key(key.verification_key().unwrap());
        let auth = Authenticator::builder()
            .issuer((setup.issuer)(issuer))
            .issuer(partner.trusted())
            .audience(AUDIENCE)
            .locations([TokenLocation::bearer(), setup.cookie.location()])
            .clock(clock.clone())
            .revocations((setup.revocations)(Revocations::new(store.clone())))
            .replay_store(store.clone())
            .build()
            .unwrap();
        auth.ready().await.unwrap();
        let minter =
            Minter::new(key.clone()).issuer(OWN).lifetime(setup.lifetime).clock(clock.clone());
        let sessions = Sessions::builder(&auth, minter.clone(), setup.cookie.clone());
        let sessions = settings(sessions).build().unwrap();
        let barrier = Arc::new(Barrier::new(setup.requests_at_barrier));
        let address = framework.start(Service {
            auth: auth.clone(),
            sessions,
            cookie: setup.cookie.clone(),
            barrier: Arc::clone(&barrier),
            claims: setup.claims.clone(),
        });
        let cookie_name = setup.cookie.full_name().into_owned();
        Self { framework, clock, store, partner, auth, minter, cookie_name, barrier, address }
    }

    pub(crate) async fn send(&self, request: Request) -> Response {
        request.send(self.address).await
    }

    /// Logs in, and returns the token.
    pub(crate) async fn login(&self) -> String {
        let response = self.send(Request::post(LOGIN)).await;
        assert_eq!(response.status, 200, "{:?}", self.framework);
        self.new_token(&response).unwrap()
    }

    /// A request with a token in the session cookie.
    pub(crate) fn with(&self, request: Request, token: &str) -> Request {
        request.field("cookie", format!("{}={token}", self.cookie_name))
    }

    pub(crate) async fn get(&self, path: &'static str, token: &str) -> Response {
        self.send(self.with(Request::new("GET", path), token)).await
    }

    /// Does something while the handler of a request runs. The barrier is for two.
    pub(crate) async fn meanwhile(
        &self,
        request: impl Future<Output = Response>,
        action: impl Future<Output = ()>,
    ) -> Response {
        let action = async {
            self.barrier.wait().await;
            action.await;
            self.barrier.wait().await;
        };
        tokio::join!(request, action).0
    }

    /// Returns the token that a response sets; `None` if it does not change the cookie. Asserts what each
    /// response must have that changes it.
    pub(crate) fn new_token(&self, response: &Response) -> Option<String> {
        let values = set_cookies(response);
        let value = values.iter().find_map(|value| {
            let value = value.strip_prefix(&self.cookie_name)?.strip_prefix('=')?;
            value.split(';').next().filter(|value| !value.is_empty())
        })?;
        assert_eq!(response.get("cache-control"), Some("no-store"), "{:?}", self.framework);
        Some(value.to_owned())
    }

    /// Asserts what a response is, and that it does not change the cookie.
    pub(crate) fn expect_kept(&self, response: &Response, status: u16, body: &str, what: &str) {
        assert_eq!(
            (response.status, &*response.body),
            (status, body),
            "{:?} {what}",
            self.framework
        );
        assert_eq!(set_cookies(response), Vec::<&str>::new(), "{:?} {what}", self.framework);
    }

    /// Asserts the status of a response, and that it removes the cookie.
    pub(crate) fn expect_removed(&self, response: &Response, status: u16, what: &str) {
        assert_eq!(response.status, status, "{:?} {what}: {response:?}", self.framework);
        let name = &self.cookie_name;
        let removal =
            format!("{name}=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; ");
        let values = set_cookies(response);
        assert!(values.len() == 1 && values[0].starts_with(&removal), "{what}: {response:?}");
        assert_eq!(response.get("cache-control"), Some("no-store"), "{what}");
    }

    pub(crate) async fn judge(&self, token: &str) -> Result<String, &'static str> {
        let judged = self.auth.authenticate_token(token).await;
        judged
            .map(|caller| caller.principal().subject().to_owned())
            .map_err(|error| error.kind().code())
    }
}

/// Returns the values of `Set-Cookie`.
pub(crate) fn set_cookies(response: &Response) -> Vec<&str> {
    let fields = response.fields.iter().filter(|(name, _)| name == "set-cookie");
    fields.map(|(_, value)| value.as_str()).collect()
}

/// Returns the claims of a token, unverified.
pub(crate) fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64_simd::URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap()).unwrap()
}
