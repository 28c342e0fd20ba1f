//! Tests that every store of revocations or of used tokens must pass.
//!
//! Run them in the tests of a [`RevocationStore`] or [`ReplayStore`] that you wrote. Each function takes a
//! closure that opens one more handle to the same data, as a second replica of a service does. A store that
//! keeps its data in the process returns clones that share them.
//!
//! The ids in the tests are new in each run, so that the data may be left over from an earlier one. About
//! 20,000 entries are written. Entries that are not from these tests must not be in the store:
//! the tests delete what expires before 2050.
//!
//! # Examples
//!
//! ```no_run
//! # #[derive(Clone, Debug)]
//! # struct MyStore;
//! # impl MyStore { async fn open(_url: &str) -> Self { Self } }
//! # impl portcullis::revocation::ReplayStore for MyStore {
//! #     fn label(&self) -> &str { "mine" }
//! #     fn prepare(&self) -> portcullis::future::BoxFuture<'_, Result<(), portcullis::revocation::StoreError>> {
//! #         Box::pin(async { Ok(()) })
//! #     }
//! #     fn consume<'a>(&'a self, _: &'a str, _: &'a str, _: portcullis::NumericDate)
//! #         -> portcullis::future::BoxFuture<'a, Result<portcullis::revocation::Use, portcullis::revocation::StoreError>> {
//! #         Box::pin(async { Ok(portcullis::revocation::Use::First) })
//! #     }
//! #     fn delete_expired(&self, _: portcullis::NumericDate)
//! #         -> portcullis::future::BoxFuture<'_, Result<u64, portcullis::revocation::StoreError>> {
//! #         Box::pin(async { Ok(0) })
//! #     }
//! # }
//! # async fn a_test() {
//! use portcullis_testkit::store_suite;
//!
//! store_suite::replays(async || MyStore::open("mine://localhost/test").await).await;
//! # }
//! ```

mod case;
mod join;
mod odd_ids;
mod replays;
mod revocations;
#[cfg(feature = "mint")]
mod signing_keys;

use portcullis::revocation::{ReplayStore, RevocationStore};

use case::Case;
#[cfg(feature = "mint")]
pub use signing_keys::signing_keys;

/// Runs each property, with two new handles and an issuer of its own.
macro_rules! check {
    ($make_store:ident: $($module:ident::$property:ident,)*) => {
        $(
            let first = $make_store().await;
            let second = $make_store().await;
            let case = Case::new(stringify!($property), &first.label().to_owned(), first, second);
            case.expect("prepare", case.first.prepare().await);
            case.expect("prepare of a second handle", case.second.prepare().await);
            $module::$property(&case).await;
        )*
    };
}

/// Tests a store of revocations.
///
/// # Panics
///
/// If the store does not have a property. The text names the store and the property.
pub async fn revocations<S: RevocationStore>(make_store: impl AsyncFn() -> S) {
    use revocations::{clean_up, entries, feed, find, merge};
    check! { make_store:
        feed::a_read_returns_what_the_other_handle_added,
        merge::a_later_end_replaces_an_earlier_one,
        merge::an_earlier_end_changes_nothing,
        merge::no_end_is_the_latest,
        merge::cut_off_and_end_are_merged_apart,
        merge::concurrent_changes_are_all_merged,
        find::entries_are_found_whatever_times_are_asked_for,
        find::only_what_is_asked_for_is_found,
        find::kinds_and_issuers_are_kept_apart,
        find::many_are_found_in_one_call,
        feed::a_read_after_a_position_returns_what_changed,
        feed::a_changed_entry_is_returned_again,
        feed::an_unknown_position_is_an_error_or_returns_everything,
        feed::concurrent_adds_are_not_skipped,
        entries::preparing_again_changes_nothing,
        entries::adding_again_changes_nothing,
        entries::adding_nothing_succeeds,
        entries::one_call_may_repeat_an_entry,
        entries::one_call_adds_all_entries_or_none,
        entries::a_dropped_call_adds_all_entries_or_none,
        entries::odd_ids_stay_apart,
        entries::dates_far_away_are_kept,
        clean_up::entries_that_are_needed_stay,
        clean_up::a_position_outlives_a_clean_up,
        clean_up::expired_entries_are_deleted_in_batches,
        feed::pages_return_everything_and_end,
        feed::changes_between_pages_are_not_skipped,
    }
}

/// Tests a store of used tokens.
///
/// # Panics
///
/// If the store does not have a property. The text names the store and the property.
pub async fn replays<S: ReplayStore>(make_store: impl AsyncFn() -> S) {
    check! { make_store:
        replays::the_second_use_is_a_replay,
        replays::one_of_concurrent_uses_is_the_first,
        replays::issuers_are_kept_apart,
        replays::odd_ids_stay_apart,
        replays::dates_far_away_are_kept,
        replays::preparing_again_forgets_nothing,
        replays::ids_that_are_needed_stay,
        replays::expired_ids_are_deleted_in_batches,
    }
}
