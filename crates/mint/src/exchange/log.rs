//! What the log says of exchanges: one event for each, without tokens, secrets and subjects.

use std::sync::atomic::AtomicI64;
#[cfg(feature = "tracing")]
use std::sync::atomic::Ordering;

use portcullis::NumericDate;

#[cfg(feature = "tracing")]
use super::refusal::Failure;
use super::{issuance::Issued, refusal::Failed};

/// Logs a token that was issued.
pub(super) fn issued(issued: &Issued, client_id: Option<&str>) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: "portcullis::tokens",
        client_id,
        subject_issuer = issued.subject_issuer,
        has_actor = issued.has_actor,
        audiences = ?issued.audiences,
        scope = %issued.scope,
        token_id = issued.token_id,
        expires_in = issued.expires_in,
        "a token was exchanged"
    );
    #[cfg(not(feature = "tracing"))]
    {
        let Issued { audiences, token_id, subject_issuer, has_actor, .. } = issued;
        let _ = (audiences, token_id, subject_issuer, has_actor, client_id);
    }
}

/// How often the log has a warning, at most, in seconds.
#[cfg(feature = "tracing")]
const WARN_EVERY: i64 = 60;

/// Logs a request that has failed: what the operators must know about as a warning, once a minute at most.
pub(super) fn failed(
    failed: &Failed,
    error: &'static str,
    warned_at: &AtomicI64,
    now: NumericDate,
) {
    let (failure, reason) = (failed.failure, failed.reason.as_deref());
    #[cfg(feature = "tracing")]
    match failure {
        Failure::ServerError => {
            tracing::error!(target: "portcullis::tokens", error, reason, "a token exchange has failed");
        }
        _ if failed.is_fault && may_warn(warned_at, now) => {
            tracing::warn!(target: "portcullis::tokens", error, reason, "a token exchange has failed");
        }
        _ => {
            tracing::debug!(target: "portcullis::tokens", error, reason, "an exchange was refused");
        }
    }
    #[cfg(not(feature = "tracing"))]
    let _ = (failure, failed.is_fault, error, reason, warned_at, now);
}

#[cfg(feature = "tracing")]
fn may_warn(warned_at: &AtomicI64, now: NumericDate) -> bool {
    let (last, now) = (warned_at.load(Ordering::Relaxed), now.seconds());
    // A clock that was set back must not silence it.
    let is_due = now < last || now.saturating_sub(last) >= WARN_EVERY;
    is_due && warned_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}
