//! `verify` over many lines and odd ones.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    thread,
};

use portcullis::Algorithm;
use serde_json::{Value, json};

use crate::support::{ISSUER, NOW, Service, read_all};

#[test]
fn an_accepted_token_is_told_as_the_contract_has_it() {
    let service = Service::with(&format!(
        "{ISSUER}\n[issuer.grant]\npermissions = {{ claim = \"permissions\", separator = \":\" }}\n"
    ));
    let token = service
        .valid()
        .claim("client_id", "web")
        .roles(["admin"])
        .claim("groups", ["ops"])
        .claim("permissions", ["orders:read", "orders:write", "users:read"])
        .claim("act", json!({"sub": "agent", "iss": "https://agents.test", "act": {"sub": "bot"}}));
    let run = service.verify(token.build());
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(
        run.stdout,
        concat!(
            r#"{"line":1,"result":"accepted","strategy":"https://idp.test","#,
            r#""principal":{"subject":"alice","issuer":"https://idp.test","client_id":"web","#,
            r#""actors":[{"subject":"agent","issuer":"https://agents.test"},"#,
            r#"{"subject":"bot","issuer":null}]},"#,
            r#""grant":{"scope":["orders:read"],"roles":["admin"],"#,
            r#""permissions":{"orders":["read","write"],"users":["read"]},"groups":["ops"]},"#,
            r#""expires_at":1800003600}"#,
            "\n"
        )
    );
}

#[test]
fn static_tokens_never_end_and_are_named() {
    let service = Service::with(
        "[[static_token]]\nname = \"service\"\ntoken_file = \"tokens.txt\"\nsubject = \"service:etl\"\nroles = [\"writer\"]\n",
    );
    service.folder.write("tokens.txt", "4e1hvZ2m7pYcTq0sKfWbNw\n");
    let run = service.verify("4e1hvZ2m7pYcTq0sKfWbNw\nother\n");
    let lines = run.json_lines();
    assert_eq!(lines[0]["strategy"], "service");
    assert_eq!(lines[0]["principal"]["subject"], "service:etl");
    assert_eq!(lines[0]["grant"]["roles"], json!(["writer"]));
    assert_eq!(lines[0]["expires_at"], Value::Null);
    assert_eq!(lines[1]["code"], "no_credentials");
}

#[test]
fn lines_come_out_in_their_order_whatever_they_are() {
    let service = Service::new();
    let (good, bad) = (service.valid().build(), service.valid().expired().build());
    let mut input = Vec::new();
    let mut expected = Vec::new();
    for turn in 0..200 {
        let odd: [(&[u8], &str); 8] = [
            (good.as_bytes(), ""),
            (bad.as_bytes(), "token_expired"),
            (b"", "no_credentials"),
            (b"\xff\xfe.\x00.x", "malformed_request"),
            (b"...", "malformed_token"),
            (b" ", "malformed_request"),
            (&[b'x'; 20_000], "token_too_large"),
            (b"{\"a\":1}", "malformed_request"),
        ];
        for (line, code) in odd {
            input.extend_from_slice(line);
            input.extend_from_slice(if turn % 2 == 0 { b"\n" } else { b"\r\n" });
            expected.push(code);
        }
    }
    let run = service.verify(input);
    assert_eq!((run.status, run.stderr.as_str()), (1, ""));
    let lines = run.json_lines();
    assert_eq!(lines.len(), expected.len());
    for (index, (line, code)) in lines.iter().zip(expected).enumerate() {
        assert_eq!(line["line"], index + 1);
        assert_eq!(line["code"].as_str().unwrap_or_default(), code, "{line}");
    }
}

#[test]
fn a_line_of_megabytes_is_one_rejection() {
    let service = Service::new();
    let input = format!("{}\n{}", "x".repeat(3 << 20), service.valid().build());
    let lines = service.verify(input).json_lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["code"], "token_too_large");
    assert_eq!(lines[1]["result"], "accepted");
    let run = service.folder.run_with(&["inspect"], "x".repeat(5 << 20));
    assert_eq!(run.status, 1);
}

#[test]
fn nothing_in_is_nothing_out() {
    let run = Service::new().verify("");
    assert_eq!((run.status, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
}

#[test]
fn whoever_writes_one_line_and_waits_gets_an_answer() {
    let service = Service::new();
    let now = NOW.to_string();
    let mut child = service.folder.start(&["verify", "--config", "portcullis.toml", "--now", &now]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for number in 1..=5 {
        writeln!(stdin, "{}", service.valid().build()).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&line["line"], &line["result"]), (&json!(number), &json!("accepted")));
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_run_quietly() {
    let service = Service::new();
    let mut child = service.folder.start(&["verify", "--config", "portcullis.toml"]);
    let mut stdin = child.stdin.take().unwrap();
    let writing = thread::spawn(move || {
        // Without an end: the command ends it, by going away.
        while stdin.write_all(b"a.b.c\n").is_ok() {}
    });
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    drop(stdout);
    let status = child.wait().unwrap();
    writing.join().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(read_all(child.stderr.take().unwrap()), "");
}

#[test]
fn text_is_for_people() {
    let service = Service::new();
    let input = format!("{}\n\n", service.valid().roles(["admin"]).build());
    let run = service.judge("verify", &["--format", "text"], input);
    let mut expected = String::new();
    writeln!(expected, "     1  accepted  `alice` of `https://idp.test`").unwrap();
    writeln!(expected, "          scope: orders:read").unwrap();
    writeln!(expected, "          roles: admin").unwrap();
    writeln!(expected, "          until 2027-01-15T09:00:00Z").unwrap();
    writeln!(expected, "     2  rejected   no_credentials (401): no credentials were presented")
        .unwrap();
    assert_eq!(run.stdout, expected);
}

#[test]
fn tokens_are_judged_by_the_clock_unless_told_otherwise() {
    let service = Service::new();
    // It ended in 1970, and is good in 1970.
    let token = service.valid().claim("iat", 0).claim("exp", 100).build();
    let args = |now: &'static str| ["verify", "--config", "portcullis.toml", "--now", now];
    assert_eq!(service.folder.run_with(&args("50"), &token).status, 0);
    assert_eq!(service.folder.run_with(&args("-5000"), &token).status, 1);
    assert_eq!(service.folder.run_with(&args("50")[..3], &token).json()["code"], "token_expired");
}

#[test]
fn every_asymmetric_algorithm_is_verified() {
    let service = Service::new();
    let asymmetric = Algorithm::ALL.iter().filter(|algorithm| !algorithm.is_symmetric());
    let tokens: Vec<_> =
        asymmetric.map(|&algorithm| service.valid().algorithm(algorithm).build()).collect();
    let run = service.verify(tokens.join("\n"));
    assert_eq!((run.status, run.json_lines().len()), (0, 10));
}
