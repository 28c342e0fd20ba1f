use std::task::{Context, Poll, Waker};

use super::*;
use crate::revocation::Revoked;

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds)
}

fn token(id: usize) -> Revocation {
    Revocation::new("iss", Revoked::Token(format!("id-{id}").into()))
}

/// The futures of this store are ready at once.
fn now<T>(future: BoxFuture<'_, T>) -> T {
    let mut future = future;
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("pending"),
    }
}

fn read(store: &MemoryStore, after: Option<&Position>) -> Changes {
    now(store.read(after)).unwrap()
}

fn consume(store: &MemoryStore, jti: &str, until: i64) -> Option<Use> {
    now(store.consume("iss", jti, at(until))).ok()
}

#[test]
fn pages_return_every_entry_once_and_then_only_changes() {
    let store = MemoryStore::new();
    let entries: Vec<_> = (0..25_000).map(token).collect();
    now(store.add(&entries)).unwrap();
    let (mut all, mut position) = (Vec::new(), None);
    let last = loop {
        let page = read(&store, position.as_ref());
        assert!(page.entries.len() <= 10_000);
        all.extend(page.entries);
        if !page.has_more {
            break page.position;
        }
        position = Some(page.position);
    };
    assert_eq!(all, entries);
    let nothing = read(&store, Some(&last));
    assert!(nothing.entries.is_empty() && nothing.position == last);
    now(store.add(&[token(3).until(at(5)), token(25_000)])).unwrap();
    assert_eq!(read(&store, Some(&last)).entries, [token(25_000)], "3 had the later time before");
}

#[test]
fn an_entry_that_changes_is_returned_again_with_the_later_times() {
    let store = MemoryStore::new();
    let entry = |cut_off, until| {
        Revocation::new("iss", Revoked::Subject("ann".into(), at(cut_off))).until(at(until))
    };
    now(store.add(&[entry(100, 900), token(1)])).unwrap();
    let position = read(&store, None).position;
    now(store.add(&[entry(300, 500)])).unwrap();
    assert_eq!(read(&store, Some(&position)).entries, [entry(300, 900)]);
    assert_eq!(now(store.find(&[entry(0, 0), token(2)])).unwrap(), [entry(300, 900)]);
    assert_eq!(now(RevocationStore::delete_expired(&store, at(900))).unwrap(), 0);
    assert_eq!(now(RevocationStore::delete_expired(&store, at(901))).unwrap(), 1);
    assert_eq!(read(&store, None).entries, [token(1)]);
    assert!(read(&store, Some(&position)).entries.is_empty());
}

#[test]
fn a_position_of_another_store_is_lost() {
    let (store, other) = (MemoryStore::new(), MemoryStore::new());
    now(store.add(&[token(1)])).unwrap();
    let foreign = read(&other, None).position;
    for position in [foreign, Position::new(""), Position::new("7")] {
        assert_eq!(
            now(store.read(Some(&position))).unwrap_err().kind(),
            StoreErrorKind::PositionLost
        );
    }
}

#[test]
fn expired_entries_are_deleted_a_thousand_at_a_time() {
    let store = MemoryStore::new();
    let entries: Vec<_> = (0..2_500).map(|id| token(id).until(at(10))).collect();
    now(store.add(&entries)).unwrap();
    let delete = || now(RevocationStore::delete_expired(&store, at(11))).unwrap();
    assert_eq!([delete(), delete(), delete(), delete()], [1_000, 1_000, 500, 0]);
}

#[test]
fn a_full_store_adds_all_entries_or_none() {
    let store = MemoryStore::new().max_entries(2);
    now(store.add(&[token(1)])).unwrap();
    let error = now(store.add(&[token(2), token(3)])).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(read(&store, None).entries, [token(1)]);
    now(store.add(&[token(2).until(at(5))])).unwrap();
    now(store.add(&[token(1), token(2)])).unwrap();
    assert!(now(store.add(&[token(3)])).is_err());
}

#[test]
fn a_wait_ends_at_a_change_after_the_call() {
    let store = MemoryStore::new();
    let mut cx = Context::from_waker(Waker::noop());
    let mut changed = store.changed();
    now(store.add(&[token(1)])).unwrap();
    assert!(changed.as_mut().poll(&mut cx).is_ready());
    let mut changed = store.changed();
    assert!(changed.as_mut().poll(&mut cx).is_pending());
    now(store.add(&[token(2)])).unwrap();
    assert!(changed.as_mut().poll(&mut cx).is_ready());
}

#[test]
fn an_id_is_used_once_for_each_issuer() {
    let store = MemoryStore::new();
    assert_eq!(consume(&store, "a", 10), Some(Use::First));
    assert_eq!(consume(&store, "a", 10), Some(Use::Replayed));
    assert_eq!(now(store.consume("other", "a", at(10))).unwrap(), Use::First);
}

#[test]
fn an_id_is_remembered_until_its_latest_time() {
    let store = MemoryStore::new();
    let delete = |before| now(ReplayStore::delete_expired(&store, at(before))).unwrap();
    for (until, expected) in [(10, Use::First), (20, Use::Replayed), (5, Use::Replayed)] {
        assert_eq!(consume(&store, "a", until), Some(expected));
    }
    assert_eq!(delete(20), 0);
    assert_eq!(consume(&store, "a", 1), Some(Use::Replayed));
    assert_eq!(delete(21), 1);
    assert_eq!(consume(&store, "a", 30), Some(Use::First));
}

#[test]
fn a_full_store_forgets_no_used_id_early() {
    let store = MemoryStore::new().max_entries(2);
    assert_eq!(consume(&store, "a", 10), Some(Use::First));
    assert_eq!(consume(&store, "b", 20), Some(Use::First));
    assert_eq!(consume(&store, "c", 30), None);
    assert_eq!(consume(&store, "a", 10), Some(Use::Replayed));
    assert_eq!(now(ReplayStore::delete_expired(&store, at(11))).unwrap(), 1);
    assert_eq!(consume(&store, "c", 30), Some(Use::First));
    assert_eq!(consume(&store, "b", 20), Some(Use::Replayed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_at_once_one_is_the_first() {
    let store = std::sync::Arc::new(MemoryStore::new());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let store = std::sync::Arc::clone(&store);
        tasks.spawn(async move { store.consume("iss", "a", at(10)).await.unwrap() });
    }
    let uses = tasks.join_all().await;
    assert_eq!(uses.iter().filter(|used| **used == Use::First).count(), 1);
}
