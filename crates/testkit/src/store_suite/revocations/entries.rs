//! What is written is what is read.

use std::{pin::Pin, time::Duration};

use portcullis::revocation::{Revocation, RevocationStore, Revoked};

use super::{covers, follower::Follower, key, merged, seconds};
use crate::store_suite::{
    case::{Case, NEEDED},
    join::{drop_after_polls, join_all},
    odd_ids::{odd_ids, pairs_with_separators},
};

pub(in crate::store_suite) async fn preparing_again_changes_nothing<S: RevocationStore>(
    case: &Case<S>,
) {
    let added = case.tokens("kept", 10);
    case.add(&case.first, &added).await;
    let stores = [&case.first, &case.second, &case.first, &case.second];
    for prepared in join_all(stores.iter().map(|store| store.prepare())).await {
        case.expect("one of several concurrent calls of prepare", prepared);
    }
    require_exactly(case, &added, "after prepare was called again").await;
}

pub(in crate::store_suite) async fn adding_again_changes_nothing<S: RevocationStore>(
    case: &Case<S>,
) {
    let added = case.tokens("again", 10);
    for store in [&case.first, &case.second, &case.first] {
        case.add(store, &added).await;
    }
    require_exactly(case, &added, "after the same entries were added three times").await;
}

pub(in crate::store_suite) async fn adding_nothing_succeeds<S: RevocationStore>(case: &Case<S>) {
    case.add(&case.first, &[]).await;
}

pub(in crate::store_suite) async fn one_call_may_repeat_an_entry<S: RevocationStore>(
    case: &Case<S>,
) {
    let subject = |cut_off| case.entry(Revoked::Subject("alice".into(), seconds(cut_off)));
    let forever = Revocation::new(case.issuer.as_str(), Revoked::Token("x".into()));
    let call = [
        subject(1_000),
        forever.clone(),
        subject(3_000),
        subject(2_000),
        forever.clone().until(NEEDED),
    ];
    case.add(&case.first, &call).await;
    require_exactly(case, &[subject(3_000), forever], "one call with entries that repeat").await;
}

pub(in crate::store_suite) async fn one_call_adds_all_entries_or_none<S: RevocationStore>(
    case: &Case<S>,
) {
    for round in 0..10 {
        let added = case.tokens(&format!("round {round}"), 50);
        let add = async {
            case.add(&case.first, &added).await;
            true
        };
        let watch = async {
            watch_that_all_or_none_are_there(case, &added).await;
            false
        };
        let calls: [Pin<Box<dyn Future<Output = bool> + '_>>; 2] = [Box::pin(watch), Box::pin(add)];
        join_all(calls).await;
        require_exactly(case, &added, "after one call with 50 entries").await;
    }
}

pub(in crate::store_suite) async fn a_dropped_call_adds_all_entries_or_none<S: RevocationStore>(
    case: &Case<S>,
) {
    for polls in 0..12 {
        let added = case.tokens(&format!("dropped {polls}"), 50);
        drop_after_polls(case.first.add(&added), polls).await;
        watch_that_all_or_none_are_there(case, &added).await;
        // The handle can be used after that.
        case.add(&case.first, &added).await;
        require_exactly(case, &added, "after a call was dropped and called again").await;
    }
}

pub(in crate::store_suite) async fn odd_ids_stay_apart<S: RevocationStore>(case: &Case<S>) {
    let ids = odd_ids().into_iter().map(|id| (case.issuer.clone(), id));
    let issuers = odd_ids().into_iter().map(|id| (format!("{}/{id}", case.issuer), "x".to_owned()));
    let pairs: Vec<_> = ids.chain(issuers).chain(pairs_with_separators(&case.issuer)).collect();
    // Each has a cut-off of its own, so that two that are confused are seen.
    let entry = |number: usize, issuer: &str, id: &str| {
        let cut_off = seconds(i64::try_from(number).unwrap_or_default());
        Revocation::new(issuer, Revoked::Subject(id.into(), cut_off)).until(NEEDED)
    };
    let added: Vec<_> =
        pairs.iter().enumerate().map(|(number, (issuer, id))| entry(number, issuer, id)).collect();
    let (some, others): (Vec<_>, Vec<_>) =
        added.iter().cloned().enumerate().partition(|(number, _)| number % 2 == 0);
    let some: Vec<_> = some.into_iter().map(|(_, entry)| entry).collect();
    let others: Vec<_> = others.into_iter().map(|(_, entry)| entry).collect();
    case.add(&case.first, &some).await;
    let found = case.find(&case.second, &others).await;
    case.require(
        found.is_empty(),
        format_args!("ids that were not added are found as others: {found:?}"),
    );
    case.add(&case.first, &others).await;
    require_exactly(case, &added, "ids with odd characters").await;
}

pub(in crate::store_suite) async fn dates_far_away_are_kept<S: RevocationStore>(case: &Case<S>) {
    let year_9999 = 253_402_300_799;
    let mut added = Vec::new();
    for (number, until) in
        [NEEDED.seconds(), NEEDED.seconds() + 1, 4_294_967_296, year_9999, i64::MAX]
            .into_iter()
            .enumerate()
    {
        added.push(case.token(format!("until-{number}")).until(seconds(until)));
    }
    // Less than a second later: a store rounds up, if at all.
    let fraction = NEEDED.saturating_add(Duration::from_millis(1));
    added.push(case.token("until-fraction").until(fraction));
    added.push(Revocation::new(case.issuer.as_str(), Revoked::Key("forever".into())));
    for cut_off in [-1, 0, 1, i64::from(i32::MAX) + 1, year_9999] {
        added.push(case.entry(Revoked::Client(format!("{cut_off}").into(), seconds(cut_off))));
    }
    case.add(&case.first, &added).await;
    require_exactly(case, &added, "dates far away").await;
}

/// Fails if part of the entries stays the result of `find`: once one entry of a call is visible, all are
/// visible to the next call.
async fn watch_that_all_or_none_are_there<S: RevocationStore>(
    case: &Case<S>,
    added: &[Revocation],
) {
    let mut saw_some = false;
    for _ in 0..5 {
        let found = merged(&case.find(&case.second, added).await).len();
        let is_whole = found == 0 || found == added.len();
        case.require(
            is_whole || !saw_some,
            format_args!("{found} of {} entries of one call are there", added.len()),
        );
        case.require(found > 0 || !saw_some, "entries that were there are gone");
        saw_some |= found > 0;
    }
}

/// Fails unless `find` and a reader from the start return these entries, and `find` nothing else.
async fn require_exactly<S: RevocationStore>(case: &Case<S>, added: &[Revocation], when: &str) {
    let found = merged(&case.find(&case.second, added).await);
    case.require(
        found.len() == added.len(),
        format_args!("{when}: {} entries were added, and {} found", added.len(), found.len()),
    );
    for entry in added {
        let found = found.get(&key(entry));
        case.require(
            found.is_some_and(|found| covers(found, entry)),
            format_args!("{when}: {entry:?} is found as {found:?}"),
        );
    }
    let mut follower = Follower::default();
    follower.catch_up(case, &case.second).await;
    follower.require_all(case, added, when);
}
