//! The revocations that an engine uses, and their settings.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use super::{
    Revocation, RevocationStatus, RevocationStore, Revoked, StoreError, StoreErrorKind,
    follower::{FeedState, Follower, call, on_another_thread},
    memory::MemoryStore,
    set::{Question, RevokedSet},
    task::FollowerTask,
};
use crate::{AuthError, AuthErrorKind, Clock, NumericDate, SystemClock, interleave::point};

/// The revocations of a [store](RevocationStore), as an engine uses them: they reject tokens before these
/// expire.
///
/// In local mode, which is the default, a request looks into the memory of this replica. A task keeps it
/// equal to the store. In [strict](Self::strict) mode, each request queries the store too. A token that is
/// revoked is rejected as [`TokenRevoked`](AuthErrorKind::TokenRevoked), 401. While nothing is known of
/// revocations, each token is rejected as [`StoreUnavailable`](AuthErrorKind::StoreUnavailable), 503.
///
/// It is shared: a clone has the same entries. Settings belong before the first clone.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, Issuer, NumericDate, VerificationKey};
/// use portcullis::revocation::{Revocations, Revoked};
///
/// # let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("https://idp.example.com").key(VerificationKey::from_pem(pem)?))
///     .audience("orders")
///     .revocations(Revocations::memory())
///     .build()?;
/// auth.ready().await?;
///
/// // Every session of alice ends now, on every replica.
/// let now = NumericDate::from_seconds(1_800_000_000);
/// let entry = auth.revocation("https://idp.example.com", Revoked::Subject("alice".into(), now));
/// auth.revoke(&[entry]).await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Revocations {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn RevocationStore>,
    settings: Settings,
    /// Whether the ids of all issuers are one name space.
    ignores_issuers: bool,
    set: Arc<RevokedSet>,
    follower: Arc<Follower>,
    /// That of the first engine.
    clock: OnceLock<Arc<dyn Clock>>,
    task: FollowerTask,
    /// Those that have taken these over, at a reload of the engine.
    successor: Mutex<Weak<Self>>,
}

/// The issuer in the entries of a store that keeps no issuers.
pub(super) const ANY_ISSUER: &str = "";

/// The longest time for a write.
const MAX_WRITE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Whether each request queries the store.
    pub(super) is_strict: bool,
    pub(super) max_staleness: Duration,
    pub(super) poll: Duration,
    /// The longest time for one call of the store.
    pub(super) timeout: Duration,
    pub(super) is_jti_optional: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            is_strict: false,
            max_staleness: Duration::from_secs(60),
            poll: Duration::from_secs(1),
            timeout: Duration::from_millis(250),
            is_jti_optional: false,
        }
    }
}

impl Revocations {
    /// Uses a store.
    #[must_use]
    pub fn new(store: impl RevocationStore + 'static) -> Self {
        Self::with(Arc::new(store), Settings::default())
    }

    /// Uses memory: for tests, and for a service of one process whose restart may forget what was revoked.
    #[must_use]
    pub fn memory() -> Self {
        Self::new(MemoryStore::new())
    }

    fn with(store: Arc<dyn RevocationStore>, settings: Settings) -> Self {
        let set = Arc::new(RevokedSet::new());
        let follower = Arc::new(Follower::new(Arc::clone(&store), Arc::clone(&set), settings));
        let (clock, task) = (OnceLock::new(), FollowerTask::default());
        let successor = Mutex::default();
        let ignores_issuers = store.ignores_issuers();
        let inner =
            Inner { store, settings, ignores_issuers, set, follower, clock, task, successor };
        Self { inner: Arc::new(inner) }
    }

    fn set(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.inner.settings;
        change(&mut settings);
        Self::with(Arc::clone(&self.inner.store), settings)
    }

    /// Queries the store at each request, in one round trip: a revocation that another replica has made holds at
    /// once, and while the store does not answer, each token is rejected with 503. Default: a request looks
    /// into memory only.
    #[must_use]
    pub fn strict(self) -> Self {
        self.set(|settings| settings.is_strict = true)
    }

    /// How long ago the store may have been read. After that each token is rejected with 503 until it is read
    /// again. Default: 60 seconds.
    #[must_use]
    pub fn max_staleness(self, max_staleness: Duration) -> Self {
        self.set(|settings| settings.max_staleness = max_staleness)
    }

    /// How often the store is read if it does not notify of changes. Default: each second.
    #[must_use]
    pub fn poll(self, poll: Duration) -> Self {
        self.set(|settings| settings.poll = poll)
    }

    /// The longest time that a request waits for a store: in strict mode, and for tokens that may be used
    /// once. Default: 250 milliseconds.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|settings| settings.timeout = timeout)
    }

    /// Accepts tokens without `jti`, which cannot be revoked one by one. Revocations of subjects, sessions,
    /// clients and keys still apply to them. Default: they are rejected as
    /// [`MissingClaim`](AuthErrorKind::MissingClaim).
    #[must_use]
    pub fn allow_missing_jti(self) -> Self {
        self.set(|settings| settings.is_jti_optional = true)
    }

    /// Revokes tokens: writes to the store, and then to the memory of this replica. When this returns, all
    /// entries hold on this replica and survive a crash.
    ///
    /// [`Authenticator::revocation`](crate::Authenticator::revocation) makes an entry that ends when no
    /// token needs it any more.
    ///
    /// # Errors
    ///
    /// The store has failed, or has not answered within 5 seconds. Then the entries may hold all the same, for
    /// example if the connection broke.
    pub async fn revoke(&self, entries: &[Revocation]) -> Result<(), StoreError> {
        let (clock, entries) = (self.clock(), &*self.entries(entries));
        let added = call(&*clock, MAX_WRITE, || self.inner.store.add(entries)).await;
        added.inspect_err(|_| self.failed())?;
        point("revocations: stored");
        let now = clock.now();
        self.inner.follower.added(entries, now).await?;
        // An engine that replaces this one may have taken over what was in memory before.
        let mut successor = self.inner.successor();
        while let Some(inner) = successor {
            inner.follower.added(entries, now).await?;
            successor = inner.successor();
        }
        Ok(())
    }

    /// Returns the state of the revocations in memory.
    #[must_use]
    pub fn status(&self) -> RevocationStatus {
        self.inner.follower.status(self.clock().now())
    }

    /// Returns entries as the store and memory have them.
    fn entries<'e>(&self, entries: &'e [Revocation]) -> Cow<'e, [Revocation]> {
        if !self.inner.ignores_issuers {
            return Cow::Borrowed(entries);
        }
        entries
            .iter()
            .map(|entry| Revocation { issuer: ANY_ISSUER.into(), ..entry.clone() })
            .collect()
    }

    /// Returns a question as the store and memory answer it.
    #[inline]
    fn question<'q>(&self, question: &Question<'q>) -> Question<'q> {
        let ignores_issuers = self.inner.ignores_issuers;
        let issuer = if ignores_issuers { ANY_ISSUER } else { question.issuer };
        Question { issuer, ..*question }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        match self.inner.clock.get() {
            Some(clock) => Arc::clone(clock),
            None => Arc::new(SystemClock),
        }
    }
}

/// What the engine does with it.
impl Revocations {
    /// Sets the clock, unless another engine has.
    pub(crate) fn attach(&self, clock: &Arc<dyn Clock>) {
        self.inner.clock.get_or_init(|| Arc::clone(clock));
    }

    /// Starts the task that follows the store, or starts it again if its runtime went away. Without a
    /// runtime nothing happens.
    #[inline]
    pub(crate) fn start(&self) {
        self.inner.task.start(|| (Arc::clone(&self.inner.follower), self.clock()));
    }

    /// Ends the task, and waits until it is over.
    pub(crate) async fn stop(&self) {
        self.inner.task.stop().await;
    }

    /// Tells whether the task was started.
    pub(crate) fn is_followed(&self) -> bool {
        self.inner.task.is_settled()
    }

    /// Returns a receiver that changes after each attempt to read the store.
    pub(crate) fn attempts(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.follower.attempts()
    }

    /// Returns a number that changes when entries are added.
    pub(crate) fn version(&self) -> u64 {
        *self.inner.set.changes().borrow()
    }

    /// Adds the entries in memory of others, and those that these write from now on. It runs on another thread,
    /// because it may take tens of milliseconds.
    ///
    /// # Errors
    ///
    /// There is no room for them.
    pub(crate) async fn take_over(&self, others: &Self) -> Result<(), StoreError> {
        let (own, others) = (self.clone(), others.clone());
        let taken = {
            let (own, others) = (own.clone(), others.clone());
            on_another_thread(move || own.take_over_now(&others)).await
        };
        taken.unwrap_or_else(|| own.take_over_now(&others))
    }

    /// As [`take_over`](Self::take_over), at once.
    pub(crate) fn take_over_now(&self, others: &Self) -> Result<(), StoreError> {
        if Arc::ptr_eq(&self.inner, &others.inner) {
            return Ok(());
        }
        if self.inner.ignores_issuers != others.inner.ignores_issuers {
            let text = "the new store keeps ids without issuers and the old one with them, or the other way \
                        round: restart the service";
            return Err(StoreError::new(StoreErrorKind::Unusable, text));
        }
        // The newest has no successor, so that a chain of them ends.
        *lock(&self.inner.successor) = Weak::new();
        // First: what is written after this is passed on, and what was written before is in the set.
        *lock(&others.inner.successor) = Arc::downgrade(&self.inner);
        let full =
            |_| StoreError::new(StoreErrorKind::Unavailable, "there are too many revocations");
        self.inner.set.absorb(&others.inner.set).map_err(full)
    }

    pub(crate) fn label(&self) -> &str {
        self.inner.store.label()
    }

    pub(crate) fn keeps(&self, revoked: &Revoked) -> bool {
        self.inner.store.keeps(revoked)
    }

    pub(crate) fn is_jti_required(&self) -> bool {
        !self.inner.settings.is_jti_optional
    }

    /// Returns whether a request queries the store: always, or because memory may lack entries.
    #[inline]
    pub(crate) fn is_strict(&self) -> bool {
        self.inner.settings.is_strict || self.inner.follower.is_incomplete()
    }

    pub(crate) fn call_timeout(&self) -> Duration {
        self.inner.settings.timeout
    }

    /// Tells whether memory has no entry.
    pub(crate) fn is_empty(&self) -> bool {
        self.inner.set.len() == 0
    }

    /// Looks into memory, if that may be used.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::TokenRevoked`], and [`AuthErrorKind::StoreUnavailable`] while not all entries are
    /// loaded, or the last read is too long ago.
    pub(crate) fn check(&self, question: &Question<'_>, now: NumericDate) -> Result<(), AuthError> {
        // Before the look-up: memory that lacks entries now must not count as complete.
        let is_strict = self.is_strict();
        if let Some(kind) = self.inner.set.find(&self.question(question)) {
            return Err(revoked(kind));
        }
        // In strict mode the store says what memory does not know.
        if is_strict {
            return Ok(());
        }
        match self.inner.follower.state(now) {
            FeedState::Current => Ok(()),
            FeedState::Loading => Err(unavailable("the revocations are not loaded yet")),
            FeedState::Stale => Err(unavailable("the revocations were read too long ago")),
        }
    }

    /// Asks the store, as strict mode does.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::TokenRevoked`] and [`AuthErrorKind::StoreUnavailable`].
    pub(crate) async fn ask(
        &self,
        question: &Question<'_>,
        clock: &dyn Clock,
    ) -> Result<(), AuthError> {
        let question = self.question(question);
        let wanted = question.wanted();
        let found = call(clock, self.call_timeout(), || self.inner.store.find(&wanted)).await;
        let found = found.map_err(|error| {
            self.failed();
            AuthError::with_source(AuthErrorKind::StoreUnavailable, error)
        })?;
        match self.entries(&found).iter().find(|entry| question.is_revoked_by(entry)) {
            Some(entry) => Err(revoked(entry.revoked.kind())),
            None => Ok(()),
        }
    }

    /// Counts a call of the store that has failed.
    fn failed(&self) {
        crate::metrics::store_failed(self.label());
    }

    /// Returns those that have taken these over, if the engine was replaced.
    pub(crate) fn newest(&self) -> Self {
        let mut newest = Arc::clone(&self.inner);
        while let Some(successor) = newest.successor() {
            newest = successor;
        }
        Self { inner: newest }
    }

    /// Looks into memory, for what goes on after a request was judged.
    pub(crate) fn is_revoked(&self, question: &Question<'_>) -> bool {
        self.inner.set.find(&self.question(question)).is_some()
    }

    /// Returns a receiver that changes after entries were added.
    pub(crate) fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.set.changes()
    }
}

impl Inner {
    fn successor(&self) -> Option<Arc<Self>> {
        lock(&self.successor).upgrade()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn revoked(kind: &'static str) -> AuthError {
    AuthError::because(
        AuthErrorKind::TokenRevoked,
        match kind {
            "subject" => "its subject was revoked",
            "session" => "its session was revoked",
            "client" => "its client was revoked",
            "key" => "its key was revoked",
            _ => "the token itself was revoked",
        },
    )
}

fn unavailable(reason: &'static str) -> AuthError {
    AuthError::because(AuthErrorKind::StoreUnavailable, reason)
}

/// The error of a call that needs revocations, of an engine without.
pub(crate) fn not_configured() -> StoreError {
    let text = "the engine has no revocations: add a store with `revocations(…)`";
    StoreError::new(StoreErrorKind::Unusable, text)
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("store", &self.inner.store.label())
            .field("settings", &self.inner.settings)
            .field("set", &self.inner.set)
            .finish_non_exhaustive()
    }
}
