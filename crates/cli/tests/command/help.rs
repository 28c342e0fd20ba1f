//! Help, completions, manual pages, and colours.

use std::{fs, process::Command};

use crate::support::{Folder, ISSUER, Service};

const COMMANDS: [&str; 18] = [
    "",
    "verify",
    "explain",
    "inspect",
    "jws",
    "jws verify",
    "jwks",
    "jwks check",
    "keygen",
    "mint",
    "serve-jwks",
    "revoke",
    "revoked",
    "config",
    "config check",
    "config schema",
    "completions",
    "man",
];

#[test]
fn every_command_has_help_that_fits_a_terminal() {
    let folder = Folder::new();
    for command in COMMANDS {
        let mut arguments: Vec<_> = command.split_whitespace().collect();
        arguments.push("--help");
        let run = folder.run(&arguments);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{command}");
        for line in run.stdout.lines() {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
        let is_group = ["jws", "jwks", "config"].contains(&command);
        assert!(is_group || run.stdout.contains("Example"), "{command} has no example");
    }
}

#[test]
fn completions_are_made_for_each_shell() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = folder.run(&["completions", shell]);
        assert_eq!(run.status, 0);
        for command in ["serve-jwks", "revoke", "revoked"] {
            assert!(run.stdout.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn manual_pages_are_made_for_each_command() {
    let folder = Folder::new();
    let page = folder.run(&["man"]);
    assert!(page.stdout.contains(".TH portcullis 1"), "{page:?}");
    fs::create_dir(folder.path("man1")).unwrap();
    assert_eq!(folder.run(&["man", "--out", "man1"]).status, 0);
    for name in
        ["portcullis.1", "portcullis-verify.1", "portcullis-jwks-check.1", "portcullis-revoke.1"]
    {
        assert!(folder.path("man1").join(name).exists(), "{name}");
    }
    folder.run(&["man", "--out", "nowhere/at/all"]).assert_mistake("nowhere");
}

#[test]
fn colours_are_for_terminals_alone() {
    let service = Service::with(ISSUER);
    let run = service.judge("explain", &["--format", "text"], service.valid().build());
    assert!(!run.stdout.contains('\u{1b}'));
    // As on a terminal.
    let forced = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["inspect", "--format", "text", &service.valid().build()])
        .env_remove("NO_COLOR")
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(String::from_utf8(forced.stdout).unwrap().contains("\u{1b}["));
}
