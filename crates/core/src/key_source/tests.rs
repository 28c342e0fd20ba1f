//! The state machine that says when to fetch, without a clock or a source.

use std::time::Duration;

use super::{
    schedule::{KeyIdUse, Miss, RefreshPolicy, Schedule},
    seen::SeenKeyIds,
};
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
    schedule.succeed(now, lifetime);
    schedule.finish();
}

fn fail(schedule: &mut Schedule, now: NumericDate) {
    schedule.fail(now, None);
    schedule.finish();
}

/// A miss, and the fetch that it causes, if any.
fn miss(schedule: &mut Schedule, key_id: &str, now: NumericDate) -> bool {
    let fetches = schedule.miss(Some(key_id), None, now) == Miss::Fetch;
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
fn new_key_ids_pay_for_3_fetches_and_one_more_each_10_seconds() {
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
    // It never pays for more than three at once.
    assert_eq!(fetches(&mut schedule, at(10_000_000)), 3);
    // A clock that goes back stops it for one turn at most.
    assert_eq!(fetches(&mut schedule, at(5_000)), 0);
    assert_eq!(fetches(&mut schedule, at(15_000)), 1);
}

#[test]
fn key_ids_that_were_seen_pay_for_2_fetches_and_one_more_each_5_seconds() {
    let mut schedule = started(RefreshPolicy::default());
    // Seen, and not answered yet: no fetch has begun since.
    let key_ids: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    assert!(key_ids.iter().filter(|key_id| miss(&mut schedule, key_id, START)).count() == 3);
    let fetches = |schedule: &mut Schedule, now: NumericDate| {
        key_ids.iter().filter(|key_id| miss(schedule, key_id, now)).count()
    };
    // One fetch answers them all, for five seconds.
    assert_eq!(fetches(&mut schedule, at(0)), 1);
    assert_eq!(fetches(&mut schedule, at(4_999)), 0);
    assert_eq!(fetches(&mut schedule, at(5_000)), 1);
    assert_eq!(fetches(&mut schedule, at(9_999)), 0);
    assert_eq!(fetches(&mut schedule, at(10_000)), 1);
    // None of this was paid by what new ones pay with.
    for number in 10..13 {
        assert_eq!(miss(&mut schedule, &number.to_string(), at(10_000)), number == 10);
    }
}

#[test]
fn bad_signatures_pay_for_one_fetch_a_minute_and_for_no_other() {
    let mut schedule = started(RefreshPolicy::default());
    for (millis, expected) in
        [(0, true), (0, false), (59_999, false), (60_000, true), (119_999, false), (600_000, true)]
    {
        let fetches = schedule.mismatch(at(millis)) == Miss::Fetch;
        assert_eq!(fetches, expected, "{millis}");
        if fetches {
            assert!(schedule.begin(at(millis)));
            succeed(&mut schedule, at(millis), None);
        }
    }
    for key_id in ["a", "b", "c"] {
        assert!(miss(&mut schedule, key_id, at(600_000)));
    }
}

#[test]
fn one_token_that_asks_twice_counts_once() {
    let mut schedule = started(RefreshPolicy::default());
    for number in 0..3 {
        assert!(miss(&mut schedule, &number.to_string(), START));
    }
    let due = schedule.next_due();
    schedule.refill_for_test();
    assert!(schedule.begin(due));
    assert_eq!(schedule.miss(Some("junk"), None, due), Miss::JoinLate(KeyIdUse::First));
    assert_eq!(schedule.miss(Some("junk"), None, due), Miss::JoinLate(KeyIdUse::Later));
    succeed(&mut schedule, due, None);
    assert_eq!(schedule.miss(Some("junk"), Some(KeyIdUse::First), due), Miss::Fetch);
    assert!(schedule.begin(due));
    succeed(&mut schedule, due, None);
    // What was paid was the first use: two more of others are left, and both later uses.
    let paid = ["a", "b", "c"].map(|key_id| miss(&mut schedule, key_id, due));
    assert_eq!(paid, [true, true, false]);
}

#[test]
fn a_fetch_that_fails_was_paid_for_and_judges_no_key_id() {
    let mut schedule = started(RefreshPolicy::default());
    for _ in 0..3 {
        assert_eq!(schedule.miss(Some("new"), None, START), Miss::Fetch);
        assert!(schedule.begin(START));
        fail(&mut schedule, START);
    }
    assert_eq!(schedule.miss(Some("new"), None, START), Miss::NotNow);
    assert_eq!(schedule.miss(Some("new"), None, seconds(5)), Miss::Fetch);
}

#[test]
fn a_request_that_has_waited_in_vain_ends_the_wait_of_others_until_the_next_fetch() {
    let mut schedule = Schedule::new(RefreshPolicy::default(), START);
    assert!(schedule.begin(START));
    assert!(matches!(schedule.miss(None, None, at(500)), Miss::JoinLate(_)));
    // One that has waited for several fetches gives up early in the last one.
    schedule.give_up(at(999));
    assert!(matches!(schedule.miss(None, None, at(999)), Miss::JoinLate(_)));
    schedule.give_up(at(1_000));
    assert_eq!(schedule.miss(None, None, at(1_000)), Miss::NotNow);
    assert_eq!(schedule.mismatch(at(1_000)), Miss::NotNow);
    fail(&mut schedule, at(5_000));
    assert_eq!(schedule.miss(None, None, at(5_000)), Miss::Fetch);
    assert_eq!(schedule.miss(None, None, at(5_000)), Miss::Join);
}

proptest::proptest! {
    /// The invariant of rule 7: while the source is healthy, an unknown key id is 401, by keys that are no
    /// older than a bucket takes to pay again.
    #[test]
    fn while_the_source_is_healthy_no_arrival_of_tokens_leaves_a_key_id_undecided(
        arrivals in proptest::collection::vec((0..4_000_u64, 0..12_u8, 0..900_u64), 1..200),
        steps in proptest::collection::vec((0..200_usize, -7_200_000..7_200_000_i64), 0..3),
    ) {
        let mut schedule = started(RefreshPolicy::default());
        let (mut now, mut begun) = (seconds(100_000), START);
        for (index, (pause, key_id, duration)) in arrivals.into_iter().enumerate() {
            now = now.saturating_add(Duration::from_millis(pause));
            for (_, step) in steps.iter().filter(|(at, _)| *at == index) {
                let by = Duration::from_millis(step.unsigned_abs());
                now = if *step < 0 { now.saturating_sub(by) } else { now.saturating_add(by) };
            }
            // A scheduled fetch may be late.
            if key_id % 2 == 0 && schedule.begin(now) {
                begun = now;
                now = now.saturating_add(Duration::from_millis(duration));
                succeed(&mut schedule, now, None);
            }
            // Ids from 8 on are new each time.
            let key_id = if key_id < 8 { key_id.to_string() } else { format!("new {index}") };
            match schedule.miss(Some(&key_id), None, now) {
                Miss::Fetch => {
                    assert!(schedule.begin(now));
                    begun = now;
                    now = now.saturating_add(Duration::from_millis(duration));
                    succeed(&mut schedule, now, None);
                }
                Miss::Unknown if steps.is_empty() => {
                    let age = now.saturating_since(begun);
                    proptest::prop_assert!(age <= Duration::from_secs(10), "{age:?}");
                }
                Miss::Unknown => {}
                outcome => proptest::prop_assert!(false, "{outcome:?}"),
            }
        }
    }
}

#[test]
fn a_fetch_that_a_token_asked_for_and_that_fails_never_puts_the_scheduled_one_off() {
    let mut schedule = started(RefreshPolicy::default());
    let fail_a_miss = |schedule: &mut Schedule, now| {
        assert_eq!(schedule.miss(Some("new"), None, now), Miss::Fetch);
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
    assert_eq!(schedule.miss(Some("new"), None, due), Miss::Fetch);
    assert!(schedule.begin(due));
    fail(&mut schedule, due);
    assert!(schedule.next_due() > due);
    assert!(!schedule.begin(due));
}

#[test]
fn who_asks_before_a_fetch_begins_joins_it_and_who_asks_later_is_not_judged_by_it() {
    let mut schedule = started(RefreshPolicy::default());
    assert_eq!(schedule.miss(Some("first"), None, START), Miss::Fetch);
    assert_eq!(schedule.miss(Some("second"), None, START), Miss::Join);
    assert!(schedule.begin(START));
    assert!(!schedule.begin(START));
    let late = Miss::JoinLate(KeyIdUse::First);
    assert_eq!(schedule.miss(Some("third"), None, START), late);
    schedule.succeed(START, None);
    // Until requests see the new keys, nobody starts another.
    assert_eq!(schedule.miss(Some("fourth"), None, START), late);
    schedule.finish();
    for (key_id, expected) in
        [("first", Miss::Unknown), ("second", Miss::Unknown), ("third", Miss::Fetch)]
    {
        assert_eq!(schedule.miss(Some(key_id), None, START), expected, "{key_id}");
    }
}

#[test]
fn a_key_id_that_a_fetch_did_not_bring_starts_none_for_5_seconds() {
    let mut schedule = started(RefreshPolicy::default());
    assert!(miss(&mut schedule, "junk", START));
    assert!(!miss(&mut schedule, "junk", at(4_999)));
    assert!(miss(&mut schedule, "junk", at(5_000)));
    // A clock that is set back leaves no answer from the future.
    let hour_ago = START.saturating_sub(Duration::from_secs(3600));
    assert!(miss(&mut schedule, "junk", hour_ago));
}

#[test]
fn key_ids_are_remembered_for_60_seconds_and_the_newest_16384_of_them() {
    let mut seen = SeenKeyIds::default();
    let mut is_new = |key_id: usize, now| seen.first_use(&key_id.to_string(), 1, now).is_none();
    assert!(is_new(0, START));
    assert!(!is_new(0, at(59_999)));
    assert!(is_new(0, at(60_000)));
    assert!(!is_new(0, at(60_000)));
    for key_id in 1..=16_384 {
        assert!(is_new(key_id, at(60_000)));
    }
    assert!(!is_new(1, at(60_000)));
    assert!(is_new(0, at(60_000)));
    // Those of a flood are forgotten little by little, and count as new before they are.
    let later = seconds(300);
    assert!(is_new(16_000, later));
    assert!(!is_new(16_000, later));
    (20_000..40_000).for_each(|key_id| assert!(is_new(key_id, later)));
    assert!(seen.len() <= 16_384);
}

#[test]
fn a_clock_that_goes_back_makes_a_fetch_due() {
    let mut schedule = started(RefreshPolicy::default());
    assert!(!schedule.begin(seconds(1)));
    assert!(schedule.begin(at(0).saturating_sub(Duration::from_secs(3600))));
}

#[test]
fn keys_from_a_time_before_the_clock_was_set_back_count_as_fresh_for_one_turn() {
    let mut schedule = started(RefreshPolicy::default());
    for number in 0..3 {
        assert!(miss(&mut schedule, &number.to_string(), START));
    }
    let hour_ago = START.saturating_sub(Duration::from_secs(3600));
    assert_eq!(schedule.miss(Some("new"), None, hour_ago), Miss::Unknown);
    let later = hour_ago.saturating_add(Duration::from_secs(10));
    assert_eq!(schedule.miss(Some("newer"), None, later), Miss::Fetch);
}

#[test]
fn keys_are_usable_until_24_hours_after_the_last_success() {
    let policy = RefreshPolicy::default();
    assert_eq!(policy.usable_until(START), Some(seconds(24 * 3600)));
    assert_eq!(policy.dangerous_unlimited_staleness().usable_until(START), None);
}
