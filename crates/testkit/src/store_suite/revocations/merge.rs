//! An entry that is added again.

use std::time::Duration;

use portcullis::{
    NumericDate,
    revocation::{Revocation, RevocationStore, Revoked},
};

use super::{covers, follower::Follower, key, merge, merged, seconds};
use crate::store_suite::{
    case::{Case, NEEDED},
    join::join_all,
};

pub(in crate::store_suite) async fn a_later_end_replaces_an_earlier_one<S: RevocationStore>(
    case: &Case<S>,
) {
    for (name, revoked) in kinds() {
        let early = Revocation::new(case.issuer.as_str(), revoked).until(NEEDED);
        let late = early.clone().until(later(1));
        case.add(&case.first, std::slice::from_ref(&early)).await;
        case.add(&case.second, std::slice::from_ref(&late)).await;
        require(case, &late, name).await;
    }
}

pub(in crate::store_suite) async fn an_earlier_end_changes_nothing<S: RevocationStore>(
    case: &Case<S>,
) {
    for (name, revoked) in kinds() {
        let early = Revocation::new(case.issuer.as_str(), revoked).until(NEEDED);
        let late = early.clone().until(later(1));
        case.add(&case.first, std::slice::from_ref(&late)).await;
        case.add(&case.second, std::slice::from_ref(&early)).await;
        require(case, &late, name).await;
    }
}

pub(in crate::store_suite) async fn no_end_is_the_latest<S: RevocationStore>(case: &Case<S>) {
    let forever = |id: &str| Revocation::new(case.issuer.as_str(), Revoked::Key(id.into()));
    case.add(&case.first, &[forever("none first")]).await;
    case.add(&case.first, &[forever("none first").until(NEEDED)]).await;
    require(case, &forever("none first"), "an end after none").await;
    case.add(&case.first, &[forever("none last").until(NEEDED)]).await;
    case.add(&case.first, &[forever("none last")]).await;
    require(case, &forever("none last"), "none after an end").await;
}

pub(in crate::store_suite) async fn cut_off_and_end_are_merged_apart<S: RevocationStore>(
    case: &Case<S>,
) {
    let subject = |cut_off| Revoked::Subject("alice".into(), seconds(cut_off));
    let client = |cut_off| Revoked::Client("shop".into(), seconds(cut_off));
    let pairs = [
        (subject(2_000), Some(later(0)), subject(1_000), Some(later(1))),
        (subject(3_000), Some(later(0)), subject(4_000), Some(later(1))),
        (subject(9_000), Some(later(2)), subject(8_000), None),
        (client(2_000), Some(later(1)), client(1_000), Some(later(0))),
        (client(3_000), None, client(4_000), Some(later(1))),
    ];
    for (one, one_until, other, other_until) in pairs {
        let one = with_until(case.entry(one), one_until);
        let other = with_until(case.entry(other), other_until);
        case.add(&case.first, std::slice::from_ref(&one)).await;
        case.add(&case.second, std::slice::from_ref(&other)).await;
        require(case, &merge(&one, other), "the later cut-off and the later end").await;
    }
}

pub(in crate::store_suite) async fn concurrent_changes_are_all_merged<S: RevocationStore>(
    case: &Case<S>,
) {
    let entry = |number: u32| {
        // The largest cut-off and the latest end are in different calls.
        let cut_off = seconds(i64::from((number * 7) % 20));
        case.entry(Revoked::Subject("bob".into(), cut_off)).until(later(number))
    };
    let entries: Vec<[Revocation; 1]> = (0..20).map(|number| [entry(number)]).collect();
    let adds = entries.iter().enumerate().map(|(number, entry)| {
        let store = case.handle(number);
        case.add(store, entry)
    });
    join_all(adds).await;
    let expected = case.entry(Revoked::Subject("bob".into(), seconds(19))).until(later(19));
    require(case, &expected, "20 calls at once").await;
}

/// Fails unless both `find` and `read` return the entry with these times.
async fn require<S: RevocationStore>(case: &Case<S>, expected: &Revocation, what: &str) {
    let found = case.find(&case.first, std::slice::from_ref(expected)).await;
    let found = merged(&found).remove(&key(expected));
    case.require(
        found
            .as_ref()
            .is_some_and(|found| covers(found, expected) && found.until == expected.until),
        format_args!("{what}: {expected:?} is found as {found:?}"),
    );
    let mut follower = Follower::default();
    follower.catch_up(case, &case.second).await;
    follower.require_all(case, std::slice::from_ref(expected), what);
}

fn kinds() -> [(&'static str, Revoked); 5] {
    [
        ("a token", Revoked::Token("a token".into())),
        ("a subject", Revoked::Subject("a subject".into(), seconds(1_000))),
        ("a session", Revoked::Session("a session".into())),
        ("a client", Revoked::Client("a client".into(), seconds(1_000))),
        ("a key", Revoked::Key("a key".into())),
    ]
}

fn later(seconds: u32) -> NumericDate {
    NEEDED.saturating_add(Duration::from_secs(seconds.into()))
}

fn with_until(mut entry: Revocation, until: Option<NumericDate>) -> Revocation {
    entry.until = until;
    entry
}
