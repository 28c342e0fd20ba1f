//! Calls of a real client: grpcio of Python, with tokens that PyJWT has minted.
//!
//! `PORTCULLIS_INTEROP_PYTHON` names the Python that has both.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use portcullis_testkit::{KeyServer, Reply};
use serde_json::{Value, json};

use crate::server::{AUDIENCE, Krishiv, SERVICE_TOKEN, TOKEN, UI_TOKEN, URI};

const VARIABLE: &str = "PORTCULLIS_INTEROP_PYTHON";

/// The methods and routes, and whether reader, writer and administrator may call them.
const RIGHTS: [(&str, [bool; 3]); 12] = [
    ("Query", [true, true, true]),
    ("ListJobs", [true, true, true]),
    ("ReadState", [true, true, true]),
    ("SubmitQuery", [false, true, true]),
    ("WriteData", [false, true, true]),
    ("CancelJob", [false, false, true]),
    ("Savepoint", [false, false, true]),
    ("Restore", [false, false, true]),
    ("ManageExecutors", [false, false, true]),
    ("GET /api/jobs", [true, true, true]),
    ("POST /api/queries", [false, true, true]),
    ("POST /api/jobs/1/cancel", [false, false, true]),
];

/// The name of a token or a token itself, what it is for, and the status.
type Row = (String, String, &'static str);

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, rights) in RIGHTS {
        let is_http = what.contains(' ');
        let allowed = |is_so| match (is_so, is_http) {
            (true, true) => "200",
            (true, false) => "OK",
            (false, true) => "403",
            (false, false) => "PERMISSION_DENIED",
        };
        let rejected = if is_http { "401" } else { "UNAUTHENTICATED" };
        let mut row =
            |token: &str, expected| rows.push((token.to_owned(), what.to_owned(), expected));
        for (token, may) in ["reader", "writer", "admin"].into_iter().zip(rights) {
            row(token, allowed(may));
        }
        row("highestOfList", allowed(rights[1]));
        row("groups", allowed(rights[2]));
        row("noRole", allowed(rights[0]));
        row("adminBySubject", allowed(rights[0]));
        for token in ["RS256", "PS384", "ES256", "EdDSA", "noKid"] {
            row(token, allowed(rights[0]));
        }
        for token in [
            "expired",
            "notYet",
            "otherAudience",
            "noAudience",
            "stranger",
            "HS256",
            "none",
            "numberForRole",
        ] {
            row(token, rejected);
        }
        row(SERVICE_TOKEN, allowed(true));
        row(UI_TOKEN, if is_http { allowed(rights[0]) } else { rejected });
        row("", rejected);
    }
    let unheard = |token: &str, expected| (token.to_owned(), "Unheard".to_owned(), expected);
    rows.extend([unheard("reader", "UNIMPLEMENTED"), unheard("", "UNAUTHENTICATED")]);
    rows
}

#[test]
fn s2_6_a_client_of_grpcio_gets_the_verdicts_of_krishiv() {
    let python = env::var_os(VARIABLE)
        .unwrap_or_else(|| panic!("{VARIABLE} must name a Python: `cargo xtask test` sets one up"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/interop/krishiv.py");
    let mut client = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut hear = || -> Value { serde_json::from_str(&said.next().unwrap().unwrap()).unwrap() };
    let first = hear();
    let server = KeyServer::start();
    server.reply("/jwks.json", Reply::json(first["jwks"].to_string()));
    let uri = server.url("/jwks.json");
    let krishiv = Krishiv::start(&[
        (URI, &*uri),
        ("KRISHIV_OIDC_AUDIENCE", AUDIENCE),
        (TOKEN, SERVICE_TOKEN),
        ("KRISHIV_UI_TOKEN", UI_TOKEN),
    ]);
    krishiv.wait_until_ready();
    let rows = rows();
    let asked: Vec<_> = rows.iter().map(|(token, what, _)| [token, what]).collect();
    let plan = json!({"address": krishiv.address, "calls": asked});
    writeln!(client.stdin.take().unwrap(), "{plan}").unwrap();
    let verdicts = hear();
    assert!(client.wait().unwrap().success());
    let verdicts = verdicts.as_array().unwrap();
    assert_eq!(verdicts.len(), rows.len());
    let wrong: Vec<_> =
        rows.iter().zip(verdicts).filter(|((_, _, expected), got)| got[0] != *expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let text = |token: &str, what: &str| {
        let at = rows.iter().position(|(own, of, _)| own == token && of == what).unwrap();
        verdicts[at][1].as_str().unwrap().to_owned()
    };
    assert_eq!(text("expired", "Query"), "invalid API key");
    assert_eq!(text("", "Query"), "missing Bearer token");
    assert_eq!(
        text("reader", "CancelJob"),
        "principal reader:alice has role Reader; required role Admin"
    );
    println!(
        "interop: grpcio: {} and PyJWT {}: {} verdicts",
        first["grpcio"].as_str().unwrap(),
        first["PyJWT"].as_str().unwrap(),
        verdicts.len()
    );
}
