use super::*;

const TIMING: Timing = Timing {
    read_every: Duration::from_secs(1),
    publish_ahead: Duration::from_secs(10),
    rotate_every: Duration::from_secs(100),
    max_lifetime: Duration::from_secs(60),
};

/// 3 s, in which all replicas read the store, 2 s for their engines, and 10 s ahead.
const SETTLED: u64 = 15;

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(1_800_000_000 + seconds)
}

fn key(id: &str) -> StoredKey {
    StoredKey::new(id, "EdDSA", [1])
}

fn signs_from(id: &str, seconds: i64) -> StoredKey {
    key(id).with_times(TIMING.times(at(0), at(seconds)))
}

fn state(keys: &[StoredKey], now: i64) -> StoredKeys {
    let mut keys = keys.to_vec();
    sort(&mut keys);
    StoredKeys::new(keys, 1, at(now))
}

fn times(keys: &[StoredKey], id: &str) -> KeyTimes {
    keys.iter().find(|key| *key.id == *id).unwrap().times.unwrap()
}

fn written(step: Step) -> Vec<StoredKey> {
    match step {
        Step::Write(keys) => keys,
        step => panic!("{step:?}"),
    }
}

#[test]
fn the_time_until_a_key_signs_is_counted_from_the_read_that_returned_it() {
    let waiting = [signs_from("a", 0), key("b")];
    for (now, expected) in [(20, 100), (85, 100), (86, 101), (500, 515)] {
        let keys = written(next_step(&state(&waiting, now), &TIMING));
        let b = times(&keys, "b");
        assert_eq!((b.published_from, b.signs_from), (at(now), at(expected)), "{now}");
        assert!(b.signs_from.saturating_since(at(now)).as_secs() >= SETTLED);
        // The one before signs until then, and while replicas begin with the next one.
        assert!(times(&keys, "a").signs_until >= at(expected + 5), "{now}");
    }
}

#[test]
fn the_first_key_signs_at_once() {
    assert_eq!(next_step(&state(&[], 7), &TIMING), Step::Make);
    let keys = written(next_step(&state(&[key("a")], 7), &TIMING));
    assert_eq!(times(&keys, "a").signs_from, at(7));
}

#[test]
fn a_next_key_is_made_when_the_newest_one_signs() {
    let ring = [signs_from("a", 0), signs_from("b", 100)];
    assert_eq!(next_step(&state(&ring, 99), &TIMING), Step::Nothing);
    assert_eq!(next_step(&state(&ring, 100), &TIMING), Step::Make);
}

#[test]
fn a_retired_key_is_deleted_when_its_last_token_has_expired_and_another_one_signs() {
    let ring = [signs_from("a", 0), signs_from("b", 100), signs_from("c", 900)];
    // It is due at 105; 60 s of life, and 60 s for each of leeway and clocks.
    assert_eq!(next_step(&state(&ring, 284), &TIMING), Step::Nothing);
    let kept = written(next_step(&state(&ring, 285), &TIMING));
    assert_eq!(kept, ring[1..]);
    // The next one is late.
    let ring = [signs_from("a", 0), signs_from("c", 900)];
    assert_eq!(next_step(&state(&ring, 500), &TIMING), Step::Nothing);
}

#[test]
fn a_key_without_times_does_not_become_the_first_one_by_a_removal() {
    let ring = state(&[signs_from("a", 0), key("b")], 50);
    let Some(Removal::Prepare(keys)) = remove(&ring, "a", &TIMING) else {
        panic!("`b` would sign at once");
    };
    assert_eq!(times(&keys, "b").signs_from, at(50 + i64::try_from(SETTLED).unwrap()));
    let ring = state(&keys, 51);
    let Some(Removal::Write(keys)) = remove(&ring, "a", &TIMING) else { panic!("not removed") };
    assert_eq!(keys, [ring.keys[1].clone()]);
}

#[test]
fn a_key_that_does_not_sign_is_removed_at_once_and_changes_no_other() {
    let ring = [signs_from("a", 0), signs_from("b", 100), signs_from("c", 200)];
    for (removed, left) in [("a", ["b", "c"]), ("c", ["a", "b"])] {
        let Some(Removal::Write(keys)) = remove(&state(&ring, 150), removed, &TIMING) else {
            panic!("not removed");
        };
        assert_eq!(keys.iter().map(|key| &*key.id).collect::<Vec<_>>(), left);
        assert!(keys.iter().all(|key| ring.contains(key)), "{keys:?}");
    }
    assert!(remove(&state(&ring, 150), "d", &TIMING).is_none());
}
