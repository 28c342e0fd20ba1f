//! A service that issues its own tokens and trusts another issuer too.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use conformance::{AUDIENCE, NOW};
use portcullis::{
    Algorithm, Authenticator, Issuer, NumericDate, TokenLocation,
    keys::SigningKey,
    revocation::{Revocations, Revoked},
    strategy::{Identity, StaticTokens},
};
use portcullis_axum::mint::{Minter, Reissuer, SigningKeys};
use portcullis_testkit::ManualClock;
use serde_json::{Map, Value, json};

use super::{
    http::{Request, Response},
    servers::{During, Framework, Service},
    store::TestStore,
};

pub(crate) const ISSUER: &str = "https://tasks.test";
/// Another issuer that the service trusts.
const PARTNER: &str = "https://idp.test";
/// The lifetime of tokens, in seconds, unless a test says otherwise.
pub(crate) const LIFE: i64 = 1000;
/// A static token, of 32 characters at least.
pub(crate) const STATIC_TOKEN: &str = "0123456789abcdefghijklmnopqrstuv";
/// The token from a header or, if there is none, from this cookie.
pub(crate) const COOKIE: &str = "session";

/// What a test changes.
pub(crate) struct Setup {
    pub(crate) key: SigningKey,
    /// The key of the reissuer, if it is another one.
    pub(crate) other_key: Option<SigningKey>,
    /// The issuer of the reissuer.
    pub(crate) reissued_by: &'static str,
    pub(crate) reissuer: fn(Reissuer) -> Reissuer,
    pub(crate) minter: fn(Minter) -> Minter,
    pub(crate) issuer: fn(Issuer) -> Issuer,
    pub(crate) revocations: fn(Revocations) -> Revocations,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            key: SigningKey::generate(Algorithm::EdDSA).unwrap(),
            other_key: None,
            reissued_by: ISSUER,
            reissuer: |reissuer| reissuer,
            minter: |minter| minter,
            issuer: |issuer| issuer,
            revocations: |revocations| revocations,
        }
    }
}

pub(crate) struct World {
    pub(crate) framework: Framework,
    pub(crate) clock: ManualClock,
    pub(crate) minter: Minter,
    pub(crate) partner: Minter,
    pub(crate) auth: Authenticator,
    pub(crate) service: Service,
    address: SocketAddr,
}

/// Starts one service for each framework.
pub(crate) async fn worlds(setup: Setup) -> Vec<World> {
    let mut worlds = Vec::new();
    for framework in Framework::ALL {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let minter = |key: &SigningKey, issuer| {
            let keys = SigningKeys::builder(key.clone()).clock(clock.clone());
            let keys = keys.max_lifetime(Duration::from_secs(10_000)).build().unwrap();
            Minter::new(keys).issuer(issuer).clock(clock.clone())
        };
        let partner_key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        let partner = minter(&partner_key, PARTNER);
        let reissuing = minter(setup.other_key.as_ref().unwrap_or(&setup.key), setup.reissued_by);
        let minter = minter(&setup.key, ISSUER);
        let minter = (setup.minter)(minter.lifetime(Duration::from_secs(1000)));
        let own = Issuer::new(ISSUER).key(setup.key.verification_key().unwrap());
        let identity = Identity::new("robot").claim("iat", NOW).claim("exp", NOW + LIFE);
        let tokens = StaticTokens::builder("robots").token(STATIC_TOKEN, identity);
        let store = TestStore::new();
        let revocations = (setup.revocations)(Revocations::new(store.clone()))
            // The clock is moved by more than a follower may be late.
            .max_staleness(Duration::from_secs(1_000_000));
        let auth = Authenticator::builder()
            .issuer((setup.issuer)(own))
            .issuer(Issuer::new(PARTNER).key(partner_key.verification_key().unwrap()))
            .strategy(tokens.build().unwrap())
            .audience(AUDIENCE)
            .locations([TokenLocation::bearer(), TokenLocation::cookie(COOKIE)])
            .clock(clock.clone())
            .revocations(revocations)
            .replay_store(store.clone())
            .build()
            .unwrap();
        auth.ready().await.unwrap();
        let reissuer = (setup.reissuer)(Reissuer::new((setup.minter)(reissuing)));
        let service = Service {
            auth: auth.clone(),
            reissuer,
            clock: clock.clone(),
            store,
            during: Arc::default(),
        };
        let address = framework.start(&service);
        worlds.push(World { framework, clock, minter, partner, auth, service, address });
    }
    worlds
}

impl World {
    /// A token of the service with more claims, or others.
    pub(crate) fn token(&self, claims: Value) -> String {
        let mut all = json!({"sub": "task-7", "aud": AUDIENCE});
        let (Some(object), Value::Object(claims)) = (all.as_object_mut(), claims) else {
            panic!("no object");
        };
        object.extend(claims);
        self.minter.mint(&all).unwrap().into_token()
    }

    /// Moves the clock on to this many seconds before the end of a token that is issued now.
    pub(crate) fn advance_to_seconds_left(&self, seconds: i64) {
        self.advance(LIFE - seconds);
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(Duration::from_secs(seconds.try_into().unwrap()));
    }

    pub(crate) async fn send(&self, request: Request) -> Response {
        request.send(self.address).await
    }

    /// Sends a token, and returns the new one, if there is one.
    pub(crate) async fn reissued(&self, token: &str) -> Option<String> {
        let response = self.send(Request::new("GET", "/200").bearer(token)).await;
        assert_eq!(response.status, 200, "{:?}: {response:?}", self.framework);
        let new = response.get("refreshed-api-token").map(ToOwned::to_owned);
        // Nothing else is changed.
        assert_eq!(response.get("cache-control"), new.as_ref().map(|_| "no-store"));
        new
    }

    /// As [`reissued`](Self::reissued), while something happens in the handler.
    pub(crate) async fn reissued_during(&self, token: &str, during: During) -> Option<String> {
        *self.service.during.lock().unwrap() = during;
        let new = self.reissued(token).await;
        *self.service.during.lock().unwrap() = During::Nothing;
        new
    }

    /// The claims of a token that the service accepts.
    pub(crate) async fn claims(&self, token: &str) -> Map<String, Value> {
        let caller = self.auth.authenticate_token(token).await.unwrap();
        caller.principal().claims().unwrap()
    }

    pub(crate) async fn revoke(&self, revoked: Revoked) {
        let entry = self.auth.revocation(ISSUER, revoked);
        self.auth.revoke(&[entry]).await.unwrap();
    }

    pub(crate) async fn code(&self, token: &str) -> Option<&'static str> {
        self.auth.authenticate_token(token).await.err().map(|error| error.kind().code())
    }
}
