//! What an error of PostgreSQL means for the caller.

use portcullis::revocation::{StoreError, StoreErrorKind};
use tokio_postgres::error::SqlState;

/// Why a statement failed.
#[derive(Debug)]
pub(super) enum Failure {
    Postgres(tokio_postgres::Error),
    Store(StoreError),
}

impl Failure {
    pub(super) fn unusable(text: &'static str) -> Self {
        Self::Store(StoreError::new(StoreErrorKind::Unusable, text))
    }

    pub(super) fn position_lost() -> Self {
        Self::Store(StoreError::new(
            StoreErrorKind::PositionLost,
            "the position is of another database, or of a later state of it",
        ))
    }

    pub(super) fn into_store_error(self, action: &str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Postgres(error) => store_error(action, &error),
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Makes the error of a call. It has the message of the server, but neither its details, which may quote a row,
/// nor what it says about a user or a password.
pub(super) fn store_error(action: &str, error: &tokio_postgres::Error) -> StoreError {
    let Some(database) = error.as_db_error() else {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        let text = format!("cannot {action} PostgreSQL: {error}{}", cause.unwrap_or_default());
        return StoreError::new(StoreErrorKind::Unavailable, text);
    };
    let code = database.code();
    let kind = if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        StoreErrorKind::Unusable
    } else {
        StoreErrorKind::Unavailable
    };
    let text = if code.code().starts_with("28") {
        format!(
            "cannot {action} PostgreSQL: the server rejects the user or password ({})",
            code.code()
        )
    } else {
        format!("cannot {action} PostgreSQL: {} ({})", database.message(), code.code())
    };
    StoreError::new(kind, text)
}
