//! §2.1, §2.6: tokens are read again while the program runs.

use std::{fs, path::PathBuf};

use crate::server::{Krishiv, own_path, wait_until};

const FILE: &str = "KRISHIV_COORDINATOR_BEARER_TOKENS_FILE";
const INTERVAL: &str = "KRISHIV_COORDINATOR_AUTH_RELOAD_INTERVAL_SECS";

/// The program with a file of tokens.
struct Watched {
    krishiv: Krishiv,
    file: PathBuf,
}

impl Watched {
    fn start(text: &str, interval: &str) -> Self {
        let file = own_path("tokens");
        fs::write(&file, text).unwrap();
        let variables = [(FILE, file.to_str().unwrap()), (INTERVAL, interval)];
        Self { krishiv: Krishiv::start(&variables), file }
    }

    fn write(&self, text: &str) {
        let next = self.file.with_extension("next");
        fs::write(&next, text).unwrap();
        fs::rename(next, &self.file).unwrap();
    }

    fn status(&self, token: &str) -> u16 {
        self.krishiv.get("/api/jobs", token).status
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

#[test]
fn s2_6_tokens_are_replaced_without_a_restart_and_without_a_rejection() {
    let watched = Watched::start("stays,first", "1");
    assert_eq!(watched.status("first"), 200);
    watched.write("stays\nsecond");
    wait_until("the new token is good", || {
        assert_eq!(watched.status("stays"), 200);
        watched.status("second") == 200
    });
    assert_eq!(watched.status("first"), 401);
}

#[test]
fn s2_6_a_file_that_is_gone_or_empty_lets_nobody_in_and_one_that_cannot_be_read_changes_nothing() {
    let watched = Watched::start("first", "1");
    // No regular file: an error, which keeps what was good.
    fs::remove_file(&watched.file).unwrap();
    fs::create_dir(&watched.file).unwrap();
    wait_until("it was tried", || watched.krishiv.log().contains("were not read again"));
    assert_eq!(watched.status("first"), 200);
    fs::remove_dir(&watched.file).unwrap();
    wait_until("nobody gets in", || watched.status("first") == 401);
    let none = "coordinator HTTP auth is required but no bearer tokens are configured";
    for headers in ["", "authorization: Bearer first\r\n"] {
        let answer = watched.krishiv.send("GET", "/api/jobs", headers);
        assert_eq!((answer.status, &*answer.body), (401, none));
        assert_eq!(answer.field("www-authenticate"), Some("Bearer"));
    }
    assert_eq!(watched.krishiv.call("Query", "first").message(), "invalid API key");
    // With a line end, because a file that was absent may be half written.
    watched.write("second\n");
    wait_until("it is back", || watched.status("second") == 200);
}

#[test]
fn s2_6_a_source_without_a_token_yet_starts_and_lets_nobody_in() {
    let watched = Watched::start(" ,\n", "1");
    assert_eq!(watched.status(""), 401);
    assert!(watched.krishiv.log().contains("no static token yet"));
    watched.write("first");
    wait_until("it is good", || watched.status("first") == 200);
}

#[test]
fn s2_1_zero_is_no_reload_and_garbage_is_none_with_a_warning() {
    let files: Vec<_> =
        ["0", "soon", "-1", "1.5"].map(|interval| Watched::start("first", interval)).into();
    let reloading = Watched::start("first", "1");
    for watched in &files {
        watched.write("second");
    }
    // By then each would have been read again, by the default of the library too.
    for token in ["second", "third", "fourth", "fifth"] {
        reloading.write(token);
        wait_until("the other is read again", || reloading.status(token) == 200);
    }
    for (watched, warns) in files.iter().zip([false, true, true, true]) {
        assert_eq!((watched.status("first"), watched.status("second")), (200, 401));
        let log = watched.krishiv.log();
        assert_eq!(log.contains(&format!("{INTERVAL} is no number of seconds")), warns, "{log}");
    }
    assert!(!reloading.krishiv.log().contains(INTERVAL));
}
