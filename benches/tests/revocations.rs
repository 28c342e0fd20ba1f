//! The memory that revocations take.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{
        Changes, Position, Revocation, RevocationStore, Revocations, Revoked, StoreError,
    },
};

const ISSUER: &str = "https://idp.example.com/realms/orders";

/// The most that an entry takes with its expiry.
const MAX_BYTES: u64 = 48;

/// As many as are kept whole, for a store that loses them, and some more.
const KEPT_WHOLE: u32 = 20_000;

#[test]
fn a_revocation_stays_within_its_budget_of_memory() {
    let revocations = Revocations::new(Nowhere);
    revoke(&revocations, 0..KEPT_WHOLE);
    // What the table of these takes is not known apart from the entries that are kept whole: the most.
    let mut taken = i64::from(KEPT_WHOLE) * i64::try_from(MAX_BYTES).unwrap();
    let mut revoked = KEPT_WHOLE;
    // In small steps, because the table is largest for its entries just after it has grown.
    while revoked < 300_000 {
        let more = revoked + 5_000;
        taken += allocation_counter::measure(|| revoke(&revocations, revoked..more)).bytes_current;
        revoked = more;
        let each = u64::try_from(taken).unwrap() / u64::from(revoked);
        if revoked >= 200_000 {
            println!("{each} bytes for each of {revoked}");
            assert!(each <= MAX_BYTES, "{each} bytes for each of {revoked}");
        }
    }
}

/// Revokes tokens in this thread: without a runtime, there is no other.
fn revoke(revocations: &Revocations, ids: std::ops::Range<u32>) {
    for id in ids {
        let id = format!("{:016x}-4f7a-9c21-{id:08x}", u64::from(id).wrapping_mul(0x9e37_79b9));
        let entry = Revocation::new(ISSUER, Revoked::Token(id.into()));
        let entries = [entry.until(NumericDate::from_seconds(1_900_000_000))];
        let revoked =
            pin!(revocations.revoke(&entries)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(revoked, Poll::Ready(Ok(()))));
    }
}

/// A store that keeps nothing, so that only the memory of the replica counts.
#[derive(Debug)]
struct Nowhere;

impl RevocationStore for Nowhere {
    fn label(&self) -> &str {
        "nowhere"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn add<'a>(&'a self, _: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn read<'a>(&'a self, _: Option<&'a Position>) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(async { Ok(Changes::new(Vec::new(), Position::new("end"))) })
    }

    fn find<'a>(
        &'a self,
        _: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn delete_expired(&self, _: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async { Ok(0) })
    }
}
