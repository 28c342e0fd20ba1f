//! A replica that follows the store skips nothing.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    time::Duration,
};

use portcullis::revocation::{Position, RevocationStore, Revoked, StoreErrorKind};

use super::{follower::Follower, seconds};
use crate::store_suite::{
    case::{Case, NEEDED},
    join::{join_all, yield_once},
};

/// More than the 10,000 entries that are usual in a page.
const MANY: usize = 10_500;
const CALL: usize = 500;

pub(in crate::store_suite) async fn a_read_returns_what_the_other_handle_added<
    S: RevocationStore,
>(
    case: &Case<S>,
) {
    let added = case.tokens("start", 10);
    case.add(&case.first, &added).await;
    for store in [&case.first, &case.second] {
        let mut follower = Follower::default();
        follower.catch_up(case, store).await;
        follower.require_all(case, &added, "a read from the start");
    }
}

pub(in crate::store_suite) async fn a_read_after_a_position_returns_what_changed<
    S: RevocationStore,
>(
    case: &Case<S>,
) {
    let mut follower = Follower::default();
    follower.catch_up(case, &case.second).await;
    for round in 0..20 {
        let added = case.tokens(&format!("round {round}"), 3);
        case.add(case.handle(round), &added).await;
        let position = follower.position();
        follower.catch_up(case, &case.second).await;
        follower.require_all(case, &added, "a read after a position");
        // Reading again after an older position returns the same again.
        let mut again = Follower::after(position);
        again.catch_up(case, &case.second).await;
        again.require_all(case, &added, "a second read after the same position");
    }
}

pub(in crate::store_suite) async fn a_changed_entry_is_returned_again<S: RevocationStore>(
    case: &Case<S>,
) {
    let subject = |cut_off| case.entry(Revoked::Subject("alice".into(), seconds(cut_off)));
    case.add(&case.first, &[subject(1_000)]).await;
    case.add(&case.first, &case.tokens("between", 5)).await;
    let mut follower = Follower::default();
    follower.catch_up(case, &case.second).await;
    case.add(&case.first, &[subject(2_000)]).await;
    follower.catch_up(case, &case.second).await;
    follower.require_all(case, &[subject(2_000)], "a cut-off that was moved");
    let longer = subject(2_000).until(NEEDED.saturating_add(Duration::from_secs(9)));
    case.add(&case.first, std::slice::from_ref(&longer)).await;
    follower.catch_up(case, &case.second).await;
    follower.require_all(case, &[longer], "an end that was moved");
}

pub(in crate::store_suite) async fn an_unknown_position_is_an_error_or_returns_everything<
    S: RevocationStore,
>(
    case: &Case<S>,
) {
    let added = case.tokens("known", 10);
    case.add(&case.first, &added).await;
    for text in ["", "no position of this store", "-1", "\0", "\u{1f511}"] {
        let position = Position::new(text);
        match case.first.read(Some(&position)).await {
            Ok(_) => {
                let mut follower = Follower::after(Some(position));
                follower.catch_up(case, &case.first).await;
                follower.require_all(case, &added, "an unknown position was accepted");
            }
            Err(error) => case.require(
                error.kind() == StoreErrorKind::PositionLost,
                format_args!("{text:?} as position returns {:?}: {error}", error.kind()),
            ),
        }
    }
}

pub(in crate::store_suite) async fn concurrent_adds_are_not_skipped<S: RevocationStore>(
    case: &Case<S>,
) {
    let writers: usize = 8;
    let running = Cell::new(writers);
    let acknowledged = RefCell::new(Vec::new());
    let write = async |writer: usize| {
        for round in 0..12 {
            // Calls of several sizes take different times, and end in another order than they began.
            let added = case.tokens(&format!("writer {writer} round {round}"), 1 + writer * 6);
            case.add(case.handle(writer), &added).await;
            acknowledged.borrow_mut().extend(added);
        }
        running.set(running.get() - 1);
    };
    let follow = async |store: &S| {
        let mut follower = Follower::default();
        let mut checked = 0;
        loop {
            let is_last = running.get() == 0;
            let before = acknowledged.borrow().len();
            follower.catch_up(case, store).await;
            let new: Vec<_> =
                acknowledged.borrow().iter().take(before).skip(checked).cloned().collect();
            follower.require_all(case, &new, "entries that were added before the read began");
            checked = before;
            if is_last {
                break;
            }
            yield_once().await;
        }
    };
    let mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    for writer in 0..writers {
        tasks.push(Box::pin(write(writer)));
    }
    tasks.push(Box::pin(follow(&case.first)));
    tasks.push(Box::pin(follow(&case.second)));
    join_all(tasks).await;
}

pub(in crate::store_suite) async fn pages_return_everything_and_end<S: RevocationStore>(
    case: &Case<S>,
) {
    let mut early = Follower::default();
    early.catch_up(case, &case.second).await;
    let added = case.tokens("page", MANY);
    for call in added.chunks(CALL) {
        case.add(&case.first, call).await;
    }
    early.catch_up(case, &case.second).await;
    early.require_all(case, &added, "pages after a position");
    let mut late = Follower::default();
    late.catch_up(case, &case.second).await;
    late.require_all(case, &added, "pages from the start");
}

pub(in crate::store_suite) async fn changes_between_pages_are_not_skipped<S: RevocationStore>(
    case: &Case<S>,
) {
    let subject = |number: usize, cut_off| {
        case.entry(Revoked::Subject(format!("subject {number}").into(), seconds(cut_off)))
    };
    let before: Vec<_> = (0..MANY).map(|number| subject(number, 1_000)).collect();
    for call in before.chunks(CALL) {
        case.add(&case.first, call).await;
    }
    let mut follower = Follower::default();
    let mut changed = Vec::new();
    let mut page = 0;
    loop {
        let has_more = follower.read_page(case, &case.second).await;
        if !has_more {
            break;
        }
        // One that was read in the first page, one that was probably not read yet, and a new one.
        let change =
            [subject(page, 2_000), subject(MANY - 1 - page, 2_000), subject(MANY + page, 2_000)];
        if page < CALL {
            case.add(&case.first, &change).await;
            changed.extend(change);
        }
        page += 1;
    }
    follower.catch_up(case, &case.second).await;
    follower.require_all(case, &changed, "entries that changed between two pages");
}
