//! What the trace of a token says of revocations.

use portcullis::{Authenticator, explain::Explanation};

use crate::world::{Mode, World};

fn check<G>(explanation: &Explanation<G>) -> String {
    let step = explanation.steps().iter().find(|step| step.stage() == "check").unwrap();
    step.facts().join("; ")
}

#[tokio::test]
async fn the_trace_says_what_is_asked_and_asks_no_store() {
    const MEMORY: &str =
        "none of the 0 revocations in memory is for its `jti`, `sub`, `sid`, client or key";
    let world = World::new();
    let token = world.token().build();
    let local = world.ready(Mode::Local).await;
    assert_eq!(check(&local.explain_token(&token)), MEMORY);
    let strict = world.ready(Mode::Strict).await;
    let explanation = strict.explain_token(&token);
    assert!(explanation.rejected().is_none());
    assert_eq!(
        check(&explanation),
        format!("{MEMORY}; a request asks the store `test` for the same, and this does not")
    );
    assert_eq!(world.store.found(), 0);
    let one_time = Authenticator::builder()
        .issuer(world.trusted().one_time())
        .audience(conformance::AUDIENCE)
        .clock(world.clock.clone())
        .replay_store(world.store.clone())
        .build()
        .unwrap();
    let explanation = one_time.explain_token(&token);
    assert!(explanation.rejected().is_none());
    assert!(check(&explanation).ends_with("in the store `test`, and this does not"));
    assert_eq!(world.store.consumed(), 0);
}

#[tokio::test]
async fn the_trace_of_a_revoked_token_says_why() {
    for mode in [Mode::Local, Mode::Strict] {
        let world = World::new();
        let auth = world.ready(mode).await;
        auth.revoke(&[world.entry("subject")]).await.unwrap();
        let explanation = auth.explain_token(&world.token().build());
        assert_eq!(explanation.rejected().unwrap().stage(), "check");
        assert_eq!(check(&explanation), "the token was revoked: its subject was revoked");
    }
    let world = World::new();
    let auth = world.builder(Mode::Local).build().unwrap();
    let explanation = auth.explain_token(&world.token().build());
    assert_eq!(explanation.rejected().unwrap().stage(), "check");
    assert!(check(&explanation).ends_with("the revocations are not loaded yet"));
}
