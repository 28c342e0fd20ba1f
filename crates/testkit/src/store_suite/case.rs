//! One property's handles, and the calls that must succeed.

use std::{
    fmt::Display,
    time::{SystemTime, UNIX_EPOCH},
};

use portcullis::{
    NumericDate,
    revocation::{
        Changes, Position, ReplayStore, Revocation, RevocationStore, Revoked, StoreError,
        StoreErrorKind, Use,
    },
};

/// 2100-01-01: later than any clean-up of the suite.
pub(super) const NEEDED: NumericDate = NumericDate::from_seconds(4_102_444_800);

/// 2050-01-01: the time of a clean-up. It is not now, because a store must go by the time that it is given; a
/// store that goes by its own clock too may delete less.
pub(super) const CLEAN_UP: NumericDate = NumericDate::from_seconds(2_524_608_000);

/// 2001-09-09: expired by any clock.
pub(super) const PAST: NumericDate = NumericDate::from_seconds(1_000_000_000);

/// One property: two handles to the same data, and an issuer that no other property uses.
#[derive(Debug)]
pub(super) struct Case<S> {
    property: &'static str,
    label: String,
    pub(super) first: S,
    pub(super) second: S,
    pub(super) issuer: String,
}

impl<S> Case<S> {
    pub(super) fn new(property: &'static str, label: &str, first: S, second: S) -> Self {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let issuer = format!("https://suite.test/{property}/{}", time.as_nanos());
        Self { property, label: label.to_owned(), first, second, issuer }
    }

    /// The one handle and the other in turn.
    pub(super) fn handle(&self, number: usize) -> &S {
        if number.is_multiple_of(2) { &self.first } else { &self.second }
    }

    /// An entry of the property's issuer that no clean-up deletes.
    pub(super) fn entry(&self, revoked: Revoked) -> Revocation {
        Revocation::new(self.issuer.as_str(), revoked).until(NEEDED)
    }

    pub(super) fn token(&self, jti: impl Into<Box<str>>) -> Revocation {
        self.entry(Revoked::Token(jti.into()))
    }

    /// Entries of tokens that are numbered.
    pub(super) fn tokens(&self, prefix: &str, count: usize) -> Vec<Revocation> {
        (0..count).map(|number| self.token(format!("{prefix}-{number}"))).collect()
    }

    /// Fails the test, with the name of the store and of the property.
    #[expect(clippy::panic, reason = "this is how a test fails")]
    pub(super) fn fail(&self, what: impl Display) -> ! {
        panic!("store `{}` fails `{}`: {what}", self.label, self.property)
    }

    /// Fails the test unless the condition is met.
    pub(super) fn require(&self, condition: bool, what: impl Display) {
        if !condition {
            self.fail(what);
        }
    }

    pub(super) fn expect<T>(&self, call: &str, outcome: Result<T, StoreError>) -> T {
        match outcome {
            Ok(value) => value,
            Err(error) => self.fail(format_args!("{call} returns {:?}: {error}", error.kind())),
        }
    }
}

impl<S: RevocationStore> Case<S> {
    pub(super) async fn add(&self, store: &S, entries: &[Revocation]) {
        self.expect("add", store.add(entries).await);
    }

    pub(super) async fn find(&self, store: &S, wanted: &[Revocation]) -> Vec<Revocation> {
        self.expect("find", store.find(wanted).await)
    }

    /// Reads a page; `None` if the store cannot return what follows the position.
    pub(super) async fn read(&self, store: &S, after: Option<&Position>) -> Option<Changes> {
        match store.read(after).await {
            Err(error) if after.is_some() && error.kind() == StoreErrorKind::PositionLost => None,
            outcome => Some(self.expect("read", outcome)),
        }
    }
}

impl<S: ReplayStore> Case<S> {
    pub(super) async fn consume(&self, store: &S, jti: &str, until: NumericDate) -> Use {
        self.consume_of(store, &self.issuer, jti, until).await
    }

    pub(super) async fn consume_of(
        &self,
        store: &S,
        issuer: &str,
        jti: &str,
        until: NumericDate,
    ) -> Use {
        self.expect("consume", store.consume(issuer, jti, until).await)
    }
}

/// Deletes until a call deletes nothing, and fails if one deletes more than 1,000.
pub(super) async fn require_batches<S>(
    case: &Case<S>,
    delete: impl AsyncFn() -> Result<u64, StoreError>,
) {
    for _ in 0..1_000 {
        let deleted = case.expect("delete_expired", delete().await);
        case.require(deleted <= 1_000, format_args!("{deleted} are deleted in one call"));
        if deleted == 0 {
            return;
        }
    }
    case.fail("delete_expired does not come to an end");
}
