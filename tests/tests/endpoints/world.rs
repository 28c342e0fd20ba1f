//! A service with the endpoints, its issuers and its store.

use std::net::SocketAddr;

use conformance::{AUDIENCE, NOW};
use portcullis::{
    Authenticator, Issuer, NumericDate, TokenLocation,
    adapter::Authenticated,
    revocation::{Revocation, Revocations, Revoked},
};
use portcullis_testkit::{ManualClock, TestIssuer, TokenBuilder};

use super::{
    http::{Request, Response},
    servers::Framework,
    store::Store,
};

/// One service.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) framework: Framework,
    pub(crate) issuer: TestIssuer,
    pub(crate) partner: TestIssuer,
    pub(crate) clock: ManualClock,
    pub(crate) store: Store,
    pub(crate) auth: Authenticator,
    address: SocketAddr,
}

/// Starts one service for each framework.
pub(crate) async fn worlds() -> Vec<World> {
    worlds_with(|issuer| issuer, |revocations| revocations).await
}

/// Starts one service for each framework, with other rules for its issuers and revocations.
pub(crate) async fn worlds_with(
    rules: impl Fn(Issuer) -> Issuer,
    settings: impl Fn(Revocations) -> Revocations,
) -> Vec<World> {
    let mut worlds = Vec::new();
    for framework in Framework::ALL {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let issuer = TestIssuer::new("https://idp.test").clock(clock.clone());
        let partner = TestIssuer::new("https://partner.test").clock(clock.clone());
        let store = Store::default();
        let auth = Authenticator::builder()
            .issuer(rules(issuer.trusted()))
            .issuer(rules(partner.trusted()))
            .audience(AUDIENCE)
            .locations([TokenLocation::bearer(), TokenLocation::cookie("session")])
            .clock(clock.clone())
            .revocations(settings(Revocations::new(store.clone())))
            .replay_store(store.clone())
            .build()
            .unwrap();
        auth.ready().await.unwrap();
        let address = framework.start(&auth);
        worlds.push(World { framework, issuer, partner, clock, store, auth, address });
    }
    worlds
}

impl World {
    /// A good token with this `jti`, of the subject `alice` without a client.
    pub(crate) fn token(&self, token_id: &str) -> TokenBuilder {
        self.issuer.token().audience(AUDIENCE).claim("jti", token_id)
    }

    pub(crate) async fn send(&self, request: Request) -> Response {
        request.send(self.address).await
    }

    /// Asserts what a response is, and that no cache may store it.
    pub(crate) async fn expect(&self, request: Request, status: u16, body: &str) -> Response {
        let what = format!("{:?}: {request:?}", self.framework);
        let response = self.send(request).await;
        assert_eq!((response.status, &*response.body), (status, body), "{what}");
        assert_eq!(response.get("cache-control"), Some("no-store"), "{what}");
        let has_json = response.get("content-type") == Some("application/json");
        assert_eq!(has_json, !body.is_empty(), "{what}: {response:?}");
        let retry_after = response.get("retry-after");
        assert_eq!(retry_after.is_some(), status == 503 || status == 429, "{what}");
        response
    }

    pub(crate) async fn judge(&self, token: &str) -> Result<Authenticated, &'static str> {
        self.auth.authenticate_token(token).await.map_err(|error| error.kind().code())
    }

    pub(crate) async fn assert_good(&self, token: &TokenBuilder) {
        let judged = self.judge(&token.build()).await;
        judged.unwrap_or_else(|code| panic!("{:?}: {code}: {token:?}", self.framework));
    }

    pub(crate) async fn assert_revoked(&self, token: &TokenBuilder) {
        let judged = self.judge(&token.build()).await.map(|_| ());
        assert_eq!(judged, Err("token_revoked"), "{:?}: {token:?}", self.framework);
    }

    /// Asserts what the store has, in any order: issuer, kind and id.
    pub(crate) async fn assert_entries(&self, expected: &[(&TestIssuer, &str, &str)]) {
        let entries = self.store.entries().await;
        let name = |entry: &Revocation| {
            (
                entry.issuer.to_string(),
                entry.revoked.kind().to_owned(),
                entry.revoked.id().to_owned(),
            )
        };
        let mut found: Vec<_> = entries.iter().map(name).collect();
        let mut expected: Vec<_> = expected
            .iter()
            .map(|(issuer, kind, id)| {
                (issuer.name().to_owned(), (*kind).to_owned(), (*id).to_owned())
            })
            .collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{:?}", self.framework);
    }

    /// Revokes by the engine.
    pub(crate) async fn revoke(&self, revoked: Revoked) {
        let entry = self.auth.revocation(self.issuer.name(), revoked);
        self.auth.revoke(&[entry]).await.unwrap();
    }
}
