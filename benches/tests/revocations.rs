//! The memory that revocations take.

use std::{
    future::pending,
    pin::pin,
    task::{Context, Poll, Waker},
};

use portcullis::{
    Authenticator, NumericDate,
    clock::Clock,
    future::BoxFuture,
    revocation::{
        Changes, Position, Revocation, RevocationStore, Revocations, Revoked, StoreError,
    },
};

use portcullis_testkit::TestIssuer;

const ISSUER: &str = "https://idp.example.com/realms/orders";

/// The most that an entry takes with its expiry.
const MAX_BYTES: i64 = 48;

/// The most that the 10,000 entries of the last minutes take, which are kept whole for a store that loses them.
const MAX_KEPT_WHOLE: i64 = 8 << 20;

#[test]
fn revocations_stay_within_their_budget_of_memory() {
    let revocations = Revocations::new(Nowhere);
    let trusted = TestIssuer::new(ISSUER).trusted();
    let builder = Authenticator::builder().issuer(trusted).audience("orders").clock(Stopped);
    let auth = builder.revocations(revocations.clone()).build().expect("an engine");
    let (mut revoked, mut taken) = (0, 0);
    // In small steps, because the table is largest for its entries just after it has grown.
    while revoked < 200_000 {
        let more = revoked + 5_000;
        taken += allocation_counter::measure(|| revoke(&revocations, revoked..more)).bytes_current;
        revoked = more;
        let most = i64::from(revoked) * MAX_BYTES + MAX_KEPT_WHOLE;
        assert!(taken <= most, "{taken} bytes for {revoked}");
    }
    println!("{taken} bytes for {revoked}");
    drop(auth);
}

/// A clock whose time limits never come, because there is no runtime.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> NumericDate {
        NumericDate::from_seconds(1_800_000_000)
    }

    fn sleep(&self, _: std::time::Duration) -> BoxFuture<'_, ()> {
        Box::pin(pending())
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
