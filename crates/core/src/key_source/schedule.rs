//! When to fetch: a state machine without clock, lock or network of its own.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    time::Duration,
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

/// How many fetches unknown key ids may cause at once, and how long until one more.
const MISS_TOKENS: u32 = 3;
const MISS_REFILL: Duration = Duration::from_secs(10);

/// How long a key id that a fetch did not bring is known to be unknown, and how many of these.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);
const MAX_UNKNOWN: usize = 1024;

/// How many key ids one fetch is asked for.
const MAX_WANTED: usize = 64;

/// When to fetch next, and what unknown key ids may cause.
#[derive(Debug)]
pub(crate) struct Schedule {
    policy: RefreshPolicy,
    next_due: NumericDate,
    /// When the next fetch was planned: before that, the clock has gone back.
    planned_at: NumericDate,
    /// From when until when the server wants not to be asked.
    held_back: Option<(NumericDate, NumericDate)>,
    fetch: FetchState,
    failures: u32,
    /// How many of the failures were scheduled fetches: those that tokens cause lengthen no backoff.
    backoffs: u32,
    bucket: Bucket,
    unknown: UnknownKeyIds,
    wanted: Vec<Box<str>>,
    random: RandomState,
    drawn: u64,
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

/// What a token with an unknown key id leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Miss {
    /// Start a fetch, and wait for it.
    Fetch,
    /// One was asked for: wait for it.
    Join,
    /// One has begun, perhaps before the key was published: wait for it, and then ask again.
    JoinLate,
    /// The source was asked a short while ago, and does not have it.
    Unknown,
    /// Too many were asked for: nobody can say whether the source has it.
    NotNow,
}

impl Schedule {
    pub(crate) fn new(policy: RefreshPolicy, now: NumericDate) -> Self {
        Self {
            policy,
            next_due: now,
            planned_at: now,
            held_back: None,
            fetch: FetchState::Idle,
            failures: 0,
            backoffs: 0,
            bucket: Bucket { tokens: MISS_TOKENS, since: now },
            unknown: UnknownKeyIds::default(),
            wanted: Vec::new(),
            random: RandomState::new(),
            drawn: 0,
        }
    }

    /// Tells whether no fetch is under way or asked for.
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

    /// Decides what a token leads to whose key id the keys lack, or any token while there are none.
    pub(crate) fn miss(&mut self, key_id: Option<&str>, now: NumericDate) -> Miss {
        if let Some(key_id) = key_id
            && self.unknown.contains(key_id, now)
        {
            return Miss::Unknown;
        }
        let miss = match self.fetch {
            FetchState::Idle if self.is_held_back(now) => return Miss::NotNow,
            FetchState::Idle if self.bucket.take(now) => Miss::Fetch,
            FetchState::Idle => return Miss::NotNow,
            FetchState::Asked => Miss::Join,
            // Its answer may be older than the key, and says nothing of it.
            FetchState::Begun { .. } => return Miss::JoinLate,
        };
        self.fetch = FetchState::Asked;
        if let Some(key_id) = key_id
            && self.wanted.len() < MAX_WANTED
        {
            self.wanted.push(key_id.into());
        }
        miss
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
            self.fetch = FetchState::Begun { scheduled };
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
    }

    #[cfg(test)]
    pub(super) fn refill_for_test(&mut self) {
        self.bucket.tokens = MISS_TOKENS;
    }

    #[cfg(test)]
    pub(super) fn knows_as_unknown(&self, key_id: &str, now: NumericDate) -> bool {
        self.unknown.contains(key_id, now)
    }

    /// A fetch has brought keys, whoever asked for it: they are fresh, and their life begins now. The
    /// scheduled fetch moves on with it; what misses may cause does not.
    pub(crate) fn succeed(
        &mut self,
        now: NumericDate,
        lifetime: Option<Duration>,
        has_key: impl Fn(&str) -> bool,
    ) {
        (self.failures, self.backoffs, self.held_back) = (0, 0, None);
        for key_id in std::mem::take(&mut self.wanted) {
            if !has_key(&key_id) {
                self.unknown.insert(key_id, now);
            }
        }
        self.unknown.retain(|key_id| !has_key(key_id));
        // At 80 % of life, so that a fetch that fails leaves time for others.
        let early = self.policy.lifetime(lifetime).saturating_mul(4) / 5;
        self.plan(now, early);
    }

    /// A fetch has failed. One that only a token had asked for never puts the scheduled one off. It
    /// brings it forward, by the backoff that scheduled failures have reached: a new key must not
    /// wait until another token can pay. Before the end of `retry_after` there is no fetch at all.
    pub(crate) fn fail(&mut self, now: NumericDate, retry_after: Option<Duration>) {
        self.wanted.clear();
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

/// Pays for fetches that unknown key ids cause. It pays when one starts, so that a source that
/// fails is not asked more often.
#[derive(Debug)]
struct Bucket {
    tokens: u32,
    since: NumericDate,
}

impl Bucket {
    fn take(&mut self, now: NumericDate) -> bool {
        // A clock that goes back must not keep the bucket empty.
        self.since = self.since.min(now);
        while self.tokens < MISS_TOKENS && now.saturating_since(self.since) >= MISS_REFILL {
            self.tokens += 1;
            self.since = self.since.saturating_add(MISS_REFILL);
        }
        if self.tokens == MISS_TOKENS {
            self.since = now;
        }
        let paid = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        paid
    }
}

/// Key ids that a fetch did not bring.
#[derive(Debug, Default)]
struct UnknownKeyIds {
    since: HashMap<Box<str>, NumericDate>,
    order: VecDeque<Box<str>>,
}

impl UnknownKeyIds {
    fn contains(&self, key_id: &str, now: NumericDate) -> bool {
        self.since.get(key_id).is_some_and(|&since| {
            // Before that, the clock has gone back, and nothing is known.
            since <= now && now.saturating_since(since) < UNKNOWN_FOR
        })
    }

    fn insert(&mut self, key_id: Box<str>, now: NumericDate) {
        if self.since.insert(key_id.clone(), now).is_none() {
            self.order.push_back(key_id);
        }
        while self.order.len() > MAX_UNKNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.since.remove(&oldest);
        }
    }

    fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.since.retain(|key_id, _| keep(key_id));
        self.order.retain(|key_id| keep(key_id));
    }
}
