//! The engine's own client of discovery, against the documents.

use std::time::Duration;

use conformance::AUDIENCE;
use portcullis::{Algorithm, Authenticator, Issuer, keys::SigningKey};
use portcullis_axum::mint::Minter;
use serde_json::json;

use super::world::worlds;

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_that_discovers_the_keys_accepts_tokens_across_a_rotation() {
    for path in ["", "/", "/tasks", "/a/b.c"] {
        for world in worlds(path) {
            let what = format!("{:?} {path:?}", world.framework);
            let auth = Authenticator::builder()
                .issuer(Issuer::discover(&world.issuer))
                .audience(AUDIENCE)
                .clock(world.clock.clone())
                .build()
                .unwrap();
            auth.ready().await.unwrap_or_else(|error| panic!("{what}: {error}"));
            let minter = Minter::new(world.keys.clone());
            let minter = minter.issuer(&*world.issuer).clock(world.clock.clone());
            let token = || {
                let minted = minter.mint(&json!({"sub": "task-7", "aud": AUDIENCE}));
                minted.unwrap().into_token()
            };
            let accept = async |token: &str| {
                let judged = auth.authenticate_token(token).await;
                judged.unwrap_or_else(|error| panic!("{what}: {error}"));
            };
            let old = token();
            accept(&old).await;
            let next = SigningKey::generate(Algorithm::EdDSA).unwrap();
            let signs_from = world.keys.rotate(next.clone()).unwrap();
            accept(&token()).await;
            world.clock.set(signs_from);
            assert_eq!(minter.key().key_id(), next.key_id());
            // The verifier learns of the new key from its URL.
            accept(&token()).await;
            accept(&old).await;
            // The old key is no longer published, because its last token has expired.
            world.clock.advance(Duration::from_secs(3661));
            accept(&token()).await;
            assert_eq!(world.keys.published().json().matches("\"kid\"").count(), 1);
        }
    }
}
