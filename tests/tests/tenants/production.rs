//! What an engine for production rejects, it rejects of tenants too.

use conformance::{AUDIENCE, NOW, Request};
use portcullis::{
    Algorithm, Authenticator, AuthenticatorBuilder, Issuer, JwkSet, NumericDate, VerificationKey,
    future::BoxFuture,
    keys::{
        KeyDocument, KeySource, KeySourceError, KeyTransport, Loaded, RefreshPolicy, Validators,
    },
    strategy::Tenants,
};
use portcullis_testkit::{ManualClock, TestIssuer};

use crate::world::{outcome, patient};

const ACME: &str = "https://acme.test";

/// A source of keys that says how they come.
#[derive(Clone, Debug)]
struct Source {
    json: String,
    transport: KeyTransport,
    policy: RefreshPolicy,
}

impl KeySource for Source {
    fn label(&self) -> &str {
        "source"
    }

    fn load<'a>(
        &'a self,
        _: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        Box::pin(async { Ok(Loaded::Document(KeyDocument::from_json(&self.json).unwrap())) })
    }

    fn refresh_policy(&self) -> RefreshPolicy {
        self.policy.clone()
    }

    fn transport(&self) -> KeyTransport {
        self.transport
    }
}

#[tokio::test]
async fn a_tenant_with_a_setting_for_trying_out_is_rejected_in_production_alone() {
    let clock = ManualClock::at(NumericDate::from_seconds(NOW));
    let tenant = TestIssuer::new(ACME).clock(clock.clone());
    let token = tenant.token().audience(AUDIENCE).build();
    let set = || JwkSet::from_json(&tenant.jwk_set_json()).unwrap();
    let trusted = || Issuer::new(ACME).jwk_set(&set()).audience(AUDIENCE);
    let short = VerificationKey::dangerous_from_short_secret([7; 31], Algorithm::HS256).unwrap();
    let source = |transport, policy| Source { json: tenant.jwk_set_json(), transport, policy };
    let plain_http = source(KeyTransport::PlainHttp, RefreshPolicy::default());
    let for_ever = RefreshPolicy::default().dangerous_unlimited_staleness();
    let for_ever = source(KeyTransport::Protected, for_ever);
    for (row, in_production) in [
        (trusted(), ACME),
        (Issuer::new(ACME).jwk_set(&set()).dangerous_any_audience(), "untrusted_issuer"),
        (trusted().key(short), "untrusted_issuer"),
        (trusted().key_source(plain_http), "untrusted_issuer"),
        (trusted().key_source(for_ever), "untrusted_issuer"),
    ] {
        let judge = |set: fn(AuthenticatorBuilder) -> AuthenticatorBuilder| {
            let (row, clock, token) = (row.clone(), clock.clone(), token.clone());
            async move {
                let tenants = Tenants::new("tenants", move |_: String| {
                    let row = row.clone();
                    async move { Ok(Some(row)) }
                });
                let builder = Authenticator::builder().strategy(tenants.clock(clock.clone()));
                let auth = set(builder.clock(clock)).build().unwrap();
                let mut outcomes = Vec::new();
                for _ in 0..2 {
                    let request = Request::new().bearer(&token);
                    outcomes.push(outcome(&patient(&auth, &request).await));
                }
                outcomes
            }
        };
        assert_eq!(judge(|builder| builder).await, [ACME, ACME], "{row:?}");
        let outcomes = judge(AuthenticatorBuilder::production).await;
        assert_eq!(outcomes, [in_production, in_production], "{row:?}");
    }
}

#[tokio::test]
async fn an_engine_for_production_that_shares_tenants_with_another_one_rejects_them_alone() {
    let clock = ManualClock::at(NumericDate::from_seconds(NOW));
    let tenant = TestIssuer::new(ACME).clock(clock.clone());
    let (row, token) = (tenant.trusted().dangerous_any_audience(), tenant.token().build());
    let tenants = Tenants::new("tenants", move |_: String| {
        let row = row.clone();
        async move { Ok(Some(row)) }
    });
    let tenants = tenants.clock(clock.clone());
    let builder = || Authenticator::builder().strategy(tenants.clone()).clock(clock.clone());
    let (free, production) = (builder().build().unwrap(), builder().production().build().unwrap());
    let request = Request::new().bearer(&token);
    for _ in 0..2 {
        assert_eq!(outcome(&patient(&free, &request).await), ACME);
        assert_eq!(outcome(&patient(&production, &request).await), "untrusted_issuer");
    }
    // Behind an issuer of the operator's.
    let both = builder().issuer(tenant_free_issuer(&clock)).production().build().unwrap();
    assert_eq!(outcome(&patient(&both, &request).await), "untrusted_issuer");
}

fn tenant_free_issuer(clock: &ManualClock) -> Issuer {
    TestIssuer::new("https://idp.test").clock(clock.clone()).trusted().audience(AUDIENCE)
}
