//! When to fetch: a state machine without clock, lock or network of its own.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use super::{
    bucket::Bucket,
    seen::{SeenKeyIds, is_within},
};
use crate::NumericDate;

/// How often a source is asked for its keys, and how long they stay usable without an answer.
///
/// | setting | default | why |
/// |---|---|---|
/// | [`refresh`](Self::refresh) | 10 minutes | how long a withdrawn key goes on verifying at most, where the document names no lifetime |
/// | [`max_stale`](Self::max_stale) | 24 hours | outages of providers last hours; keys are withdrawn for reasons |
/// | [`min_refresh`](Self::min_refresh) | 30 seconds | a document that says `max-age=0` must not make a tight loop |
/// | [`max_refresh`](Self::max_refresh) | 24 hours | a document that says a year must not hide a withdrawn key |
/// | [`wait`](Self::wait) | 1 second | how long a request waits for a key that is not there yet |
#[derive(Clone, Debug)]
#[must_use]
pub struct RefreshPolicy {
    refresh: Duration,
    min_refresh: Duration,
    max_refresh: Duration,
    max_stale: Option<Duration>,
    wait: Duration,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(10 * 60),
            min_refresh: Duration::from_secs(30),
            max_refresh: Duration::from_secs(24 * 60 * 60),
            max_stale: Some(Duration::from_secs(24 * 60 * 60)),
            wait: Duration::from_secs(1),
        }
    }
}

impl RefreshPolicy {
    /// A source is asked as if every document named this lifetime, whatever it does name.
    pub fn every(lifetime: Duration) -> Self {
        let policy = Self::default();
        Self { refresh: lifetime, min_refresh: lifetime, max_refresh: lifetime, ..policy }
    }

    /// The lifetime of a document that names none. It is fetched again at 80 % of it.
    pub fn refresh(self, refresh: Duration) -> Self {
        Self { refresh, ..self }
    }

    /// The shortest lifetime that a document may ask for.
    pub fn min_refresh(self, min_refresh: Duration) -> Self {
        Self { min_refresh, ..self }
    }

    /// The longest lifetime that a document may ask for.
    pub fn max_refresh(self, max_refresh: Duration) -> Self {
        Self { max_refresh, ..self }
    }

    /// How long keys stay usable after the last success.
    pub fn max_stale(self, max_stale: Duration) -> Self {
        Self { max_stale: Some(max_stale), ..self }
    }

    /// Keys stay usable for ever after one success.
    ///
    /// # Security
    ///
    /// An attacker who can keep the source from answering keeps a withdrawn key alive.
    pub fn dangerous_unlimited_staleness(self) -> Self {
        Self { max_stale: None, ..self }
    }

    /// How long a request waits for a key that is not there yet.
    pub fn wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    pub(crate) fn waiting_time(&self) -> Duration {
        self.wait
    }

    pub(crate) fn has_unlimited_staleness(&self) -> bool {
        self.max_stale.is_none()
    }

    /// Returns the last moment that keys of this age are usable.
    pub(crate) fn usable_until(&self, last_success: NumericDate) -> Option<NumericDate> {
        self.max_stale.map(|max_stale| last_success.saturating_add(max_stale))
    }

    fn lifetime(&self, named: Option<Duration>) -> Duration {
        let max = self.max_refresh.max(self.min_refresh);
        let lifetime = named.map_or(self.refresh, |named| named.clamp(self.min_refresh, max));
        lifetime.max(MIN_LIFETIME)
    }
}

/// No setting makes a tight loop.
const MIN_LIFETIME: Duration = Duration::from_secs(1);

const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// The fetches for key ids that tokens name for the first time: how many at once, and how long until
/// one more. Junk has a new key id each time, and so it spends these alone.
const FIRST_USES: (u32, Duration) = (3, Duration::from_secs(10));

/// The same for key ids that were named before, such as a real new key at its second use.
const LATER_USES: (u32, Duration) = (2, Duration::from_secs(5));

/// The same for signatures that no key at hand has made.
const BAD_SIGNATURES: (u32, Duration) = (1, Duration::from_secs(60));

/// How long a key id that a fetch did not bring starts no other one.
const ABSENT_FOR: Duration = Duration::from_secs(5);

/// When to fetch next, and what tokens may cause that no key at hand verifies.
///
/// ```text
///              a token whose fetch a bucket pays
///        ┌──────┐ ───────────────────────► ┌───────┐
///        │ Idle │                          │ Asked │ ◄── resume() where the task was lost
///        └──────┘ ◄──┐                     └───────┘
///            │       │ finish()                │ begin()
///    begin() │       │                         ▼
///    if due  │    ┌───────────────────────────────┐
///            └──► │ Begun: end with succeed() or  │
///                 │ fail(), and then finish()     │
///                 └───────────────────────────────┘
/// ```
#[derive(Debug)]
pub(crate) struct Schedule {
    policy: RefreshPolicy,
    next_due: NumericDate,
    /// When the next fetch was planned: before that, the clock has gone back.
    planned_at: NumericDate,
    /// From when until when the server wants not to be asked.
    held_back: Option<(NumericDate, NumericDate)>,
    fetch: FetchState,
    /// When the fetch was asked for, or when it began if it was due.
    since: NumericDate,
    /// When the last fetch began.
    begun_at: NumericDate,
    /// How many fetches have begun.
    begun: u64,
    /// Whether a request has waited in vain for the fetch that is under way or asked for.
    gave_up: bool,
    last_success: Option<Success>,
    failures: u32,
    /// How many of the failures were scheduled fetches: those that tokens cause lengthen no backoff.
    backoffs: u32,
    first_uses: Bucket,
    later_uses: Bucket,
    bad_signatures: Bucket,
    seen: SeenKeyIds,
    random: RandomState,
    drawn: u64,
}

/// The last fetch that brought keys.
#[derive(Clone, Copy, Debug)]
struct Success {
    number: u64,
    begun_at: NumericDate,
    ended_at: NumericDate,
}

/// How far the fetch is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FetchState {
    Idle,
    /// A token has asked for one, which has not begun.
    Asked,
    Begun {
        /// Whether it was due, and not just asked for.
        scheduled: bool,
    },
}

/// How often tokens have named a missing key id lately. It says which bucket pays for a fetch.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum KeyIdUse {
    First,
    Later,
}

/// What a token leads to that no key at hand verifies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Miss {
    /// Start a fetch, and wait for it.
    Fetch,
    /// One was asked for: wait for it.
    Join,
    /// One has begun, perhaps before the key was published: wait for it, and then ask again.
    JoinLate(KeyIdUse),
    /// The source does not have the key, as far as a recent fetch can say.
    Unknown,
    /// Nothing can be said: the source fails, is slow, or was never read.
    NotNow,
}

impl Schedule {
    pub(crate) fn new(policy: RefreshPolicy, now: NumericDate) -> Self {
        let bucket = |(capacity, refill)| Bucket::new(capacity, refill, now);
        Self {
            policy,
            next_due: now,
            planned_at: now,
            held_back: None,
            fetch: FetchState::Idle,
            since: now,
            begun_at: now,
            begun: 0,
            gave_up: false,
            last_success: None,
            failures: 0,
            backoffs: 0,
            first_uses: bucket(FIRST_USES),
            later_uses: bucket(LATER_USES),
            bad_signatures: bucket(BAD_SIGNATURES),
            seen: SeenKeyIds::default(),
            random: RandomState::new(),
            drawn: 0,
        }
    }

    /// Checks that no fetch is under way or asked for.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.fetch, FetchState::Idle)
    }

    pub(crate) fn policy(&self) -> &RefreshPolicy {
        &self.policy
    }

    pub(crate) fn next_due(&self) -> NumericDate {
        self.next_due
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Decides what a token leads to whose key id the keys lack, or any token while there are no keys.
    ///
    /// `again` is what the first call for the same token said of its key id, which this call would
    /// otherwise count as the second use.
    pub(crate) fn miss(
        &mut self,
        key_id: Option<&str>,
        again: Option<KeyIdUse>,
        now: NumericDate,
    ) -> Miss {
        let next_fetch = self.begun.saturating_add(1);
        let seen = key_id.and_then(|key_id| self.seen.first_use(key_id, next_fetch, now));
        if seen.is_some_and(|seen| self.has_just_answered(seen.answered_by, now)) {
            return Miss::Unknown;
        }
        let key_use =
            again.unwrap_or(if seen.is_some() { KeyIdUse::Later } else { KeyIdUse::First });
        match self.fetch {
            _ if self.gave_up => Miss::NotNow,
            FetchState::Idle if self.is_held_back(now) => Miss::NotNow,
            FetchState::Idle => self.pay_for_miss(key_use, now),
            FetchState::Asked => Miss::Join,
            // Its answer may be older than the key, and says nothing of it.
            FetchState::Begun { .. } => Miss::JoinLate(key_use),
        }
    }

    fn pay_for_miss(&mut self, key_use: KeyIdUse, now: NumericDate) -> Miss {
        if self.bucket(key_use).take(now) {
            self.request(now);
            Miss::Fetch
        } else if self.is_healthy() {
            Miss::Unknown
        } else {
            Miss::NotNow
        }
    }

    /// Decides what a token leads to whose signature no key at hand has made: its key may have been
    /// replaced under the same key id, or have none.
    pub(crate) fn mismatch(&mut self, now: NumericDate) -> Miss {
        match self.fetch {
            _ if self.gave_up => Miss::NotNow,
            FetchState::Idle => {
                if self.is_held_back(now) || !self.bad_signatures.take(now) {
                    return Miss::NotNow;
                }
                self.request(now);
                Miss::Fetch
            }
            FetchState::Asked | FetchState::Begun { .. } => Miss::Join,
        }
    }

    /// Checks that the last fetch brought keys, and that no request has waited in vain for the one that is
    /// under way.
    ///
    /// If this holds and a bucket is empty, the keys are no older than the time in which it pays again: it
    /// has paid for a fetch within that time, and the fetch, or a later one, has succeeded. So a key id that
    /// no bucket pays for is unknown, and never has to be answered with 503. No time is compared here,
    /// because the clock may have been set since.
    pub(super) fn is_healthy(&self) -> bool {
        self.failures == 0 && !self.gave_up && self.last_success.is_some()
    }

    /// Checks that the source is healthy and its keys are as new as those of any fetch for a key id that
    /// was seen before.
    pub(crate) fn is_fresh(&self, now: NumericDate) -> bool {
        // A success in the future, from before the clock was set back, counts as one of now.
        let is_recent = |success: Success| now.saturating_since(success.begun_at) <= LATER_USES.1;
        self.is_healthy() && self.last_success.is_some_and(is_recent)
    }

    /// A request has waited as long as it may for the fetch that is under way or asked for. If the fetch
    /// has taken that long too, the source is slow: until the next fetch, requests do not wait for it.
    pub(crate) fn give_up(&mut self, now: NumericDate) {
        let is_slow = now.saturating_since(self.since) >= self.policy.wait;
        self.gave_up |= !self.is_idle() && is_slow;
    }

    /// Checks that a fetch from this one on has brought keys a moment ago.
    fn has_just_answered(&self, number: u64, now: NumericDate) -> bool {
        self.last_success.is_some_and(|success| {
            number <= success.number && is_within(success.ended_at, now, ABSENT_FOR)
        })
    }

    fn bucket(&mut self, key_use: KeyIdUse) -> &mut Bucket {
        match key_use {
            KeyIdUse::First => &mut self.first_uses,
            KeyIdUse::Later => &mut self.later_uses,
        }
    }

    fn request(&mut self, now: NumericDate) {
        self.fetch = FetchState::Asked;
        self.since = now;
    }

    /// Begins a fetch, if one is due or was asked for.
    pub(crate) fn begin(&mut self, now: NumericDate) -> bool {
        let scheduled = self.next_due <= now || now < self.planned_at;
        let begins = match self.fetch {
            FetchState::Idle => scheduled,
            FetchState::Asked => true,
            FetchState::Begun { .. } => false,
        };
        if begins {
            if self.is_idle() {
                self.since = now;
            }
            self.fetch = FetchState::Begun { scheduled };
            self.gave_up = false;
            self.begun_at = now;
            self.begun = self.begun.saturating_add(1);
        }
        begins
    }

    /// Takes over from a task that is gone. Tells whether a fetch is asked for: also one that it had
    /// begun and will not end.
    pub(crate) fn resume(&mut self) -> bool {
        if matches!(self.fetch, FetchState::Begun { .. }) {
            self.fetch = FetchState::Asked;
        }
        self.fetch == FetchState::Asked
    }

    /// The fetch is over, and requests see what it brought: the next miss may start another.
    pub(crate) fn finish(&mut self) {
        self.fetch = FetchState::Idle;
        self.gave_up = false;
    }

    #[cfg(test)]
    pub(super) fn refill_for_test(&mut self) {
        self.first_uses.fill();
        self.later_uses.fill();
    }

    /// A fetch has brought keys, whoever asked for it: they are fresh, and their life begins now. The
    /// scheduled fetch moves on with it; what misses may cause does not.
    pub(crate) fn succeed(&mut self, now: NumericDate, lifetime: Option<Duration>) {
        (self.failures, self.backoffs, self.held_back) = (0, 0, None);
        let (number, begun_at) = (self.begun, self.begun_at);
        self.last_success = Some(Success { number, begun_at, ended_at: now });
        // At 80 % of life, so that a fetch that fails leaves time for others.
        let early = self.policy.lifetime(lifetime).saturating_mul(4) / 5;
        self.plan(now, early);
    }

    /// A fetch has failed. One that only a token had asked for never puts the scheduled one off. It
    /// brings it forward, by the backoff that scheduled failures have reached: a new key must not
    /// wait until another token can pay. Before the end of `retry_after` there is no fetch at all.
    pub(crate) fn fail(&mut self, now: NumericDate, retry_after: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        let backoff = FIRST_BACKOFF.saturating_mul(1 << self.backoffs.min(6)).min(MAX_BACKOFF);
        if self.fetch == (FetchState::Begun { scheduled: false }) {
            let planned = (self.planned_at, self.next_due);
            self.plan(now, backoff);
            if planned.1 < self.next_due {
                (self.planned_at, self.next_due) = planned;
            }
        } else {
            self.backoffs = self.backoffs.saturating_add(1);
            self.plan(now, backoff);
        }
        self.held_back = retry_after.map(|wait| (now, now.saturating_add(wait)));
        if let Some((_, until)) = self.held_back {
            self.next_due = self.next_due.max(until);
        }
    }

    /// Returns whether the server wants not to be asked. A clock that has gone back says nothing of that.
    fn is_held_back(&self, now: NumericDate) -> bool {
        self.held_back.is_some_and(|(since, until)| since <= now && now < until)
    }

    fn plan(&mut self, now: NumericDate, delay: Duration) {
        self.planned_at = now;
        self.next_due = now.saturating_add(self.jittered(delay));
    }

    /// Moves a duration by up to 5 % either way, so that instances do not fetch in step.
    fn jittered(&mut self, duration: Duration) -> Duration {
        self.drawn = self.drawn.wrapping_add(1);
        let permille = u32::try_from(self.random.hash_one(self.drawn) % 101).unwrap_or(50);
        duration.saturating_mul(950 + permille) / 1000
    }
}
