//! The traces of broken tokens, as a person reads them.
//!
//! They are kept in `traces/`. `UPDATE_TRACES=1` writes them anew: read what has changed.

use std::{fs, path::Path};

use portcullis::Algorithm;
use serde_json::json;

use crate::support::{ISSUER, NOW, Service};

/// Tells a trace, and compares it with the one that is kept.
fn assert_trace(name: &str, config: &str, token: impl FnOnce(&Service) -> String) {
    let service = Service::with(config);
    let token = token(&service);
    let run = service.judge("explain", &["--format", "text"], &token);
    assert_eq!(run.stderr, "");
    let is_good = run.stdout.starts_with("accepted");
    assert_eq!(run.status, i32::from(!is_good));
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 80, "{name}: {line}");
    }
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/command/traces/{name}.txt"));
    if std::env::var_os("UPDATE_TRACES").is_some() {
        fs::write(&path, &run.stdout).unwrap();
    }
    assert_eq!(run.stdout, fs::read_to_string(&path).unwrap(), "{name}");
}

fn usual(name: &str, token: impl FnOnce(&Service) -> String) {
    assert_trace(name, ISSUER, token);
}

#[test]
fn the_trace_of_a_good_token() {
    usual("good", |service| service.valid().claim("client_id", "web").build());
}

#[test]
fn the_trace_of_a_token_for_another_audience() {
    usual("audience", |service| service.valid().audience("web").build());
}

#[test]
fn the_trace_of_an_expired_token() {
    usual("expired", |service| service.valid().expired().build());
}

#[test]
fn the_trace_of_a_token_of_a_key_that_was_replaced() {
    usual("unknown-key", |service| service.valid().header("kid", "2019-rsa").build());
}

#[test]
fn the_trace_of_a_forged_token() {
    usual("forged", |service| service.valid().wrong_signature().build());
}

#[test]
fn the_trace_of_an_issuer_with_a_slash_too_many() {
    usual("slash", |service| service.valid().claim("iss", "https://idp.test/").build());
}

#[test]
fn the_trace_of_a_token_without_signature() {
    usual("none", |service| service.valid().header("alg", "none").signature("").build());
}

#[test]
fn the_trace_of_a_header_field_that_was_copied_as_a_whole() {
    usual("bearer", |service| format!("Bearer {}", service.valid().build()));
}

#[test]
fn the_trace_of_a_token_that_was_cut_off() {
    usual("cut", |service| service.valid().build().chars().take(120).collect());
}

#[test]
fn the_trace_of_an_id_token() {
    usual("type", |service| service.valid().header("typ", "logout+jwt").build());
}

#[test]
fn the_trace_of_a_token_for_one_client_alone() {
    usual("bound", |service| service.valid().claim("cnf", json!({"jkt": "x"})).build());
}

#[test]
fn the_trace_of_a_claim_that_is_missing() {
    let config = format!("{ISSUER}required_claims = [\"/realm/tenant\"]\n");
    assert_trace("missing", &config, |service| service.valid().build());
}

#[test]
fn the_trace_of_a_clock_that_is_wrong() {
    usual("clock", |service| service.valid().claim("iat", NOW + 600).build());
}

#[test]
fn the_trace_of_an_algorithm_that_is_not_meant() {
    let config = format!("{ISSUER}algorithms = [\"RS256\"]\n");
    assert_trace("algorithm", &config, |service| {
        service.valid().algorithm(Algorithm::EdDSA).build()
    });
}

#[test]
fn the_trace_of_a_mistyped_api_key_does_not_show_it() {
    let config = format!(
        "{ISSUER}\n[[static_token]]\nname = \"service\"\ntoken_file = \"tokens.txt\"\nsubject = \"etl\"\n"
    );
    assert_trace("api-key", &config, |service| {
        service.folder.write("tokens.txt", "4e1hvZ2m7pYcTq0sKfWbNw\n");
        "4e1hvZ2m7pYcTq0sKfWbNx".to_owned()
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command/traces/api-key.txt");
    assert!(!fs::read_to_string(path).unwrap().contains("4e1hvZ2m7p"));
}

#[test]
fn nothing_that_a_terminal_obeys_comes_out_of_a_token() {
    let service = Service::new();
    let nasty = "\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m";
    let tokens = [
        service.valid().claim("iss", nasty).build(),
        service.valid().header("kid", nasty).build(),
        service.valid().audience(nasty).subject(nasty).build(),
        service.valid().subject(nasty).scope(nasty).roles([nasty]).build(),
    ];
    let is_clean =
        |text: &str| text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}'));
    for token in tokens {
        for command in ["explain", "verify", "inspect"] {
            let run = match command {
                "inspect" => service.folder.run(&["inspect", "--format", "text", &token]),
                _ => service.judge(command, &["--format", "text"], &token),
            };
            assert!(is_clean(&run.stdout) && is_clean(&run.stderr), "{command}: {run:?}");
            assert!(!run.stdout.is_empty());
        }
    }
}
