//! The properties of a store of used tokens.

use std::collections::HashSet;

use portcullis::{
    NumericDate,
    revocation::{ReplayStore, Use},
};

use super::{
    case::{CLEAN_UP, Case, NEEDED, PAST, require_batches},
    join::join_all,
    odd_ids::{odd_ids, pairs_with_separators},
};

pub(super) async fn the_second_use_is_a_replay<S: ReplayStore>(case: &Case<S>) {
    let first = case.consume(&case.first, "once", NEEDED).await;
    case.require(first == Use::First, "the first use is a replay");
    for store in [&case.first, &case.second] {
        let second = case.consume(store, "once", NEEDED).await;
        case.require(second == Use::Replayed, "a later use is the first");
    }
}

pub(super) async fn one_of_concurrent_uses_is_the_first<S: ReplayStore>(case: &Case<S>) {
    for round in 0..5 {
        let jti = format!("race {round}");
        let calls = (0..50).map(|number| {
            let store = case.handle(number);
            case.consume(store, &jti, NEEDED)
        });
        let firsts = join_all(calls).await.into_iter().filter(|it| *it == Use::First).count();
        case.require(
            firsts == 1,
            format_args!("of 50 concurrent uses by two handles, {firsts} are the first"),
        );
    }
}

pub(super) async fn issuers_are_kept_apart<S: ReplayStore>(case: &Case<S>) {
    for issuer in [case.issuer.clone(), format!("{}/other", case.issuer)] {
        let first = case.consume_of(&case.first, &issuer, "shared", NEEDED).await;
        case.require(first == Use::First, "the id of another issuer's token counts as used");
    }
}

pub(super) async fn odd_ids_stay_apart<S: ReplayStore>(case: &Case<S>) {
    let ids = odd_ids().into_iter().map(|id| (case.issuer.clone(), id));
    let issuers = odd_ids().into_iter().map(|id| (format!("{}/{id}", case.issuer), "x".to_owned()));
    let mut used = HashSet::new();
    for (issuer, id) in ids.chain(issuers).chain(pairs_with_separators(&case.issuer)) {
        let is_new = used.insert((issuer.clone(), id.clone()));
        let first = case.consume_of(&case.first, &issuer, &id, NEEDED).await;
        case.require(
            (first == Use::First) == is_new,
            format_args!("the first use of {id:?} of {issuer:?} is a replay"),
        );
        let second = case.consume_of(&case.second, &issuer, &id, NEEDED).await;
        case.require(
            second == Use::Replayed,
            format_args!("the second use of {id:?} of {issuer:?} is the first"),
        );
    }
}

pub(super) async fn dates_far_away_are_kept<S: ReplayStore>(case: &Case<S>) {
    for until in [NEEDED.seconds(), 4_294_967_296, 253_402_300_799, i64::MAX] {
        let jti = until.to_string();
        let until = NumericDate::from_seconds(until);
        case.consume(&case.first, &jti, until).await;
        let second = case.consume(&case.second, &jti, until).await;
        case.require(
            second == Use::Replayed,
            format_args!("an id that is needed until {until:?} is forgotten"),
        );
    }
}

pub(super) async fn preparing_again_forgets_nothing<S: ReplayStore>(case: &Case<S>) {
    case.consume(&case.first, "kept", NEEDED).await;
    let stores = [&case.first, &case.second, &case.first, &case.second];
    for prepared in join_all(stores.iter().map(|store| store.prepare())).await {
        case.expect("one of several concurrent calls of prepare", prepared);
    }
    let again = case.consume(&case.second, "kept", NEEDED).await;
    case.require(again == Use::Replayed, "prepare forgets ids");
}

pub(super) async fn ids_that_are_needed_stay<S: ReplayStore>(case: &Case<S>) {
    let needed = [("at that time", CLEAN_UP), ("later", NEEDED)];
    for (jti, until) in needed {
        case.consume(&case.first, jti, until).await;
    }
    require_batches(case, async || case.first.delete_expired(CLEAN_UP).await).await;
    for (jti, until) in needed {
        let again = case.consume(&case.second, jti, until).await;
        case.require(
            again == Use::Replayed,
            format_args!("a clean-up before {CLEAN_UP:?} deletes an id of {until:?}"),
        );
    }
}

pub(super) async fn expired_ids_are_deleted_in_batches<S: ReplayStore>(case: &Case<S>) {
    let ids: Vec<String> = (0..1_200).map(|number| format!("expired {number}")).collect();
    for call in ids.chunks(50) {
        join_all(call.iter().map(|jti| case.consume(&case.first, jti, PAST))).await;
    }
    require_batches(case, async || case.first.delete_expired(CLEAN_UP).await).await;
    for jti in ids.iter().step_by(100) {
        let again = case.consume(&case.first, jti, PAST).await;
        case.require(again == Use::First, "no more is deleted, and an expired id is there");
    }
}
