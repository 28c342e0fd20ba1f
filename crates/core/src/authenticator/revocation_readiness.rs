//! Whether the stores of an engine are ready, and what a new engine takes over of an old one's revocations.

use std::time::Duration;

use super::NotReady;
use crate::{
    ConfigError,
    engine::Engine,
    revocation::{Revocations, StoreError, StoreErrorKind},
};

/// How long a store may take to connect and to create its schema.
const PREPARE_WITHIN: Duration = Duration::from_secs(10);

impl<G: Send + Sync + 'static> Engine<G> {
    /// Waits until the revocations in memory may be used, or the store has failed.
    pub(super) async fn ready_for_revocations(&self) -> Result<(), NotReady> {
        let Some(revocations) = &self.revocations else { return Ok(()) };
        let mut attempts = revocations.attempts();
        let mut ended = 0_u32;
        while self.revocations_health().is_err() {
            // At each turn, because a runtime that ends takes its tasks with it.
            revocations.start();
            if !revocations.is_followed() {
                let text = "stores are followed by a task, which needs a tokio runtime";
                let cause = StoreError::new(StoreErrorKind::Unavailable, text);
                return Err(not_loaded(revocations, Some(cause)));
            }
            if let Some(cause) = revocations.status().error {
                return Err(not_loaded(revocations, Some(cause)));
            }
            if attempts.changed().await.is_err() {
                return Err(not_loaded(revocations, None));
            }
            // Once may be a runtime that went away: then the task is started in this one.
            ended = ended.saturating_add(u32::from(!revocations.is_followed()));
            if ended > 1 {
                let text = "the task that follows the store has ended: its tokio runtime needs timers \
                            (`enable_time`)";
                let cause = StoreError::new(StoreErrorKind::Unavailable, text);
                return Err(not_loaded(revocations, Some(cause)));
            }
        }
        Ok(())
    }

    /// Tells whether the revocations in memory may be used.
    pub(super) fn revocations_health(&self) -> Result<(), NotReady> {
        let Some(revocations) = &self.revocations else { return Ok(()) };
        let status = revocations.status();
        if status.is_current { Ok(()) } else { Err(not_loaded(revocations, status.error)) }
    }

    /// Connects to the store of used tokens.
    pub(super) async fn prepare_replay_store(&self) -> Result<(), NotReady> {
        let Some(one_time) = &self.one_time else { return Ok(()) };
        let failed = tokio::select! {
            biased;
            prepared = one_time.prepare() => prepared.err(),
            () = self.clock.sleep(PREPARE_WITHIN) => {
                Some(StoreError::new(StoreErrorKind::Unavailable, "it did not answer in time"))
            }
        };
        let text = "the store of used tokens is not ready";
        failed.map_or(Ok(()), |cause| Err(NotReady::store(text, one_time.label(), Some(cause))))
    }
}

fn not_loaded(revocations: &Revocations, cause: Option<StoreError>) -> NotReady {
    let text = "the revocations in memory are not loaded, or too old";
    NotReady::store(text, revocations.label(), cause)
}

/// Adds the revocations of an old engine to those of a new one, whose store may have lost some, or may be
/// another one. Returns the version of the old ones that was added.
///
/// # Errors
///
/// [`ConfigError::RevocationsNotLoaded`] if there is no room for them.
pub(super) async fn take_over_revocations<G>(
    old: &Engine<G>,
    new: &Engine<G>,
) -> Result<u64, ConfigError> {
    let (Some(older), Some(newer)) = (&old.revocations, &new.revocations) else { return Ok(0) };
    let seen = older.version();
    let full = |cause| ConfigError::RevocationsNotLoaded(not_loaded(newer, Some(cause)));
    newer.take_over(older).await.map_err(full)?;
    Ok(seen)
}

/// Adds them again if there are more since a version. It does not wait, so that the new engine can take the
/// place of the old one before there are others.
///
/// # Errors
///
/// As [`take_over_revocations`].
pub(super) fn take_over_latest<G>(
    old: &Engine<G>,
    new: &Engine<G>,
    seen: u64,
) -> Result<(), ConfigError> {
    match (&old.revocations, &new.revocations) {
        (Some(older), Some(newer)) if older.version() != seen => {
            let full = |cause| ConfigError::RevocationsNotLoaded(not_loaded(newer, Some(cause)));
            newer.take_over_now(older).map_err(full)
        }
        _ => Ok(()),
    }
}

/// Checks that a new engine does not begin without knowing what was revoked.
///
/// # Errors
///
/// [`ConfigError::RevocationsNotLoaded`], unless the old engine rejects each token for the same reason.
pub(super) fn check_revocations<G: Send + Sync + 'static>(
    old: &Engine<G>,
    new: &Engine<G>,
) -> Result<(), ConfigError> {
    #[cfg(feature = "tracing")]
    if old.revocations.is_some() && new.revocations.is_none() {
        tracing::warn!(target: "portcullis::revocation", "the new engine has no revocations: revoked tokens are accepted again");
    }
    match new.revocations_health() {
        Err(not_ready) if old.revocations_health().is_ok() => {
            Err(ConfigError::RevocationsNotLoaded(not_ready))
        }
        _ => Ok(()),
    }
}
