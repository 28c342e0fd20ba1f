//! What the log says of exchanges: one event for each, without tokens, secrets and subjects.

use super::{issuance::Issued, refusal::Failure};

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

/// Logs a request that has failed.
pub(super) fn failed(failure: Failure, error: &'static str, reason: Option<&str>) {
    #[cfg(feature = "tracing")]
    match failure {
        Failure::ServerError => {
            tracing::error!(target: "portcullis::tokens", error, reason, "a token exchange has failed");
        }
        _ => {
            tracing::debug!(target: "portcullis::tokens", error, reason, "an exchange was refused");
        }
    }
    #[cfg(not(feature = "tracing"))]
    let _ = (failure, error, reason);
}
