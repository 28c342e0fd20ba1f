//! What the strategy and the thread that reads files share.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;

use super::{
    Identity, StaticTokenError, TokenFile,
    production::{check_lengths, warn_of_short},
    table::{Entry, Table},
};
use crate::{
    Clock, ConfigError, FileError, NumericDate,
    file::{Content, Settling, Stamp, Warnings},
    interleave::point,
};

/// The set of tokens, and what is known about its files.
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) fixed: Vec<Entry>,
    pub(super) files: Vec<TokenFile>,
    /// The caller of a token without a name.
    pub(super) unnamed: Identity,
    pub(super) clock: Arc<dyn Clock>,
    /// `None`: files are read once, so that their tokens do not become stale.
    pub(super) max_stale: Option<Duration>,
    pub(super) table: ArcSwap<Table>,
    /// The last second in which tokens from files are accepted.
    usable_until: AtomicI64,
    in_production: AtomicBool,
    /// How many readings have begun.
    readings: AtomicU64,
    watched: Mutex<Watched>,
}

/// What the files held, and what the looks at them have found since.
#[derive(Default)]
struct Watched {
    /// What the table was made of, for each file.
    adopted: Vec<Stamp>,
    /// The number of the reading that the table was made of, or that found the same again.
    reading: u64,
    /// The last line of a file that lacks its line end, and is not in the table.
    held_back: Option<(PathBuf, usize)>,
    settling: Settling<Vec<Stamp>>,
    last_error: Option<Arc<ConfigError>>,
    warnings: Warnings,
}

/// The files as one reading found them.
pub(super) struct Reading {
    number: u64,
    contents: Result<Vec<Content<String>>, FileError>,
}

/// Whether changed files are adopted at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Adoption {
    /// The caller says that they are complete.
    AtOnce,
    /// Once they have not changed for a while.
    Settled,
}

/// What was made of the files.
struct Parsed {
    table: Table,
    held_back: Option<(PathBuf, usize)>,
}

impl Shared {
    pub(super) fn new(
        name: String,
        fixed: Vec<Entry>,
        files: Vec<TokenFile>,
        unnamed: Identity,
        clock: Arc<dyn Clock>,
        max_stale: Option<Duration>,
    ) -> Self {
        Self {
            name,
            fixed,
            files,
            unnamed,
            clock,
            max_stale,
            table: ArcSwap::default(),
            usable_until: AtomicI64::new(i64::MAX),
            in_production: AtomicBool::new(false),
            readings: AtomicU64::new(0),
            watched: Mutex::default(),
        }
    }

    /// Reads all files for the first time. They count as complete, because there is no earlier look.
    pub(super) fn start(&self) -> Result<(), ConfigError> {
        let Reading { number, contents } = self.read();
        let contents = contents?;
        let parsed = self.parse(&contents, &[])?;
        let mut watched = self.lock();
        self.adopt(&mut watched, parsed, stamps(&contents), number);
        self.succeeded(&mut watched, number, self.clock.now());
        Ok(())
    }

    /// Reads all files now.
    pub(super) fn reload(&self) -> Result<(), Arc<ConfigError>> {
        let reading = self.read();
        point("static tokens: read");
        self.take(reading, Adoption::AtOnce)
    }

    /// Looks at all files, and adopts a change that has settled. Returns whether one has not yet.
    pub(super) fn look(&self) -> bool {
        // What is wrong is kept for `last_error`.
        let _ = self.take(self.read(), Adoption::Settled);
        self.lock().settling.is_waiting()
    }

    pub(super) fn read(&self) -> Reading {
        // Counted before the files are read: what a later reading finds is at least as new.
        let number = self.readings.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        Reading { number, contents: self.files.iter().map(TokenFile::read).collect() }
    }

    /// Adopts what a reading found, unless a reading that began later was adopted before.
    pub(super) fn take(&self, reading: Reading, when: Adoption) -> Result<(), Arc<ConfigError>> {
        let now = self.clock.now();
        let mut watched = self.lock();
        if reading.number < watched.reading {
            return Ok(());
        }
        match reading.contents {
            Ok(contents) => self.take_contents(&mut watched, &contents, reading.number, when, now),
            Err(error) => {
                watched.settling.end();
                Err(self.failed(&mut watched, error.into(), now))
            }
        }
    }

    fn take_contents(
        &self,
        watched: &mut Watched,
        contents: &[Content<String>],
        number: u64,
        when: Adoption,
        now: NumericDate,
    ) -> Result<(), Arc<ConfigError>> {
        let stamps = stamps(contents);
        if watched.is_changed_by(&stamps) {
            let unchanged_for = watched.settling.unchanged_for(stamps.clone(), now);
            let needed = self.settles_after(contents, &watched.adopted);
            if when == Adoption::Settled && unchanged_for < needed {
                return Ok(());
            }
            match self.parse(contents, &watched.adopted) {
                Ok(parsed) => self.adopt(watched, parsed, stamps, number),
                Err(error) => return Err(self.failed(watched, error.into(), now)),
            }
        } else {
            watched.settling.end();
            watched.adopted = stamps;
        }
        self.succeeded(watched, number, now);
        match &watched.held_back {
            None => Ok(()),
            Some((path, line)) => {
                let error = no_line_end(path.clone(), *line);
                Err(self.warned(watched, error, now))
            }
        }
    }

    fn adopt(&self, watched: &mut Watched, parsed: Parsed, stamps: Vec<Stamp>, number: u64) {
        if self.in_production.load(Ordering::SeqCst) {
            warn_of_short(&self.name, parsed.table.shortest());
        }
        self.table.store(Arc::new(parsed.table));
        watched.adopted = stamps;
        watched.reading = number;
        watched.held_back = parsed.held_back;
        watched.settling.end();
    }

    fn succeeded(&self, watched: &mut Watched, number: u64, now: NumericDate) {
        watched.reading = number;
        watched.last_error = None;
        if watched.held_back.is_none() {
            watched.warnings.end();
        }
        if let Some(max_stale) = self.max_stale {
            let until = now.saturating_add(max_stale).seconds();
            self.usable_until.store(until, Ordering::SeqCst);
        }
    }

    fn failed(
        &self,
        watched: &mut Watched,
        error: ConfigError,
        now: NumericDate,
    ) -> Arc<ConfigError> {
        // A clock that was ahead at the last success must not lengthen the time that tokens stay good.
        if let Some(max_stale) = self.max_stale {
            let until = now.saturating_add(max_stale).seconds();
            self.usable_until.fetch_min(until, Ordering::SeqCst);
        }
        self.warned(watched, error, now)
    }

    /// Keeps an error, and logs it while it lasts.
    #[cfg_attr(
        not(feature = "tracing"),
        expect(clippy::unused_self, reason = "the name is for the log alone")
    )]
    fn warned(
        &self,
        watched: &mut Watched,
        error: ConfigError,
        now: NumericDate,
    ) -> Arc<ConfigError> {
        if let Some(cause) = watched.warnings.due(&error, now) {
            #[cfg(feature = "tracing")]
            tracing::warn!(
                target: "portcullis",
                name = self.name,
                error = %error,
                cause,
                rejected = self.are_stale(now),
                "static tokens were not read again"
            );
            #[cfg(not(feature = "tracing"))]
            let _ = cause;
        }
        let error = Arc::new(error);
        watched.last_error = Some(Arc::clone(&error));
        error
    }

    /// Returns how long changed files must stay the same before they are adopted.
    fn settles_after(&self, contents: &[Content<String>], adopted: &[Stamp]) -> Duration {
        let files = self.files.iter().zip(contents).zip(adopted);
        files
            .map(|((file, content), adopted)| file.settles_after(content, adopted))
            .max()
            .unwrap_or_default()
    }

    /// Makes a table of the files. Without stamps of earlier contents nothing is held back.
    fn parse(&self, contents: &[Content<String>], adopted: &[Stamp]) -> Result<Parsed, FileError> {
        let known = self.table.load();
        let (mut entries, mut held_back) = (self.fixed.clone(), None);
        for (index, (file, content)) in self.files.iter().zip(contents).enumerate() {
            let holds_back =
                adopted.get(index).is_some_and(|adopted| file.holds_back(content, adopted));
            let text = content.data.as_str();
            let (whole, cut_off) =
                if holds_back { text.split_at(end_of_lines(text)) } else { (text, "") };
            // Of the whole text, so that an error names its line. One in the last line is an error like
            // any other.
            let mut of_file = file
                .entries(text, &self.unnamed)
                .map_err(|error| FileError::unusable(&file.path, error))?;
            let last = file
                .entries(cut_off, &self.unnamed)
                .map_err(|error| FileError::unusable(&file.path, error))?;
            // A token that was good before is not the beginning of one.
            if !last.iter().all(|entry| known.has(entry)) {
                of_file.truncate(of_file.len().saturating_sub(last.len()));
                held_back = Some((file.path.clone(), whole.lines().count().saturating_add(1)));
            }
            if self.in_production.load(Ordering::SeqCst) {
                let shortest = of_file.iter().filter_map(|entry| entry.len).min();
                check_lengths(&self.name, shortest)
                    .map_err(|error| FileError::unusable(&file.path, error))?;
            }
            entries.extend(of_file.into_iter().map(Entry::of_file));
        }
        Ok(Parsed { table: Table::new(entries), held_back })
    }

    /// From now on the rules for production hold, also when files are read again.
    pub(super) fn check_production(&self) -> Result<(), ConfigError> {
        // Under the lock, so that no reading under way misses it.
        let _held = self.lock();
        let shortest = self.table.load().shortest();
        check_lengths(&self.name, shortest)?;
        self.in_production.store(true, Ordering::SeqCst);
        warn_of_short(&self.name, shortest);
        Ok(())
    }

    /// Returns whether the files could not be read for so long that their tokens are not accepted.
    pub(super) fn are_stale(&self, now: NumericDate) -> bool {
        now.seconds() > self.usable_until.load(Ordering::Relaxed)
    }

    pub(super) fn last_error(&self) -> Option<Arc<ConfigError>> {
        self.lock().last_error.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        // Nothing panics while it is held; if it ever did, the state is still whole.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    /// Returns whether the files hold something else than the table was made of.
    fn is_changed_by(&self, stamps: &[Stamp]) -> bool {
        let mut files = stamps.iter().zip(&self.adopted);
        files.any(|(found, adopted)| {
            // A file that replaces one whose last line was held back is complete.
            let completes = self.held_back.is_some() && found.has_replaced(adopted);
            completes || !found.has_content_of(adopted)
        })
    }
}

fn stamps(contents: &[Content<String>]) -> Vec<Stamp> {
    contents.iter().map(|content| content.stamp.clone()).collect()
}

/// Returns where the lines end that have a line end.
fn end_of_lines(text: &str) -> usize {
    text.rfind('\n').map_or(0, |end| end.saturating_add(1))
}

fn no_line_end(path: PathBuf, line: usize) -> ConfigError {
    let reason = "it has no line end, as if the file were still being written; end the line, or replace \
                  the file by a rename";
    FileError::unusable(path, StaticTokenError::InvalidLine { line, reason }).into()
}
