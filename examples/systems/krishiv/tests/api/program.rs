//! §2.1: settings, start and end.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use crate::server::{Krishiv, SERVICE_TOKEN, TOKEN, URI, World, command, own_path, rejected_start};

const LOOPBACK: (&str, &str) = (URI, "http://127.0.0.1:1/jwks.json");
const PRODUCTION: &str = "KRISHIV_PRODUCTION";
const AUDIENCE: &str = "KRISHIV_OIDC_AUDIENCE";
const ROLE_CLAIM: &str = "KRISHIV_OIDC_ROLE_CLAIM";
const RELOAD: &str = "KRISHIV_COORDINATOR_AUTH_RELOAD_INTERVAL_SECS";
const REFRESH: &str = "KRISHIV_OIDC_JWKS_REFRESH_SECS";

#[test]
fn s2_1_a_bad_or_missing_setting_is_one_line_and_status_2() {
    let neither = "KRISHIV_OIDC_JWKS_URI or KRISHIV_COORDINATOR_BEARER_TOKEN";
    let token = (TOKEN, "secret");
    let folder = env!("CARGO_TARGET_TMPDIR");
    for (variables, args, said) in [
        (vec![], vec![], neither),
        (vec![(TOKEN, " \n"), (URI, "")], vec![], neither),
        (vec![("KRISHIV_COORDINATOR_BEARER_TOKENS", ",\n, ")], vec![], neither),
        (vec![("KRISHIV_UI_TOKEN", "page")], vec![], neither),
        (vec![(URI, "nonsense")], vec![], "KRISHIV_OIDC_JWKS_URI: "),
        (vec![(URI, "http://keys.example.com/")], vec![], "KRISHIV_OIDC_JWKS_URI: "),
        (vec![(URI, "ftp://127.0.0.1/"), token], vec![], "KRISHIV_OIDC_JWKS_URI: "),
        (vec![LOOPBACK, (AUDIENCE, "")], vec![], "KRISHIV_OIDC_AUDIENCE: "),
        // There is something to warn of, too.
        (vec![LOOPBACK, (PRODUCTION, "1"), (AUDIENCE, "")], vec![], "KRISHIV_OIDC_AUDIENCE: "),
        (vec![token, (RELOAD, "soon"), ("KRISHIV_UI_TOKEN_FILE", "/missing")], vec![], "/missing"),
        (vec![LOOPBACK, (ROLE_CLAIM, "/a~2b")], vec![], "KRISHIV_OIDC_ROLE_CLAIM: "),
        (vec![LOOPBACK, (ROLE_CLAIM, "role,,groups")], vec![], "KRISHIV_OIDC_ROLE_CLAIM: "),
        (vec![LOOPBACK, (REFRESH, "0")], vec![], "KRISHIV_OIDC_JWKS_REFRESH_SECS"),
        (vec![LOOPBACK, (REFRESH, "10m")], vec![], "KRISHIV_OIDC_JWKS_REFRESH_SECS"),
        (vec![LOOPBACK, (REFRESH, "-1")], vec![], "KRISHIV_OIDC_JWKS_REFRESH_SECS"),
        (vec![token, (PRODUCTION, "1")], vec![], "KRISHIV_COORDINATOR_BEARER_TOKEN: "),
        (
            vec![(TOKEN, SERVICE_TOKEN), ("KRISHIV_UI_TOKEN", "page"), (PRODUCTION, "1")],
            vec![],
            "KRISHIV_UI_TOKEN: ",
        ),
        (vec![token, (PRODUCTION, "production")], vec![], "KRISHIV_PRODUCTION"),
        (
            vec![("KRISHIV_COORDINATOR_BEARER_TOKEN_FILE", "/missing")],
            vec![],
            "`/missing`: No such file",
        ),
        (vec![("KRISHIV_COORDINATOR_BEARER_TOKENS_FILE", folder)], vec![], folder),
        (vec![token, ("KRISHIV_UI_TOKEN_FILE", "/missing")], vec![], "/missing"),
        (vec![token], vec!["--port", "1"], "the only option is --listen ADDR"),
        (vec![token], vec!["--listen", "nowhere"], "--listen needs an address"),
    ] {
        let errors = rejected_start(&variables, &args);
        assert!(errors.contains(said) && !errors.contains("secret"), "{variables:?}: {errors}");
    }
}

#[cfg(unix)]
#[test]
fn a_token_that_is_no_text_is_not_taken_for_another() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, process::Stdio};
    for name in [TOKEN, "KRISHIV_COORDINATOR_BEARER_TOKENS", "KRISHIV_UI_TOKEN", AUDIENCE] {
        let mut command = command(&[("KRISHIV_COORDINATOR_BEARER_TOKEN_FILE", "/missing")]);
        let output = command.env(name, OsStr::from_bytes(b"s\xff")).stderr(Stdio::piped()).output();
        let output = output.unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(errors, format!("krishiv: {name} is no text in UTF-8\n"));
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn s2_10_production_without_an_audience_is_rejected() {
    for value in ["1", "true", "yes"] {
        let errors = rejected_start(&[LOOPBACK, (TOKEN, "t"), (PRODUCTION, value)], &[]);
        assert_eq!(errors, "krishiv: KRISHIV_PRODUCTION needs KRISHIV_OIDC_AUDIENCE\n");
    }
    for value in ["0", "false", "no", ""] {
        Krishiv::start(&[LOOPBACK, (PRODUCTION, value)]);
    }
}

#[test]
fn s2_10_production_with_an_audience_or_without_oidc_starts() {
    let world = World::with(&[(PRODUCTION, "true")]);
    assert_eq!(world.krishiv.get("/api/jobs", &world.of_role("reader")).status, 200);
    // Plain http is for this machine alone, and told of.
    assert!(world.krishiv.log().contains("plain http"), "{}", world.krishiv.log());
    let krishiv = Krishiv::start(&[(TOKEN, SERVICE_TOKEN), (PRODUCTION, "1")]);
    assert_eq!(krishiv.get("/api/jobs", SERVICE_TOKEN).status, 200);
}

#[test]
fn s2_1_a_file_with_one_token_must_be_there_and_one_with_more_need_not() {
    let (one, more) = (own_path("one"), own_path("more"));
    fs::write(&one, " from-a-file\n").unwrap();
    let variables = [
        ("KRISHIV_COORDINATOR_BEARER_TOKEN_FILE", one.to_str().unwrap()),
        ("KRISHIV_COORDINATOR_BEARER_TOKENS_FILE", more.to_str().unwrap()),
        ("KRISHIV_UI_TOKEN_FILE", one.to_str().unwrap()),
    ];
    let krishiv = Krishiv::start(&variables);
    fs::remove_file(one).unwrap();
    assert_eq!(krishiv.get("/api/jobs", "from-a-file").status, 200);
}

#[cfg(unix)]
#[test]
fn signals_stop_it_cleanly() {
    for signal in ["TERM", "INT"] {
        let mut krishiv = Krishiv::start(&[(TOKEN, SERVICE_TOKEN)]);
        assert_eq!(krishiv.call("Query", SERVICE_TOKEN).code(), tonic::Code::Ok);
        // A connection that nobody uses, as browsers keep them, holds up nothing.
        let mut idle = TcpStream::connect(&krishiv.address).unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: krishiv\r\n\r\n").unwrap();
        assert!(idle.read(&mut [0; 1024]).unwrap() > 0);
        assert_eq!(krishiv.stop(signal).code(), Some(0), "{signal}");
    }
}

#[cfg(unix)]
#[test]
fn who_sends_half_a_request_holds_up_no_stop() {
    let mut krishiv = Krishiv::start(&[(TOKEN, SERVICE_TOKEN)]);
    let mut slow = TcpStream::connect(&krishiv.address).unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost:").unwrap();
    // Served after that one was accepted.
    assert_eq!(krishiv.open("/healthz").status, 200);
    assert_eq!(krishiv.stop("TERM").code(), Some(0));
}
