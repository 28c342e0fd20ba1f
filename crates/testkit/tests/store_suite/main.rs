//! The suite accepts a correct store, and rejects each store that has one defect.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop there"
)]

mod toy;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
};

use portcullis_testkit::store_suite;

use toy::{Defect, Toy};

const OF_REVOCATIONS: [(Defect, &str); 34] = [
    (Defect::ReadsOwnEntries, "a_read_returns_what_the_other_handle_added"),
    (Defect::FirstEndWins, "a_later_end_replaces_an_earlier_one"),
    (Defect::LastEndWins, "an_earlier_end_changes_nothing"),
    (Defect::AnEndReplacesNone, "no_end_is_the_latest"),
    (Defect::LaterEndReplacesCutOff, "cut_off_and_end_are_merged_apart"),
    (Defect::ReadsThenWrites, "concurrent_changes_are_all_merged"),
    (Defect::FindsByCutOff, "entries_are_found_whatever_times_are_asked_for"),
    (Defect::FindsAllOfIssuer, "only_what_is_asked_for_is_found"),
    (Defect::ConfusesKinds, "kinds_and_issuers_are_kept_apart"),
    (Defect::FindsTen, "many_are_found_in_one_call"),
    (Defect::SkipsOne, "a_read_after_a_position_returns_what_changed"),
    (Defect::ChangeKeepsNumber, "a_changed_entry_is_returned_again"),
    (Defect::UnknownPositionIsTheEnd, "an_unknown_position_is_an_error_or_returns_everything"),
    (Defect::UnknownPositionIsUnavailable, "an_unknown_position_is_an_error_or_returns_everything"),
    (Defect::NumbersBeforeCommit, "concurrent_adds_are_not_skipped"),
    (Defect::PrepareClears, "preparing_again_changes_nothing"),
    (Defect::AddingAgainFails, "adding_again_changes_nothing"),
    (Defect::AddingNothingFails, "adding_nothing_succeeds"),
    (Defect::RepeatedEntryFails, "one_call_may_repeat_an_entry"),
    (Defect::AddsOneByOne, "one_call_adds_all_entries_or_none"),
    (Defect::DropKeepsHalf, "a_dropped_call_adds_all_entries_or_none"),
    (Defect::JoinsByColon, "odd_ids_stay_apart"),
    (Defect::LowersCase, "odd_ids_stay_apart"),
    (Defect::CutsAtNul, "odd_ids_stay_apart"),
    (Defect::CutsAt1000, "odd_ids_stay_apart"),
    (Defect::RoundsDown, "dates_far_away_are_kept"),
    (Defect::DeletesWithoutEnd, "entries_that_are_needed_stay"),
    (Defect::DeletesTooEarly, "entries_that_are_needed_stay"),
    (Defect::ReusesNumbers, "a_position_outlives_a_clean_up"),
    (Defect::DeletesAllAtOnce, "expired_entries_are_deleted_in_batches"),
    (Defect::DeletesNothing, "expired_entries_are_deleted_in_batches"),
    (Defect::EndsAfterOnePage, "pages_return_everything_and_end"),
    (Defect::SamePageForever, "pages_return_everything_and_end"),
    (Defect::SnapshotWithoutPosition, "changes_between_pages_are_not_skipped"),
];

const OF_REPLAYS: [(Defect, &str); 11] = [
    (Defect::UsesPerHandle, "the_second_use_is_a_replay"),
    (Defect::ChecksThenInserts, "one_of_concurrent_uses_is_the_first"),
    (Defect::ForgetsIssuer, "issuers_are_kept_apart"),
    (Defect::JoinsByColon, "odd_ids_stay_apart"),
    (Defect::LowersCase, "odd_ids_stay_apart"),
    (Defect::CutsAtNul, "odd_ids_stay_apart"),
    (Defect::ReadsEndAs32Bits, "dates_far_away_are_kept"),
    (Defect::PrepareClears, "preparing_again_forgets_nothing"),
    (Defect::DeletesTooEarly, "ids_that_are_needed_stay"),
    (Defect::DeletesAllAtOnce, "expired_ids_are_deleted_in_batches"),
    (Defect::DeletesNothing, "expired_ids_are_deleted_in_batches"),
];

#[test]
fn accepts_a_correct_store_of_revocations() {
    let store = Toy::new(Defect::None);
    block_on(store_suite::revocations(async || store.clone()));
}

#[test]
fn accepts_a_correct_store_of_used_tokens() {
    let store = Toy::new(Defect::None);
    block_on(store_suite::replays(async || store.clone()));
}

#[test]
fn can_run_again_on_the_same_data() {
    let store = Toy::new(Defect::None);
    block_on(store_suite::replays(async || store.clone()));
    block_on(store_suite::replays(async || store.clone()));
}

#[test]
fn rejects_each_defect_of_a_store_of_revocations() {
    for (defect, property) in OF_REVOCATIONS {
        let store = Toy::new(defect);
        let text = panic_text(|| block_on(store_suite::revocations(async || store.clone())));
        require(defect, property, text.as_deref());
    }
}

#[test]
fn rejects_each_defect_of_a_store_of_used_tokens() {
    for (defect, property) in OF_REPLAYS {
        let store = Toy::new(defect);
        let text = panic_text(|| block_on(store_suite::replays(async || store.clone())));
        require(defect, property, text.as_deref());
    }
}

fn require(defect: Defect, property: &str, text: Option<&str>) {
    let expected = format!("store `toy` fails `{property}`: ");
    assert!(
        text.is_some_and(|text| text.starts_with(&expected)),
        "{defect:?} should fail {property}, and the suite says {text:?}",
    );
}

fn panic_text(run: impl FnOnce()) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(run)).err()?;
    payload.downcast_ref::<String>().cloned()
}

/// The toy wakes its task at once, so that polling again is all there is to do.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return value;
        }
    }
}
