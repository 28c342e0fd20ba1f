mod clock;
mod faults;
mod store;
mod times;

use std::time::Instant;

use self::{
    clock::ManualClock,
    store::{Read, ScriptedStore},
};
use super::*;
use crate::revocation::{Question, Revoked, task::FollowerTask};

const ISSUER: &str = "https://idp.example.com";
const NOW: NumericDate = NumericDate::from_seconds(1_700_000_000);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn token(id: usize) -> Revocation {
    Revocation::new(ISSUER, Revoked::Token(format!("id-{id}").into()))
}

/// A replica: a follower with its task.
struct Replica {
    set: Arc<RevokedSet>,
    follower: Arc<Follower>,
    clock: ManualClock,
    task: tokio::task::JoinHandle<()>,
}

impl Replica {
    fn start(store: &Arc<ScriptedStore>) -> Self {
        Self::resume(&follower(store), &ManualClock::at(NOW))
    }

    async fn loaded(store: &Arc<ScriptedStore>) -> Self {
        let replica = Self::start(store);
        replica.until("the snapshot is loaded", || replica.state() == FeedState::Current).await;
        replica
    }

    fn resume(parts: &Parts, clock: &ManualClock) -> Self {
        let (follower, set) = parts.clone();
        let task = tokio::spawn({
            let (follower, clock) = (Arc::clone(&follower), clock.clone());
            async move { follower.run(&clock).await }
        });
        Self { set, follower, clock: clock.clone(), task }
    }

    fn state(&self) -> FeedState {
        self.follower.state(self.clock.now())
    }

    fn has(&self, id: usize) -> bool {
        let jti = format!("id-{id}");
        let question = Question { issuer: ISSUER, jti: Some(&jti), ..Question::default() };
        self.set.find(&question).is_some()
    }

    /// Waits, without the clock moving.
    async fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < seconds(10), "not within 10 s: {what}");
            tokio::task::yield_now().await;
        }
    }

    /// Lets the task do what it can before the clock moves.
    async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// Lets time pass in small steps.
    async fn pass(&self, duration: Duration) {
        let step = Duration::from_millis(if duration <= seconds(20) { 100 } else { 1_000 });
        for _ in 0..duration.as_millis() / step.as_millis() {
            self.clock.advance(step);
            self.settle().await;
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Parts = (Arc<Follower>, Arc<RevokedSet>);

fn follower(store: &Arc<ScriptedStore>) -> Parts {
    follower_with(store, RevokedSet::new())
}

fn follower_with(store: &Arc<ScriptedStore>, set: RevokedSet) -> Parts {
    let set = Arc::new(set);
    let store: Arc<dyn RevocationStore> = Arc::<ScriptedStore>::clone(store);
    (Arc::new(Follower::new(store, Arc::clone(&set), Settings::default())), set)
}

#[tokio::test]
async fn is_current_only_after_the_last_page() {
    let store = ScriptedStore::new();
    store.add_elsewhere(&(0..25_000).map(token).collect::<Vec<_>>()).await;
    store.then([Read::Succeed, Read::Succeed, Read::Hold]);
    let replica = Replica::start(&store);
    assert_eq!(replica.state(), FeedState::Loading);
    replica.until("two pages are read", || replica.has(19_999)).await;
    replica.until("the third is being read", || store.calls() == 3).await;
    assert_eq!(replica.state(), FeedState::Loading);
    assert!(!replica.follower.status(NOW).is_loaded && !replica.has(24_999));
    store.gate.0.add_permits(1);
    replica.until("all are read", || replica.state() == FeedState::Current).await;
    assert!((0..25_000).all(|id| replica.has(id)));
    let status = replica.follower.status(NOW);
    assert_eq!((status.entries, status.age), (25_000, Some(Duration::ZERO)));
}

#[tokio::test]
async fn a_notification_brings_a_change_without_a_poll() {
    let store = ScriptedStore::new();
    let replica = Replica::loaded(&store).await;
    for id in 0..20 {
        store.add_elsewhere(&[token(id)]).await;
        replica.until("it is there", || replica.has(id)).await;
    }
}

#[tokio::test]
async fn a_poll_brings_a_change_whose_notification_was_lost() {
    let store = ScriptedStore::new();
    store.notifies.store(false, Ordering::SeqCst);
    let replica = Replica::loaded(&store).await;
    store.add_elsewhere(&[token(1)]).await;
    replica.pass(Duration::from_millis(900)).await;
    assert!(!replica.has(1));
    replica.pass(Duration::from_millis(100)).await;
    assert!(replica.has(1));
}

#[tokio::test]
async fn a_change_during_a_read_brings_the_next_read_at_once() {
    let store = ScriptedStore::new();
    let replica = Replica::loaded(&store).await;
    store.then([Read::Hold]);
    store.add_elsewhere(&[token(1)]).await;
    replica.until("it is being read", || store.calls() == 2).await;
    replica.settle().await;
    store.add_elsewhere(&[token(2)]).await;
    store.gate.0.add_permits(1);
    replica.until("both are there", || replica.has(1) && replica.has(2)).await;
}

#[tokio::test]
async fn a_store_that_always_notifies_causes_no_reads_without_a_pause() {
    let store = ScriptedStore::new();
    store.always_changed.store(true, Ordering::SeqCst);
    let replica = Replica::loaded(&store).await;
    replica.pass(seconds(3)).await;
    assert!(store.calls() <= 5, "{} reads", store.calls());
    store.add_elsewhere(&[token(1)]).await;
    replica.pass(seconds(1)).await;
    assert!(replica.has(1));
}

#[tokio::test]
async fn entries_of_this_replica_hold_before_they_are_read() {
    let store = ScriptedStore::new();
    let replica = Replica::start(&store);
    store.then([Read::Hang]);
    replica.follower.added(&[token(1)], NOW).await.unwrap();
    assert!(replica.has(1));
    // Many at once, which takes another thread.
    let many: Vec<_> = (0..50_000).map(token).collect();
    replica.follower.added(&many, NOW).await.unwrap();
    assert!((0..50_000).all(|id| replica.has(id)));
}

#[tokio::test]
async fn a_new_task_goes_on_where_the_last_one_was() {
    let store = ScriptedStore::new();
    store.add_elsewhere(&[token(1)]).await;
    let parts = follower(&store);
    let clock = ManualClock::at(NOW);
    let first = Replica::resume(&parts, &clock);
    first.until("the snapshot is loaded", || first.state() == FeedState::Current).await;
    drop(first);
    store.add_elsewhere(&[token(2)]).await;
    let second = Replica::resume(&parts, &clock);
    second.until("the gap is read", || second.has(2)).await;
    assert_eq!(store.reads_from_start.load(Ordering::SeqCst), 1);
}

#[test]
fn the_task_starts_again_in_another_runtime() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = ScriptedStore::new();
    let (follower, set) = follower(&store);
    let (task, clock) = (FollowerTask::default(), ManualClock::at(NOW));
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let parts = || (Arc::clone(&follower), Arc::clone(&clock));
    // Without a runtime nothing happens.
    task.start(parts);
    for id in 0..2 {
        let (runtime, mut attempts) = (runtime(), follower.attempts());
        runtime.block_on(async {
            store.add_elsewhere(&[token(id)]).await;
            task.start(parts);
            attempts.changed().await.unwrap();
        });
        assert_eq!(set.len(), id + 1);
    }
}
