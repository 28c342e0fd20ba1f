//! The properties of a store of signing keys.

use std::time::Duration;

use portcullis::NumericDate;
use portcullis_mint::{KeyTimes, SigningKeyStore, SigningKeyStoreError, StoredKey, StoredKeys};

use super::{
    case::Case,
    join::{drop_after_polls, join_all},
};

const LEASE: Duration = Duration::from_secs(600);

/// Tests a store of signing keys.
///
/// Other than those of the other suites, these tests need a store without keys for each property: they write
/// the list of keys anew.
///
/// # Panics
///
/// If the store does not have a property. The text names the store and the property.
pub async fn signing_keys<S: SigningKeyStore>(make_store: impl AsyncFn() -> S) {
    macro_rules! check {
        ($($property:ident,)*) => {$(
            let (first, second) = (make_store().await, make_store().await);
            let case = Case::new(stringify!($property), &first.label().to_owned(), first, second);
            case.done("prepare", case.first.prepare().await);
            case.done("prepare of a second handle", case.second.prepare().await);
            $property(&case).await;
        )*};
    }
    check! {
        a_read_returns_what_the_other_handle_wrote,
        a_write_replaces_the_list,
        a_write_after_another_one_changes_nothing,
        one_of_concurrent_writes_succeeds,
        a_dropped_write_is_applied_as_a_whole_or_not_at_all,
        preparing_again_changes_nothing,
        the_time_of_the_store_advances,
        one_replica_at_a_time_has_the_lease,
        a_lease_ends,
    }
}

async fn a_read_returns_what_the_other_handle_wrote<S: SigningKeyStore>(case: &Case<S>) {
    let keys = [case.key("a", 1_000), case.key("b", 2_001), case.without_times("c")];
    case.replace(&case.first, &keys).await;
    for store in [&case.first, &case.second] {
        case.require_keys(store, &keys).await;
    }
}

async fn a_write_replaces_the_list<S: SigningKeyStore>(case: &Case<S>) {
    case.replace(&case.first, &[case.key("a", 1), case.without_times("b")]).await;
    let keys = [case.key("b", 5), case.key("c", 6)];
    case.replace(&case.second, &keys).await;
    case.require_keys(&case.first, &keys).await;
    case.replace(&case.first, &[]).await;
    case.require_keys(&case.second, &[]).await;
}

async fn a_write_after_another_one_changes_nothing<S: SigningKeyStore>(case: &Case<S>) {
    let before = case.state(&case.first).await;
    let keys = [case.key("a", 1)];
    case.replace(&case.second, &keys).await;
    let late = case.first.write(&[case.key("late", 2)], before.revision).await;
    case.require(!case.done("write", late), "a write of an old revision succeeds");
    case.require_keys(&case.first, &keys).await;
}

async fn one_of_concurrent_writes_succeeds<S: SigningKeyStore>(case: &Case<S>) {
    for round in 0..5 {
        let revision = case.state(&case.first).await.revision;
        let lists: Vec<_> = (0..20).map(|n| [case.key(&format!("{round} {n}"), n)]).collect();
        let calls = lists.iter().enumerate().map(|(n, keys)| case.handle(n).write(keys, revision));
        let outcomes: Vec<_> =
            join_all(calls).await.into_iter().map(|it| case.done("write", it)).collect();
        let writer = outcomes.iter().position(|is_written| *is_written);
        let count = outcomes.iter().filter(|is_written| **is_written).count();
        case.require(count == 1, format_args!("of 20 concurrent writes, {count} succeed"));
        let expected = writer.and_then(|writer| lists.get(writer));
        case.require_keys(&case.second, expected.map_or(&[], |keys| keys)).await;
    }
}

async fn a_dropped_write_is_applied_as_a_whole_or_not_at_all<S: SigningKeyStore>(case: &Case<S>) {
    for polls in 0..8 {
        let before = case.state(&case.first).await;
        let keys: Vec<_> = (0..20).map(|n| case.key(&format!("{polls} {n}"), n)).collect();
        drop_after_polls(case.second.write(&keys, before.revision), polls).await;
        let after = case.state(&case.first).await;
        let is_whole = if after.revision == before.revision {
            after.keys == before.keys
        } else {
            after.keys == by_id(&keys)
        };
        case.require(is_whole, "half of a write is applied");
        // It may go on. Then it must not replace a later write.
        let later = [case.without_times(&format!("later {polls}"))];
        case.replace(&case.first, &later).await;
        case.require_keys(&case.second, &later).await;
    }
}

async fn preparing_again_changes_nothing<S: SigningKeyStore>(case: &Case<S>) {
    let keys = [case.key("kept", 1)];
    case.replace(&case.first, &keys).await;
    let stores = [&case.first, &case.second, &case.first, &case.second];
    for prepared in join_all(stores.iter().map(|store| store.prepare())).await {
        case.done("one of several concurrent calls of prepare", prepared);
    }
    case.require_keys(&case.second, &keys).await;
}

async fn the_time_of_the_store_advances<S: SigningKeyStore>(case: &Case<S>) {
    let mut last = NumericDate::from_seconds(1_000_000_000);
    for number in 0..10 {
        let now = case.state(case.handle(number)).await.read_at;
        case.require(now >= last, format_args!("it was {last:?} and is {now:?}"));
        last = now;
    }
}

async fn one_replica_at_a_time_has_the_lease<S: SigningKeyStore>(case: &Case<S>) {
    let names: Vec<_> = (0..20).map(|number| format!("replica {number}")).collect();
    let calls = names.iter().enumerate().map(|(n, name)| case.handle(n).lease(name, LEASE));
    let taken: Vec<_> =
        join_all(calls).await.into_iter().map(|it| case.done("lease", it)).collect();
    let count = taken.iter().filter(|is_taken| **is_taken).count();
    case.require(count == 1, format_args!("of 20 replicas, {count} have the lease"));
    for (number, (name, is_taken)) in names.iter().zip(taken).enumerate() {
        let again = case.done("lease", case.handle(number + 1).lease(name, LEASE).await);
        case.require(again == is_taken, format_args!("the lease goes from one replica to {name}"));
    }
}

async fn a_lease_ends<S: SigningKeyStore>(case: &Case<S>) {
    let taken = case.done("lease", case.first.lease("ended", Duration::ZERO).await);
    case.require(taken, "a free lease is not given");
    let next = case.done("lease", case.second.lease("next", LEASE).await);
    case.require(next, "a lease does not end");
}

impl<S: SigningKeyStore> Case<S> {
    fn without_times(&self, id: &str) -> StoredKey {
        let private_key: Vec<u8> = (0..=255).chain(id.bytes()).collect();
        StoredKey::new(format!("{}/{id}", self.issuer), "ES256", private_key)
    }

    fn key(&self, id: &str, milliseconds: u64) -> StoredKey {
        let time = |add: u64| {
            let since = Duration::from_millis(1_800_000_000_123 + milliseconds + add);
            NumericDate::EPOCH.saturating_add(since)
        };
        self.without_times(id).with_times(KeyTimes {
            published_from: time(0),
            signs_from: time(1),
            signs_until: time(2),
        })
    }

    async fn state(&self, store: &S) -> StoredKeys {
        let mut state = self.done("read", store.read().await);
        state.keys = by_id(&state.keys);
        state
    }

    /// Replaces the keys, whatever they are.
    async fn replace(&self, store: &S, keys: &[StoredKey]) {
        for _ in 0..100 {
            let revision = self.done("read", store.read().await).revision;
            if self.done("write", store.write(keys, revision).await) {
                return;
            }
        }
        self.fail("no write succeeds although no other one is under way");
    }

    async fn require_keys(&self, store: &S, keys: &[StoredKey]) {
        let found = self.state(store).await.keys;
        self.require(found == by_id(keys), format_args!("{found:?} is read in place of {keys:?}"));
    }

    fn done<T>(&self, call: &str, outcome: Result<T, SigningKeyStoreError>) -> T {
        match outcome {
            Ok(value) => value,
            Err(error) => self.fail(format_args!("{call} returns {error:?}")),
        }
    }
}

fn by_id(keys: &[StoredKey]) -> Vec<StoredKey> {
    let mut keys = keys.to_vec();
    keys.sort_by(|a, b| a.id.cmp(&b.id));
    keys
}
