//! The store: calls of the traits as scripts.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{
        Changes, Position, ReplayStore, Revocation, RevocationStore, StoreError, StoreErrorKind,
        Use,
    },
};
use redis::{FromRedisValue, ScriptInvocation, Value, cmd};

use crate::{
    RedisStoreBuilder,
    answer::{LogAnswer, PageAnswer},
    entry::{cut_off_text, end_seconds, end_text, entry_text, parse_entry, used_text},
    epoch::new_epoch,
    error::{unavailable, unusable},
    link::Link,
    notify::Notifier,
    position::{Data, Place},
    scripts,
};

/// How many entries a page has. Redis answers no other client while it reads a page: about 5 ms.
const PAGE: usize = 2_000;
/// How many entries one call adds at most, for the same reason: about 0.6 s.
const MAX_ADDED: usize = 50_000;
const BATCH: u64 = 1_000;
/// For how long changes stay in the log. A replica that was away for longer reads all entries again.
const LOG_KEPT_MILLIS: u64 = 3_600_000;
const WAIT_MILLIS: u64 = 1_000;

/// Keeps revocations and used tokens in Redis or Valkey.
///
/// A clone uses the same connections. The store connects when it is used first, and again after a failure.
#[derive(Clone)]
pub struct RedisStore {
    inner: Arc<Inner>,
}

struct Inner {
    prefix: Box<str>,
    /// Names of the set, the ends, the log and the used tokens, which share a hash tag.
    keys: [String; 4],
    replicas: u32,
    link: Arc<Link>,
    /// Writes that wait for replicas block their connection.
    writes: Arc<Link>,
    notifier: Notifier,
    /// The data that was read, or that was there at first: `find` must not answer from other data.
    data: Mutex<Option<Data>>,
}

impl RedisStore {
    /// Creates a store with default settings, without connecting.
    ///
    /// The URL has the form `redis://user:password@host:port/database`; `rediss://` uses TLS and needs the
    /// feature `tls`; `redis+unix:///path` uses a socket of the system.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unusable`] if the URL is invalid.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::builder(url).build()
    }

    /// Creates a store with settings. The URL is as in [`open`](Self::open).
    pub fn builder(url: &str) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url)
    }

    pub(crate) fn new(
        prefix: &str,
        replicas: u32,
        link: Arc<Link>,
        writes: Arc<Link>,
        notifier: Notifier,
    ) -> Self {
        let keys = ["set", "ends", "log", "used"].map(|name| key(prefix, name));
        Self {
            inner: Arc::new(Inner {
                prefix: prefix.into(),
                keys,
                replicas,
                link,
                writes,
                notifier,
                data: Mutex::default(),
            }),
        }
    }
}

/// Returns the name of a key. The braces keep all keys in one slot of a cluster.
pub(crate) fn key(prefix: &str, name: &str) -> String {
    format!("{{{prefix}}}:{name}")
}

impl Inner {
    fn script(&self, script: &'static redis::Script) -> ScriptInvocation<'static> {
        let mut call = script.prepare_invoke();
        for key in &self.keys {
            call.key(key);
        }
        call
    }

    async fn call<T>(&self, call: ScriptInvocation<'static>) -> Result<T, StoreError>
    where
        T: FromRedisValue + Send + 'static,
    {
        self.link
            .run(move |mut connection| async move { call.invoke_async(&mut connection).await })
            .await
    }

    /// Calls a script that writes, and waits until enough replicas of Redis have the data.
    async fn write<T>(&self, call: ScriptInvocation<'static>) -> Result<T, StoreError>
    where
        T: FromRedisValue + Send + 'static,
    {
        if self.replicas == 0 {
            return self.call(call).await;
        }
        let replicas = self.replicas;
        let (value, acknowledged) = self
            .writes
            .run(move |mut connection| async move {
                let value = call.invoke_async(&mut connection).await?;
                // Counts what this connection wrote, so it must be the same one.
                let wait = cmd("WAIT").arg(replicas).arg(WAIT_MILLIS).to_owned();
                let acknowledged: u32 = wait.query_async(&mut connection).await?;
                Ok((value, acknowledged))
            })
            .await?;
        if acknowledged < replicas {
            return Err(unavailable(format!(
                "{acknowledged} of {replicas} replicas of Redis acknowledged the write in time"
            )));
        }
        Ok(value)
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        self.link.check().await?;
        let mut call = self.script(&scripts::PREPARE);
        call.arg(new_epoch());
        let (epoch, replication) = self.call(call).await?;
        self.with_data(|data| data.get_or_insert(Data { epoch, replication }).clone());
        Ok(())
    }

    async fn add(&self, entries: &[Revocation]) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        if entries.len() > MAX_ADDED {
            return Err(unusable(
                "more than 50,000 revocations in one call; help: add them in parts",
            ));
        }
        let mut call = self.script(&scripts::ADD);
        call.arg(new_epoch());
        for entry in entries {
            call.arg(entry_text(entry)).arg(cut_off_text(entry)).arg(end_text(entry));
        }
        self.write::<Value>(call).await.map(drop)
    }

    async fn read_start(&self) -> Result<Changes, StoreError> {
        let mut call = self.script(&scripts::READ_START);
        call.arg(new_epoch()).arg(PAGE);
        let page: PageAnswer = self.call(call).await?;
        let log = page.newest.clone();
        self.page(page, log)
    }

    async fn read_page(&self, place: Place, end: &str, text: &str) -> Result<Changes, StoreError> {
        let mut call = self.script(&scripts::READ_PAGE);
        call.arg(&place.data.epoch).arg(&place.data.replication).arg(&place.log);
        call.arg(PAGE).arg(end).arg(text);
        self.page(self.call(call).await?, place.log)
    }

    /// Returns a page of all entries. After the last one follows what changed since the first one.
    fn page(&self, page: PageAnswer, log: String) -> Result<Changes, StoreError> {
        let place = Place { data: page.data, log, page: page.last.filter(|_| page.count >= PAGE) };
        let is_last = place.page.is_none();
        let has_more = !is_last || place.log != page.newest;
        if is_last {
            self.with_data(|data| *data = Some(place.data.clone()));
        }
        Ok(changes(page.entries, &place, has_more))
    }

    async fn read_log(&self, mut place: Place) -> Result<Changes, StoreError> {
        let mut call = self.script(&scripts::READ_LOG);
        call.arg(&place.data.epoch).arg(&place.data.replication).arg(&place.log).arg(PAGE);
        let answer: LogAnswer = self.call(call).await?;
        if let Some(last) = answer.last {
            place.log = last;
        }
        let has_more = place.log != answer.newest;
        Ok(changes(answer.entries, &place, has_more))
    }

    async fn find(&self, wanted: &[Revocation]) -> Result<Vec<Revocation>, StoreError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let data = self.with_data(|data| data.clone());
        let mut call = self.script(&scripts::FIND);
        match &data {
            Some(data) => call.arg(&data.epoch).arg(&data.replication),
            None => call.arg("").arg(""),
        };
        let texts: Vec<String> = wanted.iter().map(entry_text).collect();
        for text in &texts {
            call.arg(text);
        }
        let times: Vec<Option<String>> =
            self.call(call).await.inspect_err(|error| self.follow_if_lost(error))?;
        let found = texts.iter().zip(times);
        Ok(found.filter_map(|(text, times)| parse_entry(text, &times?)).collect())
    }

    /// Wakes the replica's follower, so that it reads all entries now and not at its next interval.
    fn follow_if_lost(&self, error: &StoreError) {
        if error.kind() == StoreErrorKind::PositionLost {
            self.notifier.wake();
        }
    }

    fn with_data<T>(&self, change: impl FnOnce(&mut Option<Data>) -> T) -> T {
        change(&mut self.data.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn changes(entries: Vec<Revocation>, place: &Place, has_more: bool) -> Changes {
    let changes = Changes::new(entries, place.to_position());
    if has_more { changes.with_more() } else { changes }
}

impl RevocationStore for RedisStore {
    fn label(&self) -> &str {
        "redis"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.inner.prepare())
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.inner.add(entries))
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(async move {
            let Some(position) = after else { return self.inner.read_start().await };
            let Some(mut place) = Place::parse(position) else {
                return Err(StoreError::new(
                    StoreErrorKind::PositionLost,
                    "the position is not from this store",
                ));
            };
            match place.page.take() {
                Some((end, text)) => self.inner.read_page(place, &end, &text).await,
                None => self.inner.read_log(place).await,
            }
        })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        Box::pin(self.inner.find(wanted))
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.inner.notifier.changed())
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            // A script is not interrupted by one of another replica.
            let mut call = self.inner.script(&scripts::DELETE_EXPIRED);
            call.arg(before.seconds()).arg(BATCH).arg(LOG_KEPT_MILLIS);
            self.inner.call(call).await
        })
    }
}

impl ReplayStore for RedisStore {
    fn label(&self) -> &str {
        RevocationStore::label(self)
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        RevocationStore::prepare(self)
    }

    fn consume<'a>(
        &'a self,
        issuer: &'a str,
        jti: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<Use, StoreError>> {
        Box::pin(async move {
            let mut call = self.inner.script(&scripts::CONSUME);
            call.arg(new_epoch()).arg(used_text(issuer, jti)).arg(end_seconds(until));
            let is_first: bool = self.inner.write(call).await?;
            Ok(if is_first { Use::First } else { Use::Replayed })
        })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let mut call = self.inner.script(&scripts::DELETE_USED);
            call.arg(before.seconds()).arg(BATCH);
            self.inner.call(call).await
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("prefix", &self.inner.prefix).finish_non_exhaustive()
    }
}
