//! What a caller knows of how its token came and was verified, and whether it is still valid.

use std::time::Duration;

use conformance::{AUDIENCE, NOW, Request};
use portcullis::{
    Algorithm, Authenticator, Issuer, NumericDate, Principal, TokenLocation,
    clock::Clock,
    revocation::{Revocation, Revocations, Revoked},
    strategy::{Identity, StaticTokens, Tenants},
};
use portcullis_testkit::{ManualClock, TestIssuer};

struct World {
    clock: ManualClock,
    issuer: TestIssuer,
    tenant: TestIssuer,
    auth: Authenticator,
}

const STATIC_TOKEN: &str = "0123456789abcdefghijklmnopqrstuv";

async fn world() -> World {
    let clock = ManualClock::at(NumericDate::from_seconds(NOW));
    let issuer = TestIssuer::new("https://idp.test").clock(clock.clone());
    let tenant = TestIssuer::new("https://tenant.test").clock(clock.clone());
    let known = tenant.trusted().audience(AUDIENCE);
    let tenants = Tenants::new("tenants", move |name: String| {
        let found: Option<Issuer> = (name == "https://tenant.test").then(|| known.clone());
        async { Ok(found) }
    });
    let tokens = StaticTokens::builder("robots").token(STATIC_TOKEN, Identity::new("robot"));
    let places = [TokenLocation::bearer(), TokenLocation::cookie("session")];
    let auth = Authenticator::builder()
        .issuer(issuer.trusted())
        .strategy(tenants.clock(clock.clone()))
        .strategy(tokens.build().unwrap())
        .audience(AUDIENCE)
        .locations(places)
        .clock(clock.clone())
        .revocations(Revocations::memory().allow_missing_jti())
        .build()
        .unwrap();
    auth.ready().await.unwrap();
    World { clock, issuer, tenant, auth }
}

impl World {
    async fn caller(&self, request: &Request) -> Principal {
        let verdict = self.auth.authenticate(request).await;
        verdict.result.unwrap().into_parts().0
    }
}

#[tokio::test]
async fn a_caller_knows_whether_its_token_came_in_a_cookie() {
    let world = world().await;
    let own = world.issuer.token().audience(AUDIENCE).build();
    let tenants = world.tenant.token().audience(AUDIENCE).build();
    for token in [own.as_str(), tenants.as_str(), STATIC_TOKEN] {
        let header = world.caller(&Request::new().bearer(token)).await;
        assert!(!header.is_from_cookie(), "{header:?}");
        let cookie = format!("session={token}");
        let cookies = [
            Request::new().cookie(cookie.clone()),
            Request::new().cookie(cookie).authorization("Basic eDp5"),
        ];
        for request in cookies {
            let cookie = world.caller(&request).await;
            assert!(cookie.is_from_cookie(), "{cookie:?}");
        }
    }
}

#[tokio::test]
async fn a_caller_knows_the_key_of_its_token_unless_a_strategy_has_accepted_it() {
    let world = world().await;
    let key = world.issuer.key(Algorithm::ES256).verification_key().unwrap();
    let own = world.issuer.token().audience(AUDIENCE).algorithm(Algorithm::ES256).build();
    let caller = world.caller(&Request::new().bearer(&own)).await;
    let thumbprint = caller.verification_key().and_then(|key| key.thumbprint());
    assert!(thumbprint.is_some());
    assert_eq!(thumbprint, key.thumbprint());
    let tenants = world.tenant.token().audience(AUDIENCE).build();
    for token in [tenants.as_str(), STATIC_TOKEN] {
        let caller = world.caller(&Request::new().bearer(token)).await;
        assert!(caller.verification_key().is_none(), "{caller:?}");
    }
}

#[tokio::test]
async fn a_caller_of_any_source_is_checked_again() {
    let world = world().await;
    let own = world.issuer.token().audience(AUDIENCE).build();
    let tenants = world.tenant.token().audience(AUDIENCE).build();
    for token in [own.as_str(), tenants.as_str()] {
        let caller = world.caller(&Request::new().bearer(token)).await;
        caller.check_still_valid().await.unwrap();
        let now = world.clock.now();
        let revoked = Revoked::Subject(caller.subject().into(), now);
        world.auth.revoke(&[Revocation::new(caller.issuer(), revoked)]).await.unwrap();
        let error = caller.check_still_valid().await.unwrap_err();
        assert_eq!(error.kind().code(), "token_revoked", "{caller:?}");
    }
    let identity = Identity::new("robot").expires_at(NumericDate::from_seconds(NOW + 10));
    let tokens = StaticTokens::builder("robots").token(STATIC_TOKEN, identity).build().unwrap();
    let auth = Authenticator::builder().strategy(tokens).clock(world.clock.clone());
    let caller = auth.build().unwrap().authenticate_token_now(STATIC_TOKEN).unwrap();
    for (seconds, code) in [(69, None), (1, Some("token_expired"))] {
        world.clock.advance(Duration::from_secs(seconds));
        let checked = caller.principal().check_still_valid().await;
        assert_eq!(checked.err().map(|error| error.kind().code()), code, "{seconds}");
    }
}

/// The `iat` of a token that was reissued does not count, and neither does a date that is none.
#[tokio::test]
async fn a_cut_off_is_compared_with_the_beginning_of_the_session() {
    let rows = [
        (serde_json::json!(NOW - 100), -100, true),
        (serde_json::json!(NOW - 100), -101, false),
        (serde_json::json!(NOW), -1, false),
        // A later date than `iat` does not make the token newer.
        (serde_json::json!(NOW + 1000), 0, true),
        (serde_json::json!(NOW + 1000), -1, false),
        (serde_json::json!("yesterday"), -1_000_000, true),
        (serde_json::json!(null), -1_000_000, true),
    ];
    let world = world().await;
    for (row, (first, cut_off, is_revoked)) in rows.into_iter().enumerate() {
        let own = world.issuer.token().audience(AUDIENCE).claim("orig_iat", &first);
        let own = own.subject(format!("subject {row}"));
        let caller = world.caller(&Request::new().bearer(&own.build())).await;
        let cut_off = NumericDate::from_seconds(NOW + cut_off);
        let revoked = Revoked::Subject(caller.subject().into(), cut_off);
        world.auth.revoke(&[Revocation::new(caller.issuer(), revoked)]).await.unwrap();
        let again = caller.check_still_valid().await;
        assert_eq!(again.is_err(), is_revoked, "{first} {cut_off:?}");
        let judged = world.auth.authenticate_token(&own.build()).await;
        assert_eq!(judged.is_err(), is_revoked, "{first} {cut_off:?}");
    }
}
