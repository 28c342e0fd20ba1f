//! Files that change, by a clock that the test moves.

use std::sync::atomic::{AtomicI64, Ordering};

use super::{super::shared::Adoption, *};
use crate::Clock;

/// A clock that the test moves.
#[derive(Clone, Debug)]
pub(super) struct Moved(Arc<AtomicI64>);

impl Moved {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_800_000_000_000)))
    }

    pub(super) fn advance(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Moved {
    fn now(&self) -> NumericDate {
        let millis = self.0.load(Ordering::SeqCst).unsigned_abs();
        NumericDate::EPOCH.saturating_add(Duration::from_millis(millis))
    }
}

const MILLI: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// A file, and the set that follows it. Its thread does not look at the file during the test, which
/// makes each look itself.
struct Followed {
    file: TokenFile,
    clock: Moved,
    tokens: StaticTokens,
}

impl Followed {
    fn new(name: &str, format: TokenFormat, text: &str) -> Self {
        let (file, clock) = (TokenFile::new(name), Moved::new());
        file.write(text);
        let of_format = super::super::TokenFile::new(&file.0).format(format).optional();
        let builder = StaticTokens::builder("set").file(of_format).reload_every(HOUR);
        let tokens = builder.clock(clock.clone()).build().unwrap();
        Self { file, clock, tokens }
    }

    fn lines(name: &str, text: &str) -> Self {
        Self::new(name, TokenFormat::Lines, text)
    }

    /// Writes the file in place, as a writer that now stalls.
    fn write_in_place(&self, text: &str) {
        fs::write(&self.file.0, text).unwrap();
    }

    /// Looks at the file after a time.
    fn look_after(&self, duration: Duration) {
        self.clock.advance(duration);
        self.tokens.shared.look();
    }

    /// Looks at the file once, and again when a change of it has settled.
    fn settle(&self) {
        self.look_after(Duration::ZERO);
        self.look_after(SECOND);
    }

    fn good(&self, candidates: &[&'static str]) -> Vec<&'static str> {
        let is_good = |token: &&&str| accepted(&self.tokens, token).is_some();
        candidates.iter().filter(is_good).copied().collect()
    }
}

#[test]
fn a_change_is_adopted_when_two_looks_a_second_apart_find_the_same() {
    let set = Followed::lines("settled", "first\n");
    let good = || set.good(&["first", "second", "third"]);
    set.write_in_place("second\n");
    set.look_after(HOUR);
    assert_eq!(good(), ["first"], "one look does not prove that the writer is done");
    set.look_after(SECOND - MILLI);
    assert_eq!(good(), ["first"]);
    // The writer goes on: the wait starts again.
    set.write_in_place("second\nthird\n");
    set.look_after(MILLI);
    set.look_after(SECOND - MILLI);
    assert_eq!(good(), ["first"]);
    set.look_after(MILLI);
    assert_eq!(good(), ["second", "third"]);
}

#[test]
fn the_same_content_at_another_modification_time_is_a_change_too() {
    let set = Followed::lines("touched", "first\n");
    set.write_in_place("second\n");
    set.look_after(SECOND);
    let file = fs::File::options().write(true).open(&set.file.0).unwrap();
    let earlier = std::time::SystemTime::UNIX_EPOCH;
    file.set_modified(earlier).unwrap();
    set.look_after(SECOND);
    assert_eq!(set.good(&["first", "second"]), ["first"]);
    set.look_after(SECOND);
    assert_eq!(set.good(&["first", "second"]), ["second"]);
}

#[test]
fn the_half_of_a_token_is_not_accepted_however_long_the_writer_stalls() {
    let set = Followed::lines("half", "etl=first-token\n");
    for half in ["etl=first-token\ns", "s", "etl=first-token\nci=s3cr"] {
        set.write_in_place(half);
        set.settle();
        set.look_after(24 * HOUR);
        set.look_after(HOUR);
        assert!(set.good(&["s", "s3cr"]).is_empty(), "{half}");
        assert_eq!(set.good(&["first-token"]).len(), half.lines().count() - 1, "{half}");
        let error = set.tokens.last_error().unwrap();
        let StaticTokenError::InvalidLine { line, .. } = in_file(&error);
        assert_eq!(*line, half.lines().count(), "{half}");
        // Not even if the caller says that the file is complete.
        assert!(set.tokens.reload().is_err());
        assert!(set.good(&["s", "s3cr"]).is_empty(), "{half}");
        set.write_in_place("etl=first-token\nci=s3cret-token\n");
        set.settle();
        assert_eq!(set.good(&["s3cr", "first-token", "s3cret-token"]).len(), 2, "{half}");
        assert!(set.tokens.last_error().is_none());
    }
}

#[test]
fn a_token_that_was_good_before_needs_no_line_end() {
    let set = Followed::lines("known", "first\nlast");
    assert_eq!(set.good(&["first", "last"]), ["first", "last"]);
    set.write_in_place("second\nlast");
    set.settle();
    assert_eq!(set.good(&["first", "second", "last"]), ["second", "last"]);
    assert!(set.tokens.last_error().is_none());
}

#[test]
fn a_line_without_its_end_is_adopted_where_the_file_was_replaced() {
    let set = Followed::lines("replaced", "first\n");
    set.file.write("second");
    set.settle();
    assert_eq!(set.good(&["first", "second"]), ["second"]);
    // Also where the same text was held back before.
    set.write_in_place("second\nthird");
    set.settle();
    assert_eq!(set.good(&["second", "third"]), ["second"]);
    set.file.write("second\nthird");
    set.settle();
    assert_eq!(set.good(&["second", "third"]), ["second", "third"]);
    assert!(set.tokens.last_error().is_none());
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_that_moves_replaces_the_file() {
    use std::os::unix::fs::symlink;

    // As Kubernetes does it: tokens -> ..data/tokens, and ..data -> ..<time>.
    let folder = std::env::temp_dir().join(format!("portcullis-links-{}", std::process::id()));
    let write = |generation: &str, text: &str| {
        fs::create_dir_all(folder.join(generation)).unwrap();
        fs::write(folder.join(generation).join("tokens"), text).unwrap();
        symlink(generation, folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    };
    write("..1", "first");
    symlink("..data/tokens", folder.join("tokens")).unwrap();
    let clock = Moved::new();
    let builder = StaticTokens::builder("set").file(folder.join("tokens")).reload_every(HOUR);
    let tokens = builder.clock(clock.clone()).build().unwrap();
    for (generation, text) in [("..2", "second"), ("..3", "third")] {
        write(generation, text);
        tokens.shared.look();
        clock.advance(SECOND);
        tokens.shared.look();
        assert!(accepted(&tokens, text).is_some() && tokens.len() == 1, "{text}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn forms_without_line_ends_and_files_that_were_absent_wait_ten_seconds() {
    let (whole, list) = (TokenFormat::Whole, TokenFormat::List);
    for (format, text, seconds) in [
        (whole, "second", 10),
        (whole, "second\n", 1),
        (list, "first,second", 10),
        (list, "first,second\n", 1),
        (list, "first,second,", 1),
    ] {
        let set = Followed::new("forms", format, "first");
        set.write_in_place(text);
        set.look_after(Duration::ZERO);
        set.look_after(SECOND * seconds - MILLI);
        assert_eq!(set.good(&["first", "second"]), ["first"], "{format:?} {text:?}");
        set.look_after(MILLI);
        assert!(set.good(&["first", "second"]).contains(&"second"), "{format:?} {text:?}");
    }
    let set = Followed::lines("absent", "first\n");
    fs::remove_file(&set.file.0).unwrap();
    set.settle();
    assert!(set.good(&["first"]).is_empty());
    set.write_in_place("secon");
    set.look_after(Duration::ZERO);
    set.look_after(SECOND * 10 - MILLI);
    assert!(set.good(&["secon"]).is_empty());
    set.write_in_place("second\n");
    set.settle();
    assert_eq!(set.good(&["secon", "second"]), ["second"]);
}

#[test]
fn a_file_that_is_empty_to_stay_withdraws_its_tokens() {
    let set = Followed::lines("emptied", "first\n");
    set.write_in_place("");
    set.look_after(Duration::ZERO);
    assert_eq!(set.good(&["first"]), ["first"]);
    set.look_after(SECOND);
    assert!(set.tokens.is_empty());
}

#[test]
fn a_withdrawn_token_is_not_brought_back_by_a_reading_that_began_before() {
    for when in [Adoption::Settled, Adoption::AtOnce] {
        let set = Followed::lines("race", "first\n");
        // The thread has read the file, and is then delayed.
        let older = set.tokens.shared.read();
        set.file.write("second\n");
        set.tokens.reload().unwrap();
        set.clock.advance(HOUR);
        set.tokens.shared.take(older, when).unwrap();
        assert_eq!(set.good(&["first", "second"]), ["second"], "{when:?}");
        // Nor an error.
        fs::remove_file(&set.file.0).unwrap();
        fs::create_dir(&set.file.0).unwrap();
        let older = set.tokens.shared.read();
        fs::remove_dir(&set.file.0).unwrap();
        set.file.write("third\n");
        set.tokens.reload().unwrap();
        set.tokens.shared.take(older, when).unwrap();
        assert_eq!(set.good(&["second", "third"]), ["third"], "{when:?}");
        assert!(set.tokens.last_error().is_none());
    }
}

#[test]
fn a_change_that_waits_is_not_adopted_after_another_reading_was() {
    let set = Followed::lines("waiting", "first\n");
    set.write_in_place("second\n");
    set.look_after(Duration::ZERO);
    set.file.write("third\n");
    set.tokens.reload().unwrap();
    set.write_in_place("second\n");
    set.look_after(SECOND);
    assert_eq!(set.good(&["first", "second", "third"]), ["third"]);
}

#[test]
fn tokens_of_a_file_that_cannot_be_read_are_rejected_with_503_after_max_stale() {
    let file = TokenFile::new("stale");
    file.write("of-file\n");
    let clock = Moved::new();
    let builder = file.tokens().token("of-code", Identity::new("x")).clock(clock.clone());
    let tokens = builder.build().unwrap();
    let auth = Authenticator::builder().strategy(tokens.clone()).build().unwrap();
    let code = |token| auth.authenticate_token_now(token).err().map(|error| error.kind().code());
    fs::remove_file(&file.0).unwrap();
    clock.advance(24 * HOUR);
    assert!(!tokens.shared.look());
    assert_eq!(code("of-file"), None);
    clock.advance(SECOND);
    assert_eq!(code("of-file"), Some("resolver_unavailable"));
    assert_eq!(code("of-code"), None);
    // Junk is still junk, so that no client makes the service answer 503.
    assert_eq!(code("junk"), Some("no_credentials"));
    file.write("of-file\n");
    tokens.shared.look();
    assert_eq!(code("of-file"), None);
    assert!(tokens.last_error().is_none());
}

#[test]
fn a_clock_that_was_ahead_once_does_not_keep_tokens_good_for_longer() {
    let set = Followed::lines("ahead", "first\n");
    set.clock.advance(1000 * HOUR);
    set.look_after(Duration::ZERO);
    set.clock.0.fetch_sub(1000 * 3_600_000, Ordering::SeqCst);
    fs::remove_file(&set.file.0).unwrap();
    fs::create_dir(&set.file.0).unwrap();
    set.look_after(SECOND);
    set.clock.advance(25 * HOUR);
    let attempt = set.tokens.attempt(&Credential::new("first"));
    fs::remove_dir(&set.file.0).unwrap();
    assert!(matches!(attempt, Attempt::Reject(_)), "{attempt:?}");
}

#[test]
fn files_that_are_read_once_do_not_become_stale_and_max_stale_leaves_time_for_a_file_to_settle() {
    let (file, clock) = (TokenFile::new("max-stale"), Moved::new());
    file.write("first\n");
    let builder = || file.tokens().clock(clock.clone()).max_stale(SECOND);
    let tokens = builder().reload_every(HOUR).build().unwrap();
    let once = builder().read_once().build().unwrap();
    clock.advance(2 * HOUR + 10 * SECOND);
    assert!(accepted(&tokens, "first").is_some() && accepted(&once, "first").is_some());
    clock.advance(SECOND);
    let attempt = tokens.attempt(&Credential::new("first"));
    assert!(matches!(attempt, Attempt::Reject(_)), "{attempt:?}");
    clock.advance(9000 * HOUR);
    assert!(accepted(&once, "first").is_some());
}

#[cfg(feature = "tracing")]
#[test]
fn a_file_that_cannot_be_read_is_warned_of_once_a_minute_with_the_cause() {
    let set = Followed::lines("warned", "first\n");
    let warnings = || {
        crate::test_log::told("portcullis", tracing::Level::WARN, || {
            set.look_after(SECOND * 2);
        })
    };
    assert!(warnings().is_empty());
    fs::remove_file(&set.file.0).unwrap();
    fs::create_dir(&set.file.0).unwrap();
    let told: Vec<_> = (0..60).flat_map(|_| warnings()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|told| told.contains("no regular file")), "{told:?}");
    set.clock.advance(24 * HOUR);
    let stale = warnings();
    fs::remove_dir(&set.file.0).unwrap();
    assert!(matches!(&*stale, [told] if told.contains("rejected=true")), "{stale:?}");
}
