//! Revocations before and during the handler.

use portcullis::{NumericDate, revocation::Revoked};
use serde_json::json;

use super::{
    servers::During,
    store::State,
    world::{Setup, worlds},
};

fn strict() -> Setup {
    Setup { revocations: |revocations| revocations.strict(), ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_during_the_handler_is_not_reissued() {
    let now = NumericDate::from_seconds(conformance::NOW + 900);
    let ways = [
        (Revoked::Token("1".into()), true),
        (Revoked::Session("s".into()), true),
        (Revoked::Subject("task-7".into(), now), true),
        (Revoked::Client("runner".into(), now), true),
        (Revoked::Token("2".into()), false),
        (Revoked::Subject("task-8".into(), now), false),
    ];
    for setup in [Setup::default, strict] {
        for (revoked, ends) in &ways {
            for world in worlds(setup()).await {
                let token = world.token(json!({"jti": "1", "sid": "s", "client_id": "runner"}));
                world.advance_to_seconds_left(100);
                let new = world.reissued_during(&token, During::Revoke(revoked.clone())).await;
                assert_eq!(new.is_none(), *ends, "{:?}: {revoked:?}", world.framework);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_whose_key_is_revoked_during_the_handler_is_not_reissued() {
    for world in worlds(Setup::default()).await {
        let token = world.token(json!({}));
        world.advance_to_seconds_left(100);
        let key = world.minter.key().verification_key().unwrap();
        let revoked = Revoked::Key(key.thumbprint().unwrap().into());
        assert_eq!(world.reissued_during(&token, During::Revoke(revoked)).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_reissued_while_the_store_is_away() {
    let setups: [fn() -> Setup; 2] = [strict, Setup::default];
    for setup in setups {
        for world in worlds(setup()).await {
            let token = world.token(json!({}));
            world.advance_to_seconds_left(100);
            // In local mode too: memory may not know of the latest revocations.
            let new = world.reissued_during(&token, During::StoreGone).await;
            assert_eq!(new, None, "{:?}", world.framework);
            world.service.store.set(State::Up);
            assert!(world.reissued(&token).await.is_some(), "{:?}", world.framework);
        }
    }
}
