//! §3.1: settings, start and end.

use std::process::Stdio;

use portcullis_axum::{Algorithm, keys::SigningKey};

use crate::server::{airflow, command};

#[test]
fn s3_1_a_bad_or_missing_setting_is_one_line_and_status_2() {
    let folder = std::env::temp_dir().join(format!("airflow-{}-settings", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let ec = folder.join("ec.pem");
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    std::fs::write(&ec, key.to_pem().unwrap().unwrap()).unwrap();
    let ec = ec.to_str().unwrap();
    let good = ("AIRFLOW__API_AUTH__JWT_SECRET", "secret");
    let private = "AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH";
    for (variables, args, text) in [
        (vec![], vec![], "jwt_secret"),
        (vec![("AIRFLOW__API_AUTH__JWT_SECRET", " ")], vec![], "jwt_secret"),
        (vec![good, (private, ec)], vec![], "not both"),
        (vec![good, ("AIRFLOW__API_AUTH__TRUSTED_JWKS_URL", "/x")], vec![], "TRUSTED_JWKS_URL"),
        (vec![(private, ec)], vec![], "neither RSA nor Ed25519"),
        (vec![(private, ec), ("AIRFLOW__API_AUTH__JWT_ALGORITHM", "ES256")], vec![], "neither RSA"),
        (vec![(private, "/nowhere.pem")], vec![], private),
        (vec![good, ("AIRFLOW__API_AUTH__JWT_ALGORITHM", "XY")], vec![], "JWT_ALGORITHM"),
        (vec![good, ("AIRFLOW__API_AUTH__JWT_ALGORITHM", "HS256,RS256")], vec![], "JWT_ALGORITHM"),
        (vec![good, ("AIRFLOW__API_AUTH__JWT_LEEWAY", "x")], vec![], "JWT_LEEWAY"),
        (
            vec![good, ("AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME", "-1")],
            vec![],
            "JWT_EXPIRATION_TIME",
        ),
        (vec![good, ("AIRFLOW_EXAMPLE_USERS", "alice")], vec![], "AIRFLOW_EXAMPLE_USERS"),
        (vec![good, ("AIRFLOW_EXAMPLE_USERS", "alice:x:ROOT")], vec![], "AIRFLOW_EXAMPLE_USERS"),
        (vec![good], vec!["--port", "1"], "the only option is --listen ADDR"),
        (vec![good], vec!["--listen", "nowhere"], "--listen needs an address"),
    ] {
        let output = command(&variables).args(&args).stderr(Stdio::piped()).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{variables:?} {args:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains(text), "{errors}");
        assert!(output.stdout.is_empty());
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[cfg(unix)]
#[test]
fn signals_stop_it_cleanly() {
    for signal in ["TERM", "INT"] {
        let mut airflow = airflow();
        let status = airflow.stop(signal);
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}
