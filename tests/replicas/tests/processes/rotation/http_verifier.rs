//! Another service, which fetches the JWK Set of one replica with default settings.

use std::{env, time::Duration};

use portcullis::{Authenticator, Issuer};
use tokio::runtime::Builder;

use super::{
    OFFSETS,
    fleet::{Fleet, Timing},
};
use crate::{
    program::{AUDIENCE, ISSUER},
    shared::Shared,
};

/// A key change every 90 s.
const SLOW: Timing =
    Timing { rotate_every: Duration::from_secs(90), max_age: Duration::from_secs(30) };

#[test]
#[ignore = "takes five minutes: `cargo xtask rotation` runs this test"]
fn a_verifier_over_http_rejects_no_valid_token() {
    let store = Shared::postgres();
    let mut fleet = Fleet::start(&store.url(), SLOW, &OFFSETS);
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let auth = runtime.block_on(async {
        let issuer = Issuer::new(ISSUER).jwk_set_uri(fleet.jwk_set_uri());
        let auth = Authenticator::builder().issuer(issuer).audience(AUDIENCE).build().unwrap();
        auth.ready().await.unwrap();
        auth
    });
    let seconds = env::var("PORTCULLIS_TEST_HTTP_ROTATION").ok().and_then(|it| it.parse().ok());
    let (mut checked, mut rejected) = (0, Vec::new());
    fleet.run(Duration::from_secs(seconds.unwrap_or(300)), |_, tokens| {
        for token in tokens {
            checked += 1;
            let verdict = runtime.block_on(auth.authenticate_token(token));
            rejected.extend(verdict.err().map(|error| error.kind().code()));
        }
    });
    let outcome = &fleet.outcome;
    println!(
        "replicas: {}: rotation: a verifier over HTTP with default settings, {} keys, one each 90 s: {checked} tokens \
         checked, rejected: {rejected:?}; by the replicas: {:?}",
        store.name(),
        outcome.headers.len(),
        outcome.rejected,
    );
    assert!(rejected.is_empty() && outcome.rejected.is_empty(), "valid tokens are rejected");
    assert!(outcome.not_minted.is_empty(), "{:?}", outcome.not_minted);
    assert!(outcome.headers.len() > 1, "keys change");
}
