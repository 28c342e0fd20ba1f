//! What an engine refuses to be built with, and the entries that it makes.

use std::time::Duration;

use conformance::{AUDIENCE, NOW};
use portcullis::{
    Authenticator, ConfigError, NumericDate,
    issuer::IssuerError,
    revocation::{MemoryStore, Revoked, StoreErrorKind},
};

use crate::world::{ISSUER, Mode, World};

#[test]
fn tokens_that_may_be_used_once_need_a_store() {
    let world = World::new();
    let builder = || Authenticator::builder().audience(AUDIENCE);
    let error = builder().issuer(world.trusted().one_time()).build().unwrap_err();
    assert!(
        matches!(&error, ConfigError::Issuer(IssuerError::NoReplayStore { issuer }) if issuer == ISSUER)
    );
    assert!(error.to_string().ends_with("add a store with `replay_store(…)`"), "{error}");
    let with_store = builder().issuer(world.trusted().one_time()).replay_store(MemoryStore::new());
    assert!(with_store.build().is_ok());
}

#[test]
fn tokens_that_may_be_used_once_must_expire() {
    let world = World::new();
    let issuer = world.trusted().one_time().dangerous_optional_expiry();
    let builder = Authenticator::builder().audience(AUDIENCE).issuer(issuer);
    let error = builder.replay_store(MemoryStore::new()).build().unwrap_err();
    assert!(matches!(error, ConfigError::Issuer(IssuerError::OneTimeWithoutExpiry { .. })));
}

#[tokio::test]
async fn an_engine_without_revocations_says_so() {
    let world = World::new();
    let auth = Authenticator::builder().issuer(world.trusted()).audience(AUDIENCE).build().unwrap();
    let error = auth.revoke(&[world.entry("token")]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unusable);
    assert!(auth.revocations().is_none() && auth.revocation_status().is_none());
}

/// The end of an entry counts the lifetime, the leeway of both clocks, and a margin.
#[test]
fn an_entry_ends_when_no_token_can_need_it() {
    let world = World::new();
    let minute = Duration::from_secs(60);
    let limited = world.trusted().max_lifetime(minute * 10).leeway(minute / 2);
    let revocations = world.revocations(Mode::Local);
    let limited = world.builder_of(limited, revocations.clone()).build().unwrap();
    let unlimited = world.builder_of(world.trusted(), revocations).build().unwrap();
    let at = NumericDate::from_seconds;
    let kinds = [
        Revoked::Token("1".into()),
        Revoked::Session("1".into()),
        Revoked::Subject("1".into(), at(NOW - 5)),
        Revoked::Client("1".into(), at(NOW)),
    ];
    for revoked in kinds {
        assert_eq!(unlimited.revocation(ISSUER, revoked.clone()).until, None);
        assert_eq!(limited.revocation("https://another.test", revoked.clone()).until, None);
        let entry = limited.revocation(ISSUER, revoked);
        assert_eq!(entry.until, Some(at(NOW + 600 + 30 + 30 + 60)), "{entry:?}");
    }
    let later = limited.revocation(ISSUER, Revoked::Subject("1".into(), at(NOW + 7)));
    assert_eq!(later.until, Some(at(NOW + 7 + 600 + 30 + 30 + 60)));
    assert_eq!(limited.revocation(ISSUER, Revoked::Key("1".into())).until, None);
}

#[tokio::test]
async fn a_caller_knows_the_entry_that_revokes_its_token() {
    let world = World::new();
    let auth = world.ready(Mode::Local).await;
    let token = world.token().build();
    let caller = auth.authenticate_token(&token).await.unwrap().principal().clone();
    let entry = caller.revocation().unwrap();
    assert_eq!((&*entry.issuer, &entry.revoked), (ISSUER, &Revoked::Token("t1".into())));
    assert_eq!(entry.until, Some(NumericDate::from_seconds(NOW + 3600 + 60 + 60)));
    auth.revoke(&[entry]).await.unwrap();
    assert_eq!(world.judge(&auth, &token).await, "token_revoked");
}
