//! A small store that has every property of the suite, or all but one.

use std::{
    collections::{BTreeMap, HashMap},
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{
        Changes, Position, ReplayStore, Revocation, RevocationStore, Revoked, StoreError,
        StoreErrorKind, Use,
    },
};

const PAGE: usize = 8_000;

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Defect {
    None,
    // What is written.
    PrepareClears,
    AddingAgainFails,
    AddingNothingFails,
    RepeatedEntryFails,
    AddsOneByOne,
    DropKeepsHalf,
    JoinsByColon,
    LowersCase,
    CutsAtNul,
    CutsAt1000,
    RoundsDown,
    FirstEndWins,
    LastEndWins,
    AnEndReplacesNone,
    LaterEndReplacesCutOff,
    ReadsThenWrites,
    // What is found.
    FindsByCutOff,
    FindsAllOfIssuer,
    ConfusesKinds,
    FindsTen,
    // What is read.
    ReadsOwnEntries,
    SkipsOne,
    ChangeKeepsNumber,
    UnknownPositionIsTheEnd,
    UnknownPositionIsUnavailable,
    NumbersBeforeCommit,
    EndsAfterOnePage,
    SamePageForever,
    SnapshotWithoutPosition,
    // What is deleted.
    DeletesWithoutEnd,
    DeletesTooEarly,
    ReusesNumbers,
    DeletesAllAtOnce,
    DeletesNothing,
    // What is used.
    ChecksThenInserts,
    ForgetsIssuer,
    UsesPerHandle,
    ReadsEndAs32Bits,
}

type Key = (String, String, String);

#[derive(Clone, Debug)]
struct Row {
    entry: Revocation,
    number: u64,
    handle: usize,
}

#[derive(Debug, Default)]
struct Data {
    rows: BTreeMap<Key, Row>,
    last: u64,
    used: HashMap<(String, String), NumericDate>,
}

/// One handle. Its clone is a second one to the same data.
#[derive(Debug)]
pub(crate) struct Toy {
    defect: Defect,
    handle: usize,
    handles: Arc<AtomicUsize>,
    data: Arc<Mutex<Data>>,
}

impl Toy {
    pub(crate) fn new(defect: Defect) -> Self {
        Self { defect, handle: 0, handles: Arc::default(), data: Arc::default() }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    fn lock(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap()
    }

    fn text(&self, text: &str) -> String {
        match self.defect {
            Defect::LowersCase => text.to_lowercase(),
            Defect::CutsAtNul => text.split('\0').next().unwrap().to_owned(),
            Defect::CutsAt1000 => text.chars().take(1_000).collect(),
            _ => text.to_owned(),
        }
    }

    fn key(&self, entry: &Revocation) -> Key {
        let kind = if self.has(Defect::ConfusesKinds) { "" } else { entry.revoked.kind() };
        let (issuer, id) = (self.text(&entry.issuer), self.text(entry.revoked.id()));
        if self.has(Defect::JoinsByColon) {
            return (kind.to_owned(), format!("{issuer}:{id}"), String::new());
        }
        (kind.to_owned(), issuer, id)
    }

    fn put(&self, data: &mut Data, entry: &Revocation, number: u64) {
        let key = self.key(entry);
        let old = data.rows.get(&key).cloned();
        let mut entry = match &old {
            Some(old) => self.merge(&old.entry, entry),
            None => entry.clone(),
        };
        if self.has(Defect::RoundsDown) {
            entry.until = entry.until.map(|until| NumericDate::from_seconds(until.seconds()));
        }
        let number = match &old {
            Some(old) if self.has(Defect::ChangeKeepsNumber) => old.number,
            _ => number,
        };
        data.rows.insert(key, Row { entry, number, handle: self.handle });
    }

    fn merge(&self, old: &Revocation, new: &Revocation) -> Revocation {
        let mut merged = new.clone();
        merged.until = match self.defect {
            Defect::FirstEndWins => old.until,
            Defect::LastEndWins => new.until,
            Defect::AnEndReplacesNone => old.until.max(new.until),
            _ => old.until.zip(new.until).map(|(old, new)| old.max(new)),
        };
        if let (Revoked::Subject(_, time) | Revoked::Client(_, time), Some(cut_off)) =
            (&mut merged.revoked, old.revoked.issued_until())
        {
            let replaces = self.has(Defect::LaterEndReplacesCutOff) && new.until > old.until;
            *time = if replaces { *time } else { cut_off.max(*time) };
        }
        merged
    }

    async fn add_entries(&self, entries: &[Revocation]) -> Result<(), StoreError> {
        let failure = match self.defect {
            Defect::AddingNothingFails => entries.is_empty(),
            Defect::RepeatedEntryFails => entries.iter().enumerate().any(|(index, entry)| {
                entries.iter().skip(index + 1).any(|other| self.key(entry) == self.key(other))
            }),
            Defect::AddingAgainFails => {
                let data = self.lock();
                entries.iter().any(|entry| {
                    data.rows.get(&self.key(entry)).is_some_and(|row| row.entry == *entry)
                })
            }
            _ => false,
        };
        if failure {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "rejected"));
        }
        match self.defect {
            Defect::AddsOneByOne => return self.add_one_by_one(entries).await,
            Defect::ReadsThenWrites => return self.read_then_write(entries).await,
            Defect::NumbersBeforeCommit => return self.number_before_commit(entries).await,
            _ => {}
        }
        let half = HalfOnDrop { store: self, entries: Some(entries) };
        pause(4).await;
        half.commit(entries);
        pause(2).await;
        Ok(())
    }

    async fn add_one_by_one(&self, entries: &[Revocation]) -> Result<(), StoreError> {
        for entry in entries {
            self.commit(std::slice::from_ref(entry));
            pause(1).await;
        }
        Ok(())
    }

    async fn read_then_write(&self, entries: &[Revocation]) -> Result<(), StoreError> {
        for entry in entries {
            let old = self.lock().rows.get(&self.key(entry)).map(|row| row.entry.clone());
            pause(1).await;
            let new = old.map_or_else(|| entry.clone(), |old| self.merge(&old, entry));
            let mut data = self.lock();
            data.last += 1;
            let number = data.last;
            data.rows.insert(self.key(&new), Row { entry: new, number, handle: self.handle });
        }
        Ok(())
    }

    /// As a column of a sequence in PostgreSQL: a later number may be visible earlier.
    async fn number_before_commit(&self, entries: &[Revocation]) -> Result<(), StoreError> {
        let first = {
            let mut data = self.lock();
            let first = data.last + 1;
            data.last += u64::try_from(entries.len()).unwrap();
            first
        };
        pause(entries.len()).await;
        let mut data = self.lock();
        for (number, entry) in (first..).zip(entries) {
            self.put(&mut data, entry, number);
        }
        Ok(())
    }

    fn commit(&self, entries: &[Revocation]) {
        let mut data = self.lock();
        for entry in entries {
            data.last += 1;
            let number = data.last;
            self.put(&mut data, entry, number);
        }
    }

    fn page(&self, after: Option<&Position>) -> Result<Changes, StoreError> {
        let data = self.lock();
        let text = after.map_or("0", Position::as_str);
        if self.has(Defect::SnapshotWithoutPosition)
            && (after.is_none() || text.starts_with("page "))
        {
            return Ok(snapshot_page(&data, text));
        }
        let number = match text.parse::<u64>() {
            Ok(number) if number <= data.last || self.has(Defect::ReusesNumbers) => number,
            _ if self.has(Defect::UnknownPositionIsTheEnd) => data.last,
            _ if self.has(Defect::UnknownPositionIsUnavailable) => {
                return Err(StoreError::new(StoreErrorKind::Unavailable, "no such position"));
            }
            _ => return Err(StoreError::new(StoreErrorKind::PositionLost, "no such position")),
        };
        let mut rows: Vec<&Row> = data.rows.values().filter(|row| row.number > number).collect();
        if self.has(Defect::ReadsOwnEntries) {
            rows.retain(|row| row.handle == self.handle);
        }
        rows.sort_by_key(|row| row.number);
        let has_more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let end = rows.last().map_or(number, |row| row.number);
        let skipped = u64::from(self.has(Defect::SkipsOne));
        let end =
            if self.has(Defect::SamePageForever) && has_more { number } else { end + skipped };
        let entries = rows.into_iter().map(|row| row.entry.clone()).collect();
        let changes = Changes::new(entries, Position::new(end.to_string()));
        let is_last = !has_more || self.has(Defect::EndsAfterOnePage);
        Ok(if is_last { changes } else { changes.with_more() })
    }

    fn found(&self, wanted: &[Revocation]) -> Vec<Revocation> {
        let data = self.lock();
        let limit = if self.has(Defect::FindsTen) { 10 } else { usize::MAX };
        if self.has(Defect::FindsAllOfIssuer) {
            let is_wanted = |row: &Row| wanted.iter().any(|it| it.issuer == row.entry.issuer);
            return data
                .rows
                .values()
                .filter(|it| is_wanted(it))
                .map(|it| it.entry.clone())
                .collect();
        }
        wanted
            .iter()
            .filter_map(|wanted| {
                let entry = data.rows.get(&self.key(wanted))?.entry.clone();
                let is_later = entry.revoked.issued_until() >= wanted.revoked.issued_until();
                (is_later || !self.has(Defect::FindsByCutOff)).then_some(entry)
            })
            .take(limit)
            .collect()
    }

    fn delete_rows(&self, before: NumericDate) -> u64 {
        if self.has(Defect::DeletesNothing) {
            return 0;
        }
        let mut data = self.lock();
        let most = if self.has(Defect::DeletesAllAtOnce) { usize::MAX } else { 1_000 };
        let is_expired = |until: Option<NumericDate>| match until {
            None => self.has(Defect::DeletesWithoutEnd),
            Some(until) if self.has(Defect::DeletesTooEarly) => until <= before,
            Some(until) => until < before,
        };
        let rows = data.rows.iter().filter(|(_, row)| is_expired(row.entry.until));
        let rows: Vec<Key> = rows.map(|(key, _)| key.clone()).take(most).collect();
        for key in &rows {
            data.rows.remove(key);
        }
        if self.has(Defect::ReusesNumbers) {
            data.last = data.rows.values().map(|row| row.number).max().unwrap_or_default();
        }
        u64::try_from(rows.len()).unwrap()
    }

    fn delete_used(&self, before: NumericDate) -> u64 {
        if self.has(Defect::DeletesNothing) {
            return 0;
        }
        let mut data = self.lock();
        let most = if self.has(Defect::DeletesAllAtOnce) { usize::MAX } else { 1_000 };
        let early = self.has(Defect::DeletesTooEarly);
        let is_expired = |until: NumericDate| until < before || early && until == before;
        let used = data.used.iter().filter(|(_, until)| is_expired(**until));
        let used: Vec<_> = used.map(|(key, _)| key.clone()).take(most).collect();
        for key in &used {
            data.used.remove(key);
        }
        u64::try_from(used.len()).unwrap()
    }

    async fn use_token(&self, issuer: &str, jti: &str, until: NumericDate) -> Use {
        let issuer = match self.defect {
            Defect::ForgetsIssuer => String::new(),
            Defect::UsesPerHandle => format!("{} {issuer}", self.handle),
            _ => self.text(issuer),
        };
        let key = match self.defect {
            Defect::JoinsByColon => (format!("{issuer}:{jti}"), String::new()),
            _ => (issuer, self.text(jti)),
        };
        if self.has(Defect::ReadsEndAs32Bits) && until.seconds() & 0xffff_ffff == 0 {
            return Use::First;
        }
        pause(1).await;
        let is_used = self.lock().used.contains_key(&key);
        if self.has(Defect::ChecksThenInserts) {
            pause(1).await;
            self.lock().used.insert(key, until);
            return if is_used { Use::Replayed } else { Use::First };
        }
        match self.lock().used.insert(key, until) {
            None => Use::First,
            Some(_) => Use::Replayed,
        }
    }

    async fn prepare_again(&self) -> Result<(), StoreError> {
        pause(1).await;
        if self.has(Defect::PrepareClears) {
            *self.lock() = Data::default();
        }
        Ok(())
    }
}

/// The pages of a snapshot, and after the last one the position of that moment: what changed meanwhile in
/// earlier pages is lost.
fn snapshot_page(data: &Data, text: &str) -> Changes {
    let start: usize = text.strip_prefix("page ").map_or(0, |start| start.parse().unwrap());
    let entries: Vec<_> =
        data.rows.values().skip(start).take(PAGE).map(|row| row.entry.clone()).collect();
    let end = start + entries.len();
    if end < data.rows.len() {
        return Changes::new(entries, Position::new(format!("page {end}"))).with_more();
    }
    Changes::new(entries, Position::new(data.last.to_string()))
}

struct HalfOnDrop<'a> {
    store: &'a Toy,
    entries: Option<&'a [Revocation]>,
}

impl HalfOnDrop<'_> {
    fn commit(mut self, entries: &[Revocation]) {
        self.entries = None;
        self.store.commit(entries);
    }
}

impl Drop for HalfOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(entries) = self.entries
            && self.store.has(Defect::DropKeepsHalf)
        {
            self.store.commit(&entries[..entries.len() / 2]);
        }
    }
}

impl Clone for Toy {
    fn clone(&self) -> Self {
        let handle = self.handles.fetch_add(1, Ordering::Relaxed) + 1;
        Self {
            defect: self.defect,
            handle,
            handles: Arc::clone(&self.handles),
            data: Arc::clone(&self.data),
        }
    }
}

impl RevocationStore for Toy {
    fn label(&self) -> &str {
        "toy"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.prepare_again())
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.add_entries(entries))
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(async move {
            pause(1).await;
            self.page(after)
        })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        Box::pin(async move {
            pause(1).await;
            Ok(self.found(wanted))
        })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.delete_rows(before)) })
    }
}

impl ReplayStore for Toy {
    fn label(&self) -> &str {
        "toy"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.prepare_again())
    }

    fn consume<'a>(
        &'a self,
        issuer: &'a str,
        jti: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<Use, StoreError>> {
        Box::pin(async move { Ok(self.use_token(issuer, jti, until).await) })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.delete_used(before)) })
    }
}

/// Lets others run, this many times.
async fn pause(times: usize) {
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
