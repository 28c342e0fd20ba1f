//! A store that is a table of another system: it has ids without issuers, and does not list them if there are many.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use conformance::AUDIENCE;
use portcullis::{
    Authenticator, Issuer, NumericDate,
    future::BoxFuture,
    revocation::{
        Changes, Position, Revocation, RevocationStore, Revocations, Revoked, StoreError,
        StoreErrorKind,
    },
};
use portcullis_testkit::TestIssuer;

use super::world::{Mode, World};

/// A table of token ids. Clones are the same table.
#[derive(Clone, Debug, Default)]
struct Table(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    ids: Mutex<BTreeSet<Box<str>>>,
    /// Whether there are too many rows to list.
    is_long: AtomicBool,
    is_gone: AtomicBool,
    found: AtomicUsize,
}

impl Table {
    /// Another program revokes a token.
    fn insert(&self, id: &str) {
        self.0.ids.lock().unwrap().insert(id.into());
    }

    fn is_long(&self, is_long: bool) {
        self.0.is_long.store(is_long, Ordering::SeqCst);
    }

    fn reach(&self) -> Result<(), StoreError> {
        if self.0.is_gone.load(Ordering::SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "connection refused"));
        }
        Ok(())
    }
}

impl RevocationStore for Table {
    fn label(&self) -> &str {
        "table"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { self.reach() })
    }

    fn ignores_issuers(&self) -> bool {
        true
    }

    fn keeps(&self, revoked: &Revoked) -> bool {
        matches!(revoked, Revoked::Token(_))
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            self.reach()?;
            entries.iter().for_each(|entry| self.insert(entry.revoked.id()));
            Ok(())
        })
    }

    fn read<'a>(&'a self, _: Option<&'a Position>) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(async {
            self.reach()?;
            let position = Position::new("none");
            if self.0.is_long.load(Ordering::SeqCst) {
                return Ok(Changes::new(Vec::new(), position).incomplete());
            }
            let ids = self.0.ids.lock().unwrap();
            // The issuer has no meaning.
            let entries = ids.iter().map(|id| Revocation::new("table", Revoked::Token(id.clone())));
            Ok(Changes::new(entries.collect(), position))
        })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        Box::pin(async {
            self.0.found.fetch_add(1, Ordering::SeqCst);
            self.reach()?;
            let ids = self.0.ids.lock().unwrap();
            let is_token = |entry: &&Revocation| matches!(entry.revoked, Revoked::Token(_));
            let found = wanted.iter().filter(is_token);
            let found = found.filter(|entry| ids.contains(entry.revoked.id()));
            Ok(found.map(|entry| Revocation::new("table", entry.revoked.clone())).collect())
        })
    }

    fn delete_expired(&self, _: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async { Ok(0) })
    }
}

/// An engine that trusts two issuers, and any other one.
async fn ready(world: &World, table: &Table) -> (Authenticator, TestIssuer) {
    let other = TestIssuer::new("https://other.test").clock(world.clock.clone());
    let any = Issuer::dangerous_any("any")
        .key(other.key(portcullis::Algorithm::ES256).verification_key().unwrap());
    let revocations = Revocations::new(table.clone()).poll(Duration::from_millis(500));
    let auth = world.builder_of(world.trusted(), revocations).issuer(any).build().unwrap();
    auth.ready().await.unwrap();
    (auth, other)
}

#[tokio::test]
async fn an_id_without_an_issuer_revokes_the_tokens_of_each() {
    let (world, table) = (World::new(), Table::default());
    let (auth, other) = ready(&world, &table).await;
    let own = |id: &str| world.issuer.token().audience(AUDIENCE).claim("jti", id).build();
    let foreign = |id: &str| other.token().audience(AUDIENCE).claim("jti", id).build();
    for id in ["elsewhere", "here", "good"] {
        assert_eq!(world.judge(&auth, &own(id)).await, "ok");
        assert_eq!(world.judge(&auth, &foreign(id)).await, "ok");
    }
    table.insert("elsewhere");
    world.pass(Duration::from_millis(600)).await;
    let caller = auth.authenticate_token(&own("here")).await.unwrap();
    auth.revoke(&[caller.principal().revocation().unwrap()]).await.unwrap();
    for id in ["elsewhere", "here"] {
        assert_eq!(world.judge(&auth, &own(id)).await, "token_revoked", "{id}");
        assert_eq!(world.judge(&auth, &foreign(id)).await, "token_revoked", "{id}");
        // What is in memory is found without the store, and without waiting.
        assert!(auth.authenticate_token_now(&own(id)).is_err());
    }
    assert_eq!(world.judge(&auth, &own("good")).await, "ok");
    assert_eq!(table.0.found.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_store_that_does_not_list_all_entries_is_queried_by_each_request() {
    let (world, table) = (World::new(), Table::default());
    table.insert("old");
    table.is_long(true);
    let (auth, _) = ready(&world, &table).await;
    let token = |id: &str| world.issuer.token().audience(AUDIENCE).claim("jti", id).build();
    assert_eq!(world.judge(&auth, &token("old")).await, "token_revoked");
    assert_eq!(world.judge(&auth, &token("good")).await, "ok");
    // At once, as in strict mode.
    table.insert("new");
    assert_eq!(world.judge(&auth, &token("new")).await, "token_revoked");
    assert_eq!(table.0.found.load(Ordering::SeqCst), 3);
    table.0.is_gone.store(true, Ordering::SeqCst);
    assert_eq!(world.judge(&auth, &token("good")).await, "store_unavailable");
    table.0.is_gone.store(false, Ordering::SeqCst);
    assert_eq!(world.judge(&auth, &token("good")).await, "ok");
}

#[tokio::test]
async fn memory_alone_is_used_again_after_60_complete_reads() {
    let (world, table) = (World::new(), Table::default());
    let (auth, _) = ready(&world, &table).await;
    let token = |id: &str| world.issuer.token().audience(AUDIENCE).claim("jti", id).build();
    let queries = async || {
        let before = table.0.found.load(Ordering::SeqCst);
        assert_eq!(world.judge(&auth, &token("good")).await, "ok");
        table.0.found.load(Ordering::SeqCst) - before
    };
    assert_eq!(queries().await, 0);
    table.is_long(true);
    table.insert("old");
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(queries().await, 1);
    table.is_long(false);
    world.pass(Duration::from_secs(25)).await;
    assert_eq!(queries().await, 1);
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(queries().await, 0);
    assert_eq!(world.judge(&auth, &token("old")).await, "token_revoked");
}

#[tokio::test]
async fn a_reload_does_not_pass_ids_with_issuers_to_a_store_without() {
    let (world, table) = (World::new(), Table::default());
    let (auth, _) = ready(&world, &table).await;
    let other = world.builder(Mode::Local).build().unwrap();
    let reloadable = portcullis::ReloadableAuthenticator::new(other);
    assert!(reloadable.replace(auth).await.is_err());
}

#[tokio::test]
async fn a_logout_leaves_out_the_session_that_the_store_cannot_keep_unless_the_token_names_it() {
    let (world, table) = (World::new(), Table::default());
    let (auth, _) = ready(&world, &table).await;
    for (sid, expected) in [(None, &["token"][..]), (Some("s"), &["token", "session", "token"])] {
        let token = world.issuer.token().audience(AUDIENCE).claim("jti", "1");
        let token = sid.iter().fold(token, |token, sid| token.claim("sid", sid)).build();
        let caller = auth.authenticate_token(&token).await.unwrap();
        let entries = auth.session_revocations(caller.principal());
        let kinds: Vec<_> = entries.iter().map(|entry| entry.revoked.kind()).collect();
        assert_eq!(kinds, expected);
    }
}
