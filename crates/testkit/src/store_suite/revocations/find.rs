//! The question of a request in strict mode.

use portcullis::revocation::{Revocation, RevocationStore, Revoked};

use super::{covers, key, merged, seconds};
use crate::store_suite::case::Case;

pub(in crate::store_suite) async fn entries_are_found_whatever_times_are_asked_for<
    S: RevocationStore,
>(
    case: &Case<S>,
) {
    let added = case.entry(Revoked::Subject("alice".into(), seconds(5_000)));
    case.add(&case.first, std::slice::from_ref(&added)).await;
    for cut_off in [0, 4_999, 5_000, 5_001, i64::MAX] {
        let asked = Revocation::new(
            case.issuer.as_str(),
            Revoked::Subject("alice".into(), seconds(cut_off)),
        );
        for wanted in [asked.clone(), asked.clone().until(seconds(0))] {
            let found = case.find(&case.second, std::slice::from_ref(&wanted)).await;
            case.require(
                found.iter().any(|found| covers(found, &added)),
                format_args!("{wanted:?} finds {found:?} and not {added:?}"),
            );
        }
    }
}

pub(in crate::store_suite) async fn only_what_is_asked_for_is_found<S: RevocationStore>(
    case: &Case<S>,
) {
    let nothing = case.find(&case.first, &[]).await;
    case.require(nothing.is_empty(), format_args!("nothing is asked for, and finds {nothing:?}"));
    case.add(&case.first, &case.tokens("there", 20)).await;
    let wanted = [case.token("there-3"), case.token("absent"), case.token("there-5")];
    let found = merged(&case.find(&case.second, &wanted).await);
    for entry in &wanted {
        let is_there = entry.revoked.id() != "absent";
        case.require(
            found.contains_key(&key(entry)) == is_there,
            format_args!("{entry:?} is in the store: {is_there}, and `find` returns {found:?}"),
        );
    }
    case.require(found.len() == 2, format_args!("2 entries are wanted and {found:?} found"));
}

pub(in crate::store_suite) async fn kinds_and_issuers_are_kept_apart<S: RevocationStore>(
    case: &Case<S>,
) {
    let all = |issuer: &str| {
        [
            Revoked::Token("x".into()),
            Revoked::Subject("x".into(), seconds(1)),
            Revoked::Session("x".into()),
            Revoked::Client("x".into(), seconds(1)),
            Revoked::Key("x".into()),
        ]
        .map(|revoked| Revocation::new(issuer, revoked).until(crate::store_suite::case::NEEDED))
    };
    let other_issuer = format!("{}/other", case.issuer);
    let wanted: Vec<_> = all(&case.issuer).into_iter().chain(all(&other_issuer)).collect();
    for (number, added) in wanted.iter().enumerate() {
        case.add(&case.first, std::slice::from_ref(added)).await;
        let found = merged(&case.find(&case.second, &wanted).await);
        let is_right = found.len() == number + 1
            && wanted.iter().take(number + 1).all(|entry| found.contains_key(&key(entry)));
        case.require(
            is_right,
            format_args!("after {} of {} were added, {found:?} is found", number + 1, wanted.len()),
        );
    }
}

pub(in crate::store_suite) async fn many_are_found_in_one_call<S: RevocationStore>(case: &Case<S>) {
    let added = case.tokens("many", 100);
    case.add(&case.first, &added).await;
    // An id that is wanted twice is one entry.
    let wanted: Vec<_> = added.iter().chain(added.iter().take(10)).cloned().collect();
    let found = merged(&case.find(&case.second, &wanted).await);
    case.require(
        added.iter().all(|entry| found.get(&key(entry)).is_some_and(|found| covers(found, entry))),
        format_args!("100 entries are wanted, and {} found", found.len()),
    );
}
