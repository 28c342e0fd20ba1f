//! Expired entries are deleted, and no others.

use std::time::Duration;

use portcullis::{
    NumericDate,
    revocation::{Revocation, RevocationStore, Revoked},
};

use super::{covers, follower::Follower, key, merged, seconds};
use crate::store_suite::case::{CLEAN_UP, Case, PAST, require_batches};

pub(in crate::store_suite) async fn entries_that_are_needed_stay<S: RevocationStore>(
    case: &Case<S>,
) {
    let needed = [
        case.token("later").until(CLEAN_UP.saturating_add(Duration::from_secs(1))),
        case.token("at that time").until(CLEAN_UP),
        Revocation::new(case.issuer.as_str(), Revoked::Key("forever".into())),
        // The later end counts.
        case.token("prolonged").until(NumericDate::from_seconds(CLEAN_UP.seconds() + 60)),
        case.entry(Revoked::Subject("cut off early".into(), seconds(1))),
    ];
    case.add(&case.first, &[case.token("prolonged").until(PAST)]).await;
    case.add(&case.first, &needed).await;
    case.add(&case.second, &[case.token("prolonged").until(PAST)]).await;
    delete_all(case, CLEAN_UP).await;
    let found = merged(&case.find(&case.second, &needed).await);
    for entry in &needed {
        let found = found.get(&key(entry));
        case.require(
            found.is_some_and(|found| covers(found, entry)),
            format_args!("after a clean-up, {entry:?} is found as {found:?}"),
        );
    }
    let mut follower = Follower::default();
    follower.catch_up(case, &case.second).await;
    follower.require_all(case, &needed, "a read from the start after a clean-up");
}

pub(in crate::store_suite) async fn a_position_outlives_a_clean_up<S: RevocationStore>(
    case: &Case<S>,
) {
    // The newest entries are deleted: a store that numbers the next ones as these were loses them.
    for round in 0..5 {
        let expired: Vec<_> = case
            .tokens(&format!("expired {round}"), 10)
            .into_iter()
            .map(|it| it.until(PAST))
            .collect();
        case.add(&case.first, &expired).await;
        let mut follower = Follower::default();
        follower.catch_up(case, &case.second).await;
        delete_all(case, CLEAN_UP).await;
        let added = case.tokens(&format!("after {round}"), 5);
        case.add(&case.first, &added).await;
        follower.catch_up(case, &case.second).await;
        follower.require_all(case, &added, "entries that were added after a clean-up");
    }
}

pub(in crate::store_suite) async fn expired_entries_are_deleted_in_batches<S: RevocationStore>(
    case: &Case<S>,
) {
    let needed = case.tokens("needed", 10);
    let expired: Vec<_> =
        case.tokens("expired", 2_500).into_iter().map(|entry| entry.until(PAST)).collect();
    case.add(&case.first, &needed).await;
    for call in expired.chunks(500) {
        case.add(&case.first, call).await;
    }
    delete_all(case, CLEAN_UP).await;
    for call in expired.chunks(100) {
        let found = case.find(&case.first, call).await;
        case.require(
            found.is_empty(),
            format_args!("no more is deleted, and {} expired entries are there", found.len()),
        );
    }
    let found = merged(&case.find(&case.first, &needed).await);
    case.require(found.len() == needed.len(), "an entry that is needed was deleted");
}

/// Deletes until nothing is left to delete.
async fn delete_all<S: RevocationStore>(case: &Case<S>, before: NumericDate) {
    require_batches(case, async || case.first.delete_expired(before).await).await;
}
