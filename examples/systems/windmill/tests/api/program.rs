//! §5.1: settings, start and end.

use std::process::Stdio;

use crate::server::{KEY, Windmill, command, windmill};

#[test]
fn s5_1_a_bad_or_missing_setting_is_one_line_and_status_2() {
    let pem = KEY.public_key_pem().unwrap();
    let good = ("JWT_EXT_PUBLIC_KEY", &*pem);
    for (variables, args, said) in [
        (vec![], vec![], "JWT_EXT_PUBLIC_KEY or JWT_EXT_JWKS_URL"),
        (vec![("JWT_EXT_PUBLIC_KEY", "")], vec![], "JWT_EXT_PUBLIC_KEY or JWT_EXT_JWKS_URL"),
        (vec![("JWT_EXT_PUBLIC_KEY", "nonsense")], vec![], "JWT_EXT_PUBLIC_KEY: "),
        (vec![("JWT_EXT_JWKS_URL", "nonsense")], vec![], "JWT_EXT_JWKS_URL: "),
        (vec![("JWT_EXT_JWKS_URL", "http://keys.example.com/")], vec![], "JWT_EXT_JWKS_URL: "),
        (vec![good, ("JWT_EXT_JWKS_URL", "ftp://127.0.0.1/")], vec![], "JWT_EXT_JWKS_URL: "),
        (vec![good], vec!["--port", "1"], "the only option is --listen ADDR"),
        (vec![good], vec!["--listen"], "the only option is --listen ADDR"),
        (vec![good], vec!["--listen", "nowhere"], "--listen needs an address"),
    ] {
        let output = command(&variables).args(&args).stderr(Stdio::piped()).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{variables:?} {args:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains(said), "{errors}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn s5_1_a_pem_of_another_kind_than_rsa_is_rejected() {
    use portcullis_axum::Algorithm;
    let key = portcullis_testkit::SigningKey::generate(Algorithm::ES256, "x");
    let pem = key.public_key_pem().unwrap();
    let output = command(&[("JWT_EXT_PUBLIC_KEY", &pem)]).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_health_check_is_open() {
    let answer = windmill().send("GET", "/healthz", "authorization: Bearer junk\r\n", "");
    assert_eq!(answer.status, 200);
}

#[cfg(unix)]
#[test]
fn signals_stop_it_cleanly() {
    for signal in ["TERM", "INT"] {
        let mut windmill: Windmill = windmill();
        let status = windmill.stop(signal);
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}
