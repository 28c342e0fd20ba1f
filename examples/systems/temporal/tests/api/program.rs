//! §1.1: settings, start and end.

use std::{fs, io::Write, net::TcpStream, process::Stdio};

use bytes::Bytes;
use serde_json::json;
use tonic::Code::{Ok, PermissionDenied, Unimplemented};

use crate::server::{
    DESCRIBE, Folder, HEALTH, LIST, START, SYSTEM_INFO, Temporal, UPDATE, code, command, message,
    temporal, temporal_with, token, token_with,
};

const SOURCE: &str = "TEMPORAL_JWT_KEY_SOURCE1";
const PATTERN: &str = "TEMPORAL_JWT_PERMISSIONS_REGEX";
const REFRESH: &str = "TEMPORAL_JWT_KEY_REFRESH";
const AUTHORIZER: &str = "TEMPORAL_AUTH_AUTHORIZER";
const MAPPER: &str = "TEMPORAL_AUTH_CLAIM_MAPPER";

#[test]
fn s1_1_a_bad_or_missing_setting_is_one_line_and_status_2() {
    let mapper = (MAPPER, "default");
    let good = [mapper, (SOURCE, "https://idp.test/jwks.json")];
    let with = |name, value| [&good[..], &[(name, value)]].concat();
    for (variables, args, said) in [
        (vec![mapper], vec![], "set TEMPORAL_JWT_KEY_SOURCE1"),
        (vec![mapper, (SOURCE, " \t")], vec![], "set TEMPORAL_JWT_KEY_SOURCE1"),
        (vec![mapper, (SOURCE, "nonsense")], vec![], "TEMPORAL_JWT_KEY_SOURCE1: "),
        (vec![mapper, (SOURCE, "ftp://idp.test/")], vec![], "TEMPORAL_JWT_KEY_SOURCE1: "),
        (vec![mapper, (SOURCE, "http://idp.test/")], vec![], "TEMPORAL_JWT_KEY_SOURCE1: "),
        (
            with("TEMPORAL_JWT_KEY_SOURCE2", "file://elsewhere/keys.json"),
            vec![],
            "TEMPORAL_JWT_KEY_SOURCE2: file URI with remote host is not supported: file://elsewhere/keys.json",
        ),
        (with(AUTHORIZER, "Custom"), vec![], "unknown authorizer: Custom"),
        (vec![(MAPPER, "Custom")], vec![], "unknown claim mapper: Custom"),
        (vec![(MAPPER, " default")], vec![], "unknown claim mapper:  default"),
        // Temporal goes on with colons, and says nothing.
        (with(PATTERN, "("), vec![], "TEMPORAL_JWT_PERMISSIONS_REGEX: "),
        (with(PATTERN, "(?P<namespace>.*)"), vec![], "TEMPORAL_JWT_PERMISSIONS_REGEX: "),
        (with(PATTERN, "(?P<role>.*)"), vec![], "TEMPORAL_JWT_PERMISSIONS_REGEX: "),
        (
            with(REFRESH, "soon"),
            vec![],
            "TEMPORAL_JWT_KEY_REFRESH needs a duration like `1m30s`, not `soon`",
        ),
        (with(REFRESH, "60"), vec![], "TEMPORAL_JWT_KEY_REFRESH needs "),
        (good.to_vec(), vec!["--port", "1"], "the only option is --listen ADDR"),
        (good.to_vec(), vec!["--listen", "nowhere"], "--listen needs an address"),
    ] {
        let output = command(&variables).args(&args).stderr(Stdio::piped()).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{variables:?} {args:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.starts_with("temporal: ") && errors.contains(said), "{errors}");
        assert!(output.stdout.is_empty());
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_not_taken_for_none() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    for name in [AUTHORIZER, MAPPER, REFRESH, SOURCE, "TEMPORAL_JWT_AUDIENCE"] {
        let mut command = command(&[]);
        let output = command.env(name, OsStr::from_bytes(b"\xff")).stderr(Stdio::piped()).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(errors, format!("temporal: {name} is no text in UTF-8\n"));
    }
}

#[test]
fn s1_1_plug_ins_are_named_in_any_letter_case() {
    let temporal = temporal_with(&[(AUTHORIZER, "DEFAULT"), (MAPPER, "Default")]);
    assert_eq!(temporal.ask(DESCRIBE, &token(&["default:read"])), Ok);
    assert_eq!(temporal.ask(START, &token(&["default:read"])), PermissionDenied);
}

/// What comes of a call with these values of `authorization`.
fn ask(temporal: &Temporal, path: &str, values: &[&str]) -> tonic::Code {
    code(&temporal.call(path, values, message(1, "default")))
}

#[test]
fn s1_1_without_an_authorizer_everything_is_allowed_but_bad_tokens() {
    let temporal = temporal_with(&[(AUTHORIZER, "")]);
    let nothing = format!("Bearer {}", token(&[]));
    for path in [DESCRIBE, UPDATE, LIST, SYSTEM_INFO, HEALTH] {
        for (values, expected) in [
            (&[][..], Ok),
            (&[&*nothing], Ok),
            (&["Bearer a.b.c"], PermissionDenied),
            (&["Basic x"], PermissionDenied),
        ] {
            assert_eq!(ask(&temporal, path, values), expected, "{path} {values:?}");
        }
    }
    assert_eq!(ask(&temporal, "/x.Y/Z", &[]), Unimplemented);
}

#[test]
fn s1_1_without_a_claim_mapper_everyone_is_system_admin() {
    let temporal = Temporal::start(&[(AUTHORIZER, "default")]);
    for values in [&[][..], &["Bearer a.b.c"], &["Basic x"]] {
        for path in [DESCRIBE, UPDATE, LIST, SYSTEM_INFO, HEALTH] {
            assert_eq!(ask(&temporal, path, values), Ok, "{path} {values:?}");
        }
        let admin = "/temporal.server.api.adminservice.v1.AdminService/DescribeCluster";
        assert_eq!(ask(&temporal, admin, values), Unimplemented);
        assert_eq!(ask(&temporal, "/x.Y/Z", values), PermissionDenied);
    }
}

#[test]
fn s1_1_by_default_neither_is_there() {
    let temporal = Temporal::start(&[]);
    for values in [&[][..], &["Bearer a.b.c"]] {
        assert_eq!(ask(&temporal, UPDATE, values), Ok);
        assert_eq!(ask(&temporal, "/x.Y/Z", values), Unimplemented);
    }
}

#[test]
fn s1_1_blank_key_sources_are_skipped() {
    for blank in ["", "  "] {
        let temporal = temporal_with(&[("TEMPORAL_JWT_KEY_SOURCE2", blank)]);
        assert_eq!(temporal.ask(DESCRIBE, &token(&["default:read"])), Ok);
    }
}

#[test]
fn s1_1_the_claim_of_permissions_is_a_name_and_no_path() {
    for name in ["roles", "a.b", "a/b", "/a/b", "/permissions", "a~1b", "https://x.test/p"] {
        let temporal = temporal_with(&[("TEMPORAL_JWT_PERMISSIONS_CLAIM", name)]);
        let (read, admin) = (json!(["default:read"]), json!(["default:admin"]));
        let token = token_with(&json!({"permissions": admin, "a": {"b": admin}, name: read}));
        let codes = [DESCRIBE, START].map(|path| temporal.ask(path, &token));
        assert_eq!(codes, [Ok, PermissionDenied], "{name}");
    }
    let empty = temporal_with(&[("TEMPORAL_JWT_PERMISSIONS_CLAIM", "")]);
    assert_eq!(empty.ask(DESCRIBE, &token(&["default:read"])), Ok);
}

#[test]
fn s1_1_refresh_is_a_duration_of_go() {
    for text in ["", "1m", "1h30m", "1.5s", "0", "-1s", "+2m", "100ms"] {
        let temporal = temporal_with(&[(REFRESH, text)]);
        assert_eq!(temporal.ask(DESCRIBE, &token(&["default:read"])), Ok, "{text}");
    }
}

#[cfg(unix)]
#[test]
fn signals_stop_it_cleanly() {
    for signal in ["TERM", "INT"] {
        let mut temporal = temporal();
        assert!(temporal.call(HEALTH, &[], Bytes::new()).is_ok());
        assert_eq!(temporal.stop(signal).code(), Some(0), "{signal}");
    }
}

#[cfg(unix)]
#[test]
fn a_client_that_connects_and_sends_nothing_does_not_delay_a_stop() {
    let folder = Folder::new("silent");
    let log = folder.file("log");
    let mut temporal = Temporal::start_logging(&[], fs::File::create(&log).unwrap());
    let _silent = TcpStream::connect(&temporal.address).unwrap();
    // Served after that one was accepted.
    assert!(temporal.call(HEALTH, &[], Bytes::new()).is_ok());
    assert_eq!(temporal.stop("TERM").code(), Some(0));
    let log = fs::read_to_string(log).unwrap();
    assert!(!log.contains("still open"), "{log}");
}

#[cfg(unix)]
#[test]
fn a_client_that_sends_half_a_preface_does_not_prevent_a_stop() {
    let mut temporal = Temporal::start(&[]);
    let mut half = TcpStream::connect(&temporal.address).unwrap();
    half.write_all(b"PRI * HTTP/2.0\r\n").unwrap();
    assert!(temporal.call(HEALTH, &[], Bytes::new()).is_ok());
    assert_eq!(temporal.stop("TERM").code(), Some(0));
}
