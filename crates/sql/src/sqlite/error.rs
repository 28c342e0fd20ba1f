//! What an error of SQLite means for the caller.

use portcullis::revocation::{StoreError, StoreErrorKind};
use rusqlite::ErrorCode;

/// Why a statement failed.
#[derive(Debug)]
pub(super) enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl Failure {
    pub(super) fn unusable(text: &'static str) -> Self {
        Self::Store(StoreError::new(StoreErrorKind::Unusable, text))
    }

    pub(super) fn unavailable(text: &'static str) -> Self {
        Self::Store(StoreError::new(StoreErrorKind::Unavailable, text))
    }

    /// Returns whether the connection is as good as before: another process was writing, or only the position
    /// was wrong.
    pub(super) fn leaves_the_connection_good(&self) -> bool {
        match self {
            Self::Sqlite(error) => is_busy(error),
            Self::Store(error) => error.kind() == StoreErrorKind::PositionLost,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite(error) if is_busy(error))
    }

    /// Makes the error of a call. Statements have their values bound, so no text contains a value.
    pub(super) fn into_store_error(self, action: &str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sqlite(error) => {
                let kind = match error.sqlite_error_code() {
                    Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                        StoreErrorKind::Unusable
                    }
                    _ => StoreErrorKind::Unavailable,
                };
                StoreError::new(kind, format!("cannot {action} the SQLite file: {error}"))
            }
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
