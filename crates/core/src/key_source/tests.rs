//! The state machine that says when to fetch, without a clock or a source.

use std::time::Duration;

use super::schedule::{Miss, RefreshPolicy, Schedule};
use crate::NumericDate;

const START: NumericDate = NumericDate::from_seconds(1_800_000_000);

fn at(millis: u64) -> NumericDate {
    START.saturating_add(Duration::from_millis(millis))
}

fn seconds(count: u64) -> NumericDate {
    at(count * 1000)
}

/// A schedule whose first fetch was good.
fn started(policy: RefreshPolicy) -> Schedule {
    let mut schedule = Schedule::new(policy, START);
    assert!(schedule.begin(START));
    succeed(&mut schedule, START, None);
    schedule
}

fn succeed(schedule: &mut Schedule, now: NumericDate, lifetime: Option<Duration>) {
    schedule.succeed(now, lifetime, |_| false);
    schedule.finish();
}

fn fail(schedule: &mut Schedule, now: NumericDate) {
    schedule.fail(now, None);
    schedule.finish();
}

/// A miss, and the fetch that it causes, if any.
fn miss(schedule: &mut Schedule, key_id: &str, now: NumericDate) -> bool {
    let fetches = schedule.miss(Some(key_id), now) == Miss::Fetch;
    if fetches {
        assert!(schedule.begin(now));
        succeed(schedule, now, None);
    }
    fetches
}

#[test]
fn the_first_fetch_is_due_at_once() {
    let mut schedule = Schedule::new(RefreshPolicy::default(), START);
    assert_eq!(schedule.next_due(), START);
    assert!(schedule.begin(START));
}

#[test]
fn jitter_moves_80_percent_of_life_by_5_percent_at_most_and_not_always_alike() {
    let mut schedule = started(RefreshPolicy::default());
    let mut delays = std::collections::BTreeSet::new();
    for _ in 0..1000 {
        succeed(&mut schedule, START, None);
        let delay = schedule.next_due().saturating_since(START).as_millis();
        assert!((456_000..=504_000).contains(&delay), "{delay}");
        delays.insert(delay);
    }
    assert!(delays.len() > 50, "{}", delays.len());
}

#[test]
fn a_lifetime_that_a_document_names_is_clamped_and_a_configured_one_is_not() {
    let policy = RefreshPolicy::default;
    let secs = Duration::from_secs;
    for (policy, named, expected) in [
        (policy(), None, 600),
        (policy(), Some(secs(0)), 30),
        (policy(), Some(secs(29)), 30),
        (policy(), Some(secs(100)), 100),
        (policy(), Some(secs(86_401)), 86_400),
        (policy(), Some(Duration::MAX), 86_400),
        (policy().refresh(secs(5)), None, 5),
        (policy().refresh(secs(5)), Some(secs(5)), 30),
        (policy().refresh(secs(0)), None, 1),
        (policy().min_refresh(secs(0)), Some(secs(0)), 1),
        (RefreshPolicy::every(secs(900)), None, 900),
        (RefreshPolicy::every(secs(900)), Some(secs(60)), 900),
        (RefreshPolicy::every(secs(5)), Some(secs(60)), 5),
        // Limits that contradict each other: the shortest wins.
        (policy().min_refresh(secs(100)).max_refresh(secs(10)), Some(secs(50)), 100),
    ] {
        let mut schedule = started(policy);
        succeed(&mut schedule, START, named);
        let millis = u128::from(expected * 800_u32);
        let delay = schedule.next_due().saturating_since(START).as_millis();
        assert!((millis * 95 / 100..=millis * 105 / 100).contains(&delay), "{named:?} {delay}");
    }
}

#[test]
fn backoff_doubles_from_1_to_60_seconds_and_a_success_ends_it() {
    let mut schedule = started(RefreshPolicy::default());
    for expected in [1, 2, 4, 8, 16, 32, 60, 60, 60, 60] {
        fail(&mut schedule, START);
        let delay = schedule.next_due().saturating_since(START).as_millis();
        assert!((expected * 950..=expected * 1050).contains(&delay), "{expected} {delay}");
    }
    assert_eq!(schedule.failures(), 10);
    succeed(&mut schedule, START, None);
    assert_eq!(schedule.failures(), 0);
    fail(&mut schedule, START);
    assert!(schedule.next_due() <= at(1050));
}

#[test]
fn the_bucket_pays_for_3_fetches_and_one_more_each_10_seconds() {
    let mut schedule = started(RefreshPolicy::default());
    let mut kid = (0..).map(|number| number.to_string());
    let mut fetches = |schedule: &mut Schedule, now| {
        (0..10).filter(|_| miss(schedule, &kid.next().unwrap(), now)).count()
    };
    assert_eq!(fetches(&mut schedule, at(0)), 3);
    assert_eq!(fetches(&mut schedule, at(9_999)), 0);
    assert_eq!(fetches(&mut schedule, at(10_000)), 1);
    assert_eq!(fetches(&mut schedule, at(19_999)), 0);
    // Half a turn is not lost.
    assert_eq!(fetches(&mut schedule, at(35_000)), 2);
    assert_eq!(fetches(&mut schedule, at(40_000)), 1);
    // It never holds more than three.
    assert_eq!(fetches(&mut schedule, at(10_000_000)), 3);
    // A clock that goes back stops it for one turn at most.
    assert_eq!(fetches(&mut schedule, at(5_000)), 0);
    assert_eq!(fetches(&mut schedule, at(15_000)), 1);
}

#[test]
fn a_fetch_that_fails_was_paid_for_and_judges_no_key_id() {
    let mut schedule = started(RefreshPolicy::default());
    for _ in 0..3 {
        assert_eq!(schedule.miss(Some("new"), START), Miss::Fetch);
        assert!(schedule.begin(START));
        fail(&mut schedule, START);
    }
    assert_eq!(schedule.miss(Some("new"), START), Miss::NotNow);
    assert_eq!(schedule.miss(Some("new"), seconds(10)), Miss::Fetch);
}

#[test]
fn a_fetch_that_a_token_asked_for_and_that_fails_never_puts_the_scheduled_one_off() {
    let mut schedule = started(RefreshPolicy::default());
    let fail_a_miss = |schedule: &mut Schedule, now| {
        assert_eq!(schedule.miss(Some("new"), now), Miss::Fetch);
        assert!(schedule.begin(now));
        fail(schedule, now);
        schedule.refill_for_test();
    };
    // While all was well, the next try comes after the first backoff.
    fail_a_miss(&mut schedule, START);
    let due = schedule.next_due();
    assert!((950..=1050).contains(&due.saturating_since(START).as_millis()));
    for millis in [100, 500, 900] {
        fail_a_miss(&mut schedule, at(millis));
        assert_eq!(schedule.next_due(), due);
    }
    // They count as failures, and lengthen no backoff: after the first one comes the second.
    assert_eq!(schedule.failures(), 4);
    for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
        let due = schedule.next_due();
        assert!(schedule.begin(due));
        fail(&mut schedule, due);
        let next = schedule.next_due();
        let delay = next.saturating_since(due).as_millis();
        assert!((expected * 950..=expected * 1050).contains(&delay), "{expected} {delay}");
        fail_a_miss(&mut schedule, due.saturating_add(Duration::from_millis(900)));
        assert!(schedule.next_due() <= next, "{expected}");
    }
}

#[test]
fn a_fetch_that_was_due_and_asked_for_counts_as_the_scheduled_one() {
    let mut schedule = started(RefreshPolicy::default());
    let due = schedule.next_due();
    assert_eq!(schedule.miss(Some("new"), due), Miss::Fetch);
    assert!(schedule.begin(due));
    fail(&mut schedule, due);
    assert!(schedule.next_due() > due);
    assert!(!schedule.begin(due));
}

#[test]
fn who_asks_before_a_fetch_begins_joins_it_and_who_asks_later_is_not_judged_by_it() {
    let mut schedule = started(RefreshPolicy::default());
    assert_eq!(schedule.miss(Some("first"), START), Miss::Fetch);
    assert_eq!(schedule.miss(Some("second"), START), Miss::Join);
    assert!(schedule.begin(START));
    assert!(!schedule.begin(START));
    assert_eq!(schedule.miss(Some("third"), START), Miss::JoinLate);
    schedule.succeed(START, None, |_| false);
    // Until requests see the new keys, nobody starts another.
    assert_eq!(schedule.miss(Some("fourth"), START), Miss::JoinLate);
    schedule.finish();
    for (key_id, expected) in
        [("first", Miss::Unknown), ("second", Miss::Unknown), ("third", Miss::Fetch)]
    {
        assert_eq!(schedule.miss(Some(key_id), START), expected, "{key_id}");
    }
}

#[test]
fn a_key_id_is_unknown_for_60_seconds_and_until_a_fetch_brings_it() {
    let mut schedule = started(RefreshPolicy::default());
    assert!(miss(&mut schedule, "junk", START));
    assert!(!miss(&mut schedule, "junk", at(59_999)));
    assert!(miss(&mut schedule, "junk", at(60_000)));
    schedule.succeed(at(60_000), None, |key_id| key_id == "junk");
    assert!(miss(&mut schedule, "junk", at(60_001)));
}

#[test]
fn of_unknown_key_ids_the_newest_1024_are_remembered() {
    let mut schedule = started(RefreshPolicy::default());
    let mut now = START;
    // 64 by each fetch; with ten seconds between them the minute would be over first.
    let mut number = 0;
    for _ in 0..20 {
        now = now.saturating_add(Duration::from_secs(1));
        for _ in 0..64 {
            let miss = schedule.miss(Some(&number.to_string()), now);
            assert!(matches!(miss, Miss::Fetch | Miss::Join), "{miss:?}");
            number += 1;
        }
        assert!(schedule.begin(now));
        succeed(&mut schedule, now, None);
        schedule.refill_for_test();
    }
    let unknown = |number: i32| schedule.knows_as_unknown(&number.to_string(), now);
    assert_eq!([0, 255, 256, 1279].map(unknown), [false, false, true, true]);
}

#[test]
fn a_clock_that_goes_back_makes_a_fetch_due() {
    let mut schedule = started(RefreshPolicy::default());
    assert!(!schedule.begin(seconds(1)));
    assert!(schedule.begin(at(0).saturating_sub(Duration::from_secs(3600))));
}

#[test]
fn keys_are_usable_until_24_hours_after_the_last_success() {
    let policy = RefreshPolicy::default();
    assert_eq!(policy.usable_until(START), Some(seconds(24 * 3600)));
    assert_eq!(policy.dangerous_unlimited_staleness().usable_until(START), None);
}
