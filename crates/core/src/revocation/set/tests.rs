use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use proptest::prelude::*;

use super::{
    fingerprint::Fingerprint,
    table::{Added, Table},
    *,
};

const ISSUER: &str = "https://idp.example.com";

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds)
}

fn token(id: usize) -> Revocation {
    Revocation::new(ISSUER, Revoked::Token(format!("id-{id}").into()))
}

fn has_token(set: &RevokedSet, id: usize) -> bool {
    let jti = format!("id-{id}");
    set.find(&Question { issuer: ISSUER, jti: Some(&jti), ..Question::default() }).is_some()
}

fn question(sub: &str, issued_at: Option<NumericDate>) -> Question<'_> {
    Question { issuer: ISSUER, subject: Some(sub), issued_at, ..Question::default() }
}

#[test]
fn each_kind_is_found_by_its_own_claim_only() {
    let id = || Box::<str>::from("x");
    let all = [
        Revoked::Token(id()),
        Revoked::Subject(id(), at(100)),
        Revoked::Session(id()),
        Revoked::Client(id(), at(100)),
        Revoked::Key(id()),
    ];
    for revoked in all {
        let set = RevokedSet::new();
        let kind = revoked.kind();
        set.insert(&[Revocation::new(ISSUER, revoked)]).unwrap();
        let x = Some("x");
        let empty = Question { issuer: ISSUER, issued_at: Some(at(100)), ..Question::default() };
        let questions = [
            ("token", Question { jti: x, ..empty }),
            ("subject", Question { subject: x, ..empty }),
            ("session", Question { session: x, ..empty }),
            ("client", Question { client: x, ..empty }),
            ("key", Question { thumbprint: x, ..empty }),
        ];
        for (name, question) in questions {
            assert_eq!(set.find(&question), (name == kind).then_some(kind), "{kind} by {name}");
            let other = Question { issuer: "https://other.example.com", ..question };
            assert_eq!(set.find(&other), None, "{kind} by {name} of another issuer");
        }
        assert_eq!(set.find(&empty), None);
    }
}

#[test]
fn the_end_of_the_issuer_is_not_the_beginning_of_the_id() {
    let set = RevokedSet::new();
    set.insert(&[Revocation::new("ab", Revoked::Token("c".into()))]).unwrap();
    let find = |issuer, jti| {
        set.find(&Question { issuer, jti: Some(jti), ..Question::default() }).is_some()
    };
    assert!(find("ab", "c"));
    assert!(!find("a", "bc") && !find("abc", "") && !find("", "abc"));
}

#[test]
fn a_subject_is_revoked_up_to_the_second_of_the_cut_off_and_without_iat() {
    let set = RevokedSet::new();
    let half = std::time::Duration::from_millis(500);
    set.insert(&[Revocation::new(ISSUER, Revoked::Subject("ann".into(), at(100)))]).unwrap();
    let is_revoked = |issued_at| set.find(&question("ann", issued_at)).is_some();
    assert!(is_revoked(Some(at(100))) && is_revoked(Some(at(99))) && is_revoked(Some(at(-5))));
    assert!(is_revoked(Some(at(100).saturating_add(half))), "in the same second");
    assert!(!is_revoked(Some(at(101))));
    assert!(is_revoked(None));
}

#[test]
fn the_latest_cut_off_and_the_latest_until_count_in_any_order() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]] {
        let entry = |cut_off, until| {
            Revocation::new(ISSUER, Revoked::Subject("ann".into(), at(cut_off))).until(at(until))
        };
        let entries = [entry(100, 900), entry(300, 500), entry(200, 700)];
        let set = RevokedSet::new();
        for index in order {
            set.insert(&[entries[index].clone()]).unwrap();
        }
        assert_eq!(set.len(), 1);
        set.drop_expired(at(900));
        assert!(set.find(&question("ann", Some(at(300)))).is_some());
        assert!(set.find(&question("ann", Some(at(301)))).is_none());
        set.drop_expired(at(901));
        assert!(set.find(&question("ann", None)).is_none());
    }
}

#[test]
fn an_entry_without_an_end_is_never_dropped() {
    for order in [[0, 1], [1, 0]] {
        let entries = [token(1), token(1).until(at(50))];
        let set = RevokedSet::new();
        for index in order {
            set.insert(&[entries[index].clone()]).unwrap();
        }
        set.drop_expired(at(i64::MAX));
        assert!(has_token(&set, 1));
    }
}

#[test]
fn extreme_times_neither_overflow_nor_change_their_order() {
    let set = RevokedSet::new();
    set.insert(&[
        Revocation::new(ISSUER, Revoked::Subject("min".into(), at(i64::MIN))),
        Revocation::new(ISSUER, Revoked::Subject("max".into(), at(i64::MAX))),
        token(1).until(at(i64::MAX)),
        token(2).until(at(i64::MIN)),
    ])
    .unwrap();
    assert!(set.find(&question("max", Some(at(i64::MAX)))).is_some());
    assert!(set.find(&question("min", Some(at(i64::MIN)))).is_some());
    assert!(set.find(&question("min", Some(at(i64::MIN + 1)))).is_none());
    set.drop_expired(at(0));
    assert!(has_token(&set, 1) && !has_token(&set, 2));
}

#[test]
fn a_kind_whose_entries_have_all_expired_is_looked_up_no_more() {
    let set = RevokedSet::new();
    set.insert(&[token(1).until(at(50))]).unwrap();
    assert_eq!(set.present.load(Ordering::SeqCst), Kind::Token.bit());
    set.drop_expired(at(51));
    assert_eq!((set.present.load(Ordering::SeqCst), set.len()), (0, 0));
    set.insert(&[token(2)]).unwrap();
    assert!(has_token(&set, 2));
}

#[test]
fn a_full_set_rejects_new_entries_and_still_merges() {
    let set = RevokedSet::with_limit(100);
    for id in 0..100 {
        set.insert(&[token(id).until(at(10))]).unwrap();
    }
    assert_eq!(set.insert(&[token(100), token(3).until(at(20))]), Err(SetFull));
    assert!(!has_token(&set, 100));
    assert_eq!(set.len(), 100);
    set.drop_expired(at(11));
    assert_eq!(set.len(), 1);
    assert!(has_token(&set, 3));
    set.insert(&[token(100)]).unwrap();
    assert!(has_token(&set, 100));
}

#[test]
fn many_entries_stay_within_the_memory_of_their_budget() {
    for count in [1_000, 10_000, 37_777] {
        let set = RevokedSet::new();
        set.insert(&(0..count).map(token).collect::<Vec<_>>()).unwrap();
        assert_eq!(set.len(), count);
        let bytes = set.token.table_for_test().slots() * 25;
        assert!(bytes <= count * 48, "{bytes} bytes for {count}");
        assert!((0..count).all(|id| has_token(&set, id)));
        assert!((count..2 * count).all(|id| !has_token(&set, id)));
    }
}

#[test]
fn entries_that_share_a_place_or_half_a_hash_are_kept_apart() {
    let entry = |place, check, until| Entry {
        fingerprint: Fingerprint { place, check },
        times: Times { until, cut_off: until },
    };
    // All of them belong in the last group, so that the search goes on at the first one. Many have the same
    // mark, and 0x100 has the one of 1.
    let checks = [1, 0x101, 0x201, 0x100, 0, 2, 0x102, u64::MAX];
    let places = [u64::MAX, u64::MAX - 1];
    let entries: Vec<_> =
        places.iter().flat_map(|place| checks.map(|check| (*place, check))).collect();
    let table = Table::new(9, true);
    assert_eq!(table.slots(), 16);
    for (until, (place, check)) in (1..).zip(entries.iter().copied()) {
        assert_eq!(table.cut_off(Fingerprint { place, check }), None);
        assert_eq!(table.add(entry(place, check, until)), Added::New);
    }
    for (until, (place, check)) in (1..).zip(entries.iter().copied()) {
        assert_eq!(table.cut_off(Fingerprint { place, check }), Some(until));
        assert_eq!(table.add(entry(place, check, until)), Added::Merged);
    }
    assert_eq!(table.add(entry(u64::MAX - 2, 1, 9)), Added::Full);
    assert_eq!(table.cut_off(Fingerprint { place: u64::MAX - 2, check: 1 }), None);
    assert_eq!(table.entries().count(), 16);
}

#[test]
fn debug_shows_neither_key_nor_hash() {
    let set = RevokedSet::new();
    set.insert(&[token(1)]).unwrap();
    assert_eq!(format!("{set:?}"), "RevokedSet { len: 1, .. }");
}

#[test]
fn the_key_is_random_and_decides_every_hash() {
    let of = |key: HashKey| key.issuer(ISSUER).fingerprint("id");
    assert_ne!(of(HashKey::random()), of(HashKey::random()));
}

#[test]
fn the_key_of_an_issuer_at_hand_serves_no_other_issuer() {
    let set = RevokedSet::new();
    set.insert(&[token(1)]).unwrap();
    let jti = match &token(1).revoked {
        Revoked::Token(jti) => jti.to_string(),
        other => panic!("{other:?}"),
    };
    for (known, issuer, is_found) in [
        (ISSUER, ISSUER, true),
        ("other", ISSUER, true),
        (ISSUER, "other", false),
        ("other", "other", false),
    ] {
        let known = IssuerName::new(known.to_owned());
        let question =
            Question { issuer, known_issuer: Some(&known), jti: Some(&jti), ..Question::default() };
        assert_eq!(set.find(&question).is_some(), is_found, "{known:?} {issuer}");
    }
}

#[test]
fn no_entry_is_invisible_while_the_set_grows_and_drops_others() {
    const COUNT: usize = 20_000;
    let set = Arc::new(RevokedSet::new());
    let (inserted, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let reader = |start: usize| {
        let (set, inserted, is_over) =
            (Arc::clone(&set), Arc::clone(&inserted), Arc::clone(&is_over));
        thread::spawn(move || {
            let (mut id, mut looked_up) = (start, 0_usize);
            while !is_over.load(Ordering::SeqCst) {
                let count = inserted.load(Ordering::SeqCst);
                if count == 0 {
                    continue;
                }
                // The newest are the ones that a growth could lose.
                let wanted = if id.is_multiple_of(2) { count - 1 } else { id % count };
                assert!(has_token(&set, wanted), "{wanted} of {count}");
                (id, looked_up) = (id.wrapping_mul(31).wrapping_add(17), looked_up + 1);
            }
            looked_up
        })
    };
    let readers = [reader(1), reader(2), reader(3)];
    let cleaner = {
        let (set, is_over) = (Arc::clone(&set), Arc::clone(&is_over));
        thread::spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                set.drop_expired(at(100));
            }
        })
    };
    for id in 0..COUNT {
        // Beside each that stays, one that has expired.
        set.insert(&[token(id), token(COUNT + id).until(at(50))]).unwrap();
        inserted.store(id + 1, Ordering::SeqCst);
    }
    is_over.store(true, Ordering::SeqCst);
    cleaner.join().unwrap();
    assert!(readers.into_iter().all(|reader| reader.join().unwrap() > 0));
    set.drop_expired(at(100));
    assert!(set.len() >= COUNT && set.len() <= COUNT + COUNT / 7);
}

#[test]
fn a_table_that_a_reader_holds_is_dropped_by_a_later_writer() {
    let set = RevokedSet::new();
    set.insert(&[token(0)]).unwrap();
    let held = set.token.table_for_test();
    set.insert(&(1..100).map(token).collect::<Vec<_>>()).unwrap();
    assert_eq!(set.writer.lock().unwrap().len(), 1);
    assert_eq!(Arc::strong_count(&held), 2);
    drop(held);
    set.insert(&[token(1)]).unwrap();
    assert_eq!(set.writer.lock().unwrap().len(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Vec<Revocation>),
    DropExpired(i64),
}

fn revocations() -> impl Strategy<Value = Revocation> {
    let id = (0..12_u8).prop_map(|id| Box::<str>::from(format!("id-{id}")));
    let issuer = prop_oneof![Just("a"), Just("b")];
    (0..5_u8, id, issuer, 0..40_i64, proptest::option::of(0..100_i64)).prop_map(
        |(kind, id, issuer, cut_off, until)| {
            let revoked = match kind {
                0 => Revoked::Token(id),
                1 => Revoked::Subject(id, at(cut_off)),
                2 => Revoked::Session(id),
                3 => Revoked::Client(id, at(cut_off)),
                _ => Revoked::Key(id),
            };
            Revocation { issuer: issuer.into(), revoked, until: until.map(at) }
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => proptest::collection::vec(revocations(), 1..20).prop_map(Step::Insert),
        1 => (0..110_i64).prop_map(Step::DropExpired),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Kind, issuer and id, with the latest cut-off and until.
type Model = HashMap<(&'static str, Box<str>, Box<str>), (Option<i64>, Option<i64>)>;

fn insert_into(model: &mut Model, entry: &Revocation) {
    let key = (entry.revoked.kind(), entry.issuer.clone(), entry.revoked.id().into());
    let cut_off = entry.revoked.issued_until().map(NumericDate::seconds);
    let until = entry.until.map(NumericDate::seconds);
    model
        .entry(key)
        .and_modify(|(old_cut_off, old_until)| {
            *old_cut_off = cut_off.max(*old_cut_off);
            *old_until = old_until.zip(until).map(|(old, new)| old.max(new));
        })
        .or_insert((cut_off, until));
}

proptest! {
    #[test]
    fn the_set_agrees_with_a_map(steps in steps()) {
        let (set, mut model) = (RevokedSet::new(), Model::new());
        for step in steps {
            match step {
                Step::Insert(entries) => {
                    entries.iter().for_each(|entry| insert_into(&mut model, entry));
                    set.insert(&entries).unwrap();
                }
                Step::DropExpired(now) => {
                    model.retain(|_, (_, until)| until.is_none_or(|until| until >= now));
                    set.drop_expired(at(now));
                }
            }
            prop_assert_eq!(set.len(), model.len());
            for issuer in ["a", "b"] {
                for id in (0..13).map(|id| format!("id-{id}")) {
                    compare(&set, &model, issuer, &id);
                }
            }
        }
    }
}

fn compare(set: &RevokedSet, model: &Model, issuer: &str, id: &str) {
    let of_kind = |kind| model.get(&(kind, issuer.into(), id.into()));
    let empty = Question { issuer, ..Question::default() };
    let id = Some(id);
    let listed = [
        ("token", Question { jti: id, ..empty }),
        ("session", Question { session: id, ..empty }),
        ("key", Question { thumbprint: id, ..empty }),
    ];
    for (kind, question) in listed {
        assert_eq!(set.find(&question).is_some(), of_kind(kind).is_some(), "{kind} {id:?}");
    }
    for issued_at in [None, Some(0), Some(13), Some(39), Some(40)] {
        let question = Question { issued_at: issued_at.map(at), ..empty };
        let kinds = [
            ("subject", Question { subject: id, ..question }),
            ("client", Question { client: id, ..question }),
        ];
        for (kind, question) in kinds {
            let expected = of_kind(kind)
                .is_some_and(|(cut_off, _)| issued_at.is_none_or(|time| Some(time) <= *cut_off));
            assert_eq!(set.find(&question).is_some(), expected, "{kind} {id:?} {issued_at:?}");
        }
    }
}
