//! One source, what it brought last, and when it is asked again.

mod fetch_over;
#[cfg(test)]
mod tests;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::{Notify, watch};

pub(crate) use self::fetch_over::{FetchEnd, FetchOver, any_over};
use super::{
    KeyDocument, KeySource, KeySourceError, KeyStatus, Loaded, Validators,
    schedule::{KeyIdUse, Miss, Schedule},
};
use crate::{
    KeyInfo, NumericDate, SkippedKey, VerificationKey,
    file::{SETTLED, Settling},
    interleave::point,
    metrics,
};

/// One source with its last good keys.
///
/// The lock is taken when a fetch begins or ends, when a token names a key that is not there, and
/// when somebody looks at the state: never while the keys at hand will do.
#[derive(Debug)]
pub(crate) struct CachedSource {
    source: Arc<dyn KeySource>,
    /// Kept, so that no code of others runs under the lock.
    label: Box<str>,
    state: Mutex<State>,
    fetches: watch::Sender<FetchCount>,
    wake: Notify,
}

#[derive(Debug)]
struct State {
    schedule: Schedule,
    snapshot: Option<Snapshot>,
    /// The number of the fetch that began last.
    fetch: u64,
    /// A document that may be half written, by its validators.
    settling: Settling<Option<Validators>>,
    last_error: Option<KeySourceError>,
    /// Whether the last fetch brought other keys than the one before.
    has_other_keys: bool,
    /// Whether nobody asks the source any more.
    closed: bool,
}

#[derive(Clone, Debug)]
struct Snapshot {
    document: KeyDocument,
    last_success: NumericDate,
    /// The number of the fetch that brought it; 0 for a seed.
    fetch: u64,
}

/// Numbers the fetches of all sources in the order in which they begin, so that of two snapshots the one whose
/// fetch began later counts as newer. The times of their ends do not tell: a slow fetch may end after a later one.
static FETCHES: AtomicU64 = AtomicU64::new(1);

/// How many requests wait for one source at most because of a missing key. Others are answered at once.
/// Each holds its token, of up to 16 KiB.
const MAX_WAITING: usize = 8 * 1024;

/// How many requests wait at most before a bad signature is not waited for: forged tokens cost their
/// sender nothing.
const MAX_WAITING_FORGED: usize = 1024;

/// How many fetches are over. Whoever waits for one is woken at each change, and also where there
/// will be none.
#[derive(Clone, Copy, Debug, Default)]
struct FetchCount {
    over: u64,
    succeeded: u64,
    /// How many of them have brought other keys than the one before.
    changed: u64,
}

/// What a request for a key that is not at hand leads to.
#[derive(Debug)]
pub(crate) enum Requested<T> {
    /// A fetch is pending that may bring it.
    Pending(T),
    /// It was requested a short while ago, and is not there.
    Unknown,
    /// It cannot be requested now, so that it may exist.
    NotNow,
}

/// Keys that can be used, and until when.
pub(crate) struct UsableKeys {
    pub(crate) keys: Arc<[VerificationKey]>,
    pub(crate) skipped: Arc<[SkippedKey]>,
    pub(crate) until: Option<NumericDate>,
}

impl CachedSource {
    pub(crate) fn new(source: Arc<dyn KeySource>, now: NumericDate) -> Self {
        let seed = source.seed().filter(|(document, _)| !document.keys.is_empty());
        let snapshot = seed.map(|(document, last_success)| Snapshot {
            document,
            // A seed from the future is as old as now, and no younger.
            last_success: last_success.min(now),
            fetch: 0,
        });
        let schedule = Schedule::new(source.refresh_policy(), now);
        let state = State {
            schedule,
            snapshot,
            fetch: 0,
            settling: Settling::default(),
            last_error: None,
            has_other_keys: false,
            closed: false,
        };
        let label = source.label().into();
        Self {
            source,
            label,
            state: Mutex::new(state),
            fetches: watch::Sender::default(),
            wake: Notify::new(),
        }
    }

    /// Returns whether both are of the same source.
    pub(crate) fn is_same_source(&self, other: &Self) -> bool {
        self.source.identity() == other.source.identity()
    }

    /// Takes over what another one of the same source has brought, unless this one has brought something
    /// itself since. A document that the other one has not adopted yet is no older than its own.
    pub(crate) fn take_over(&self, other: &Self, now: NumericDate) {
        // Never both locks at once.
        let (snapshot, is_settling) = {
            let other = other.lock();
            (other.snapshot.clone(), other.settling.is_waiting())
        };
        point("key source: snapshot of the other engine read");
        let mut state = self.lock();
        let is_newer = |snapshot: &Snapshot| {
            let own = state.snapshot.as_ref();
            let is_older = |own: &Snapshot| {
                (own.fetch, own.last_success) < (snapshot.fetch, snapshot.last_success)
            };
            own.is_none_or(|own| !is_settling && is_older(own))
        };
        if snapshot.as_ref().is_some_and(is_newer) {
            state.snapshot = snapshot;
            state.correct_age(now);
        }
    }

    /// Returns the keys, unless there are none or they are too old.
    pub(crate) fn usable_keys(&self, now: NumericDate) -> Option<UsableKeys> {
        let (usable, has_keys) = {
            let mut state = self.lock();
            state.correct_age(now);
            (state.usable_keys(now), state.snapshot.is_some())
        };
        if usable.is_none() && has_keys {
            metrics::keys(&self.label, 0);
        }
        usable
    }

    /// Looks at the time while nothing else happens: keys become too old, and clocks are set. Returns
    /// whether the keys were younger than they can be, and so may be used for a shorter time now.
    pub(super) fn look_at_time(&self, now: NumericDate) -> bool {
        let (corrected, keys) = {
            let mut state = self.lock();
            (state.correct_age(now), state.snapshot.as_ref().map(|_| state.key_count(now)))
        };
        if let Some(keys) = keys {
            metrics::keys(&self.label, keys);
        }
        corrected
    }

    /// Requests a fetch because a token names a key that is not at hand.
    pub(crate) fn miss(
        &self,
        key_id: Option<&str>,
        again: Option<KeyIdUse>,
        now: NumericDate,
    ) -> Requested<FetchOver> {
        let mut state = self.lock();
        if state.closed {
            return Requested::NotNow;
        }
        if state.schedule.is_idle() && key_id.is_some_and(|key_id| state.has_usable(key_id, now)) {
            // It came after whoever asks had looked.
            return Requested::Pending(self.fetch_just_over());
        }
        let miss = state.schedule.miss(key_id, again, now);
        if miss == Miss::Fetch {
            self.wake.notify_one();
        }
        if self.fetches.receiver_count() >= MAX_WAITING {
            return if state.schedule.is_healthy() {
                Requested::Unknown
            } else {
                Requested::NotNow
            };
        }
        match miss {
            Miss::Unknown => Requested::Unknown,
            Miss::NotNow => Requested::NotNow,
            Miss::Fetch | Miss::Join => Requested::Pending(self.fetch_over(None)),
            Miss::JoinLate(key_use) => Requested::Pending(self.fetch_over(Some(key_use))),
        }
    }

    /// Requests a fetch because a signature is by none of the keys at hand. Returns what to wait for, or
    /// `None` if no fetch starts or is under way, or if none of the keys is from this source.
    pub(crate) fn mismatch(&self, key_id: Option<&str>, now: NumericDate) -> Option<FetchOver> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        if state.usable_keys(now).is_some() && !state.may_have_signed(key_id) {
            return None;
        }
        let miss = state.schedule.mismatch(now);
        if miss == Miss::Fetch {
            self.wake.notify_one();
        }
        if self.fetches.receiver_count() >= MAX_WAITING_FORGED {
            return None;
        }
        // What is under way is waited for once, whenever it began: a source that has just replaced its
        // key pays for that with one token, and a flood of forged ones with no second fetch.
        matches!(miss, Miss::Fetch | Miss::Join | Miss::JoinLate(_)).then(|| self.fetch_over(None))
    }

    /// Checks that the keys at hand are those that the source has now.
    pub(crate) fn is_fresh(&self, now: NumericDate) -> bool {
        let state = self.lock();
        !state.closed && state.schedule.is_fresh(now)
    }

    /// A request has waited in vain.
    pub(crate) fn give_up(&self, waited_for: &FetchOver, now: NumericDate) {
        let mut state = self.lock();
        if self.fetches.borrow().over == waited_for.before.over {
            state.schedule.give_up(now);
        }
    }

    /// Nobody asks the source any more: those who wait for it need not.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.fetches.send_modify(|fetches| fetches.over = fetches.over.wrapping_add(1));
    }

    pub(crate) fn waiting_time(&self) -> std::time::Duration {
        self.lock().schedule.policy().waiting_time()
    }

    pub(super) fn next_due(&self) -> NumericDate {
        self.lock().schedule.next_due()
    }

    /// A task begins to ask the source: what a task before it has left undone comes first.
    pub(super) fn resume(&self) {
        if self.lock().schedule.resume() {
            self.wake.notify_one();
        }
    }

    /// The task that asks the source is gone. Those who wait look again, and start another one.
    pub(super) fn interrupt(&self) {
        self.fetches.send_modify(|_| {});
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Begins a fetch, if one is due or was asked for.
    pub(super) fn begin(
        &self,
        now: NumericDate,
    ) -> Option<(Arc<dyn KeySource>, Option<Validators>)> {
        let mut state = self.lock();
        if !state.schedule.begin(now) {
            return None;
        }
        state.fetch = FETCHES.fetch_add(1, Ordering::SeqCst);
        let known =
            state.snapshot.as_ref().and_then(|snapshot| snapshot.document.validators.clone());
        Some((Arc::clone(&self.source), known))
    }

    /// Takes the outcome of a fetch in. Keys are replaced as a whole, and a failure keeps them.
    pub(super) fn end(&self, outcome: Result<Loaded, KeySourceError>, now: NumericDate) {
        if let Ok(Loaded::Document(document)) = &outcome {
            self.report_limit(document.beyond_limit);
        }
        let mut guard = self.lock();
        let state = &mut *guard;
        let outcome = outcome.and_then(|loaded| state.accept(loaded, now));
        let succeeded = outcome.is_ok();
        let failure = outcome.as_ref().err().cloned();
        let before = state.snapshot.as_ref().map(|snapshot| &snapshot.document);
        state.has_other_keys = outcome
            .as_ref()
            .is_ok_and(|document| before.is_none_or(|before| !document.has_same_keys(before)));
        match outcome {
            Ok(document) => {
                state.schedule.succeed(now, document.lifetime);
                let fetch = state.fetch;
                state.snapshot = Some(Snapshot { document, last_success: now, fetch });
                state.last_error = None;
            }
            Err(error) => {
                state.schedule.fail(now, error.retry_after(now));
                state.last_error = Some(error);
            }
        }
        let (failures, keys) = (state.schedule.failures(), state.key_count(now));
        drop(guard);
        metrics::fetched(&self.label, succeeded, failures);
        metrics::keys(&self.label, keys);
        if let Some(error) = failure {
            self.report(&error);
        }
    }

    /// Wakes those who wait, after the new keys are where requests look.
    pub(super) fn announce(&self) {
        let mut state = self.lock();
        state.schedule.finish();
        let succeeded = state.last_error.is_none();
        let changed = std::mem::take(&mut state.has_other_keys);
        self.fetches.send_modify(|fetches| {
            fetches.over = fetches.over.wrapping_add(1);
            fetches.succeeded = fetches.succeeded.wrapping_add(succeeded.into());
            fetches.changed = fetches.changed.wrapping_add(changed.into());
        });
    }

    /// Returns why there are no keys, or why the key that was asked for could not be looked up.
    pub(crate) fn trouble(&self) -> Option<KeySourceError> {
        let state = self.lock();
        let label = &self.label;
        match (&state.last_error, &state.snapshot) {
            (Some(error), _) => Some(error.of_source(label)),
            (None, None) => Some(KeySourceError::new(format!("{label}: no answer yet"))),
            (None, Some(_)) => None,
        }
    }

    pub(crate) fn subscribe(&self) -> FetchOver {
        self.fetch_over(None)
    }

    fn fetch_over(&self, late: Option<KeyIdUse>) -> FetchOver {
        let fetches = self.fetches.subscribe();
        let before = *fetches.borrow();
        FetchOver { fetches, before, late }
    }

    /// What waits for a fetch that has answered already.
    fn fetch_just_over(&self) -> FetchOver {
        let FetchOver { mut fetches, mut before, late } = self.fetch_over(None);
        fetches.mark_changed();
        before.over = before.over.wrapping_sub(1);
        before.succeeded = before.succeeded.wrapping_sub(1);
        FetchOver { fetches, before, late }
    }

    /// Tells whether any fetch is over, or none will come.
    pub(crate) fn was_asked(&self) -> bool {
        self.fetches.borrow().over > 0
    }

    pub(crate) fn status(&self, issuer: &str, now: NumericDate) -> KeyStatus {
        let state = self.lock();
        let usable = state.usable_keys(now).is_some();
        let document = state.snapshot.as_ref().map(|snapshot| &snapshot.document);
        KeyStatus {
            issuer: issuer.to_owned(),
            source: self.label.to_string(),
            usable,
            // The task of the source corrects the age itself, and makes requests see it.
            last_success: state.snapshot.as_ref().map(|snapshot| snapshot.last_success.min(now)),
            last_error: state.last_error.as_ref().map(KeySourceError::text),
            failures: state.schedule.failures(),
            next_due: state.schedule.next_due(),
            keys: document
                .map(|document| document.keys.iter().map(KeyInfo::from).collect())
                .unwrap_or_default(),
            skipped: document.map(|document| document.skipped.to_vec()).unwrap_or_default(),
            json: document.and_then(|document| document.json.as_deref().map(ToOwned::to_owned)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; if it ever did, the state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Warns of a set that grows: the key that comes next may be one that is not used.
    fn report_limit(&self, beyond_limit: usize) {
        #[cfg(feature = "tracing")]
        if beyond_limit > 0 {
            tracing::warn!(
                target: "portcullis::keys",
                source = &*self.label,
                "{beyond_limit} keys come after the first 100 usable ones and are not used: \
                 the issuer should retire old keys"
            );
        }
        #[cfg(not(feature = "tracing"))]
        let _ = (&self.label, beyond_limit);
    }

    fn report(&self, error: &KeySourceError) {
        #[cfg(feature = "tracing")]
        tracing::warn!(
            target: "portcullis::keys",
            source = &*self.label,
            cause = error.cause(),
            "keys not refreshed: {error}"
        );
        #[cfg(not(feature = "tracing"))]
        let _ = (&self.label, error);
    }
}

impl State {
    fn usable_keys(&self, now: NumericDate) -> Option<UsableKeys> {
        let snapshot = self.snapshot.as_ref()?;
        let until = self.schedule.policy().usable_until(snapshot.last_success);
        let usable = until.is_none_or(|until| now <= until);
        let KeyDocument { keys, skipped, .. } = &snapshot.document;
        usable.then(|| UsableKeys { keys: Arc::clone(keys), skipped: Arc::clone(skipped), until })
    }

    fn key_count(&self, now: NumericDate) -> usize {
        self.usable_keys(now).map_or(0, |usable| usable.keys.len())
    }

    /// After a clock step into the past, the last success may lie in the future. It counts as one of now,
    /// because keys would stay usable for longer otherwise. Returns whether that was so.
    fn correct_age(&mut self, now: NumericDate) -> bool {
        let in_future = self.snapshot.as_mut().filter(|snapshot| snapshot.last_success > now);
        in_future.map(|snapshot| snapshot.last_success = now).is_some()
    }

    /// Checks that a key of this source may be meant by the key id of a token, or by one without.
    fn may_have_signed(&self, key_id: Option<&str>) -> bool {
        let is_meant =
            |key: &VerificationKey| key_id.is_none() || key.id().is_none() || key.id() == key_id;
        self.snapshot.as_ref().is_some_and(|snapshot| snapshot.document.keys.iter().any(is_meant))
    }

    fn has_usable(&self, key_id: &str, now: NumericDate) -> bool {
        let usable = self.usable_keys(now);
        usable.is_some_and(|usable| usable.keys.iter().any(|key| key.id() == Some(key_id)))
    }

    /// Makes a whole document of what was loaded. One without a usable key is a failure.
    fn accept(&mut self, loaded: Loaded, now: NumericDate) -> Result<KeyDocument, KeySourceError> {
        match (loaded, &self.snapshot) {
            (Loaded::Document(document), _) if document.keys.is_empty() => {
                Err(KeySourceError::new("no usable key in the document"))
            }
            (Loaded::Document(document), Some(snapshot))
                if document.settles
                    && self.settling.unchanged_for(document.validators.clone(), now) < SETTLED =>
            {
                // Its writer may not be done. The next load decides.
                Ok(snapshot.document.clone())
            }
            (Loaded::Document(document), _) => {
                self.settling.end();
                Ok(document)
            }
            (Loaded::NotModified(lifetime), Some(snapshot)) => {
                // A change that was seen is gone.
                self.settling.end();
                // What the answer does not say stays as it was (RFC 9111 §4.3.4).
                let lifetime = lifetime.or(snapshot.document.lifetime);
                Ok(snapshot.document.clone().lifetime(lifetime))
            }
            (Loaded::NotModified(_), None) => {
                Err(KeySourceError::new("not modified, but there was no document before"))
            }
        }
    }
}
