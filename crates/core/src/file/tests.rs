use std::time::Duration;

use super::*;
use crate::ConfigError;
use crate::NumericDate;

#[test]
fn time_counts_from_the_first_look_that_found_the_same() {
    let at = |millis| NumericDate::EPOCH.saturating_add(Duration::from_millis(millis));
    let mut settling = Settling::default();
    let looks = [("a", 0, 0), ("a", 999, 999), ("b", 1000, 0), ("b", 2500, 1500), ("a", 9000, 0)];
    for (found, now, expected) in looks {
        let unchanged = settling.unchanged_for(found, at(now));
        assert_eq!(unchanged, Duration::from_millis(expected), "{found} {now}");
    }
    // The clock goes back: the wait starts again.
    assert_eq!(settling.unchanged_for("a", at(100)), Duration::ZERO);
    assert_eq!(settling.unchanged_for("a", at(1100)), SETTLED);
}

#[test]
fn a_lasting_error_is_due_at_first_when_it_changes_and_once_a_minute() {
    let at = NumericDate::from_seconds;
    let (mut warnings, inner) = (Warnings::default(), io::Error::other("inner"));
    let error = ConfigError::from(FileError::unreadable("a", inner));
    let other = ConfigError::NoIssuer;
    assert_eq!(warnings.due(&error, at(0)).as_deref(), Some("inner"));
    assert_eq!(warnings.due(&error, at(59)), None);
    assert_eq!(warnings.due(&error, at(60)).as_deref(), Some("inner"));
    assert_eq!(warnings.due(&other, at(61)).as_deref(), Some(""));
    assert_eq!(warnings.due(&other, at(62)), None);
    // Also after the clock went back, or the error was over.
    assert!(warnings.due(&other, at(0)).is_some());
    warnings.end();
    assert!(warnings.due(&other, at(1)).is_some());
}

#[test]
fn a_file_that_was_replaced_is_another_file_and_one_that_was_written_in_place_is_not() {
    let folder = std::env::temp_dir().join(format!("portcullis-stamp-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (path, next) = (folder.join("file"), folder.join("next"));
    let stamp = || read(&path).unwrap().stamp;
    fs::write(&path, "a").unwrap();
    let first = stamp();
    assert_eq!(stamp(), first);
    fs::write(&path, "b").unwrap();
    let in_place = stamp();
    assert!(!in_place.has_content_of(&first) && in_place.is_same_file(&first));
    fs::write(&next, "b").unwrap();
    fs::rename(&next, &path).unwrap();
    let replaced = stamp();
    assert!(replaced.has_content_of(&in_place) && replaced != in_place);
    assert_eq!(replaced.has_replaced(&in_place), cfg!(unix));
    // What was absent before may be half written.
    assert!(!replaced.has_replaced(&Stamp::absent()) && !replaced.is_same_file(&Stamp::absent()));
    fs::remove_dir_all(&folder).unwrap();
}
