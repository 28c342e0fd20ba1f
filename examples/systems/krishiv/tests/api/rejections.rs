//! §2.7: what a rejected caller is told, and what the log says.

use tonic::Code;

use crate::server::{SERVICE_TOKEN, UI_TOKEN, World};

#[test]
fn s2_7_every_bad_token_gets_the_same_over_grpc() {
    let world = World::start();
    for token in [
        "junk".to_owned(),
        world.token().expired().build(),
        world.token().wrong_signature().build(),
        world.issuer.token().audience("other").build(),
        world.token().claim("krishiv_role", 1).build(),
        UI_TOKEN.to_owned(),
    ] {
        let status = world.krishiv.call("Query", &token);
        assert_eq!((status.code(), status.message()), (Code::Unauthenticated, "invalid API key"));
        assert!(status.details().is_empty());
        assert!(status.metadata().get("www-authenticate").is_none());
    }
    let status = world.krishiv.call_with("Query", &[]);
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, "missing Bearer token"));
}

#[test]
fn s2_7_a_role_that_is_too_low_is_told_with_the_one_that_is_needed() {
    let world = World::start();
    let bare = world.token().build();
    for (token, method, path, text) in [
        (
            world.of_role("reader"),
            "SubmitQuery",
            "/api/queries",
            "principal reader:alice has role Reader; required role Writer",
        ),
        (
            world.of_role("writer"),
            "ManageExecutors",
            "/api/jobs/1/cancel",
            "principal writer:alice has role Writer; required role Admin",
        ),
        (
            bare,
            "Savepoint",
            "/api/jobs/1/cancel",
            "principal alice has role Reader; required role Admin",
        ),
    ] {
        let status = world.krishiv.call(method, &token);
        assert_eq!((status.code(), status.message()), (Code::PermissionDenied, text));
        let answer = world.krishiv.post(path, &token);
        assert_eq!((answer.status, &*answer.body), (403, text));
    }
}

#[test]
fn s2_7_http_rejections_carry_the_challenge_and_are_plain_texts() {
    let world = World::start();
    let missing = world.krishiv.open("/api/jobs");
    assert_eq!((missing.status, &*missing.body), (401, "missing bearer token"));
    assert_eq!(missing.field("www-authenticate"), Some("Bearer"));
    for (token, why) in [
        (world.token().expired().build(), "the token has expired"),
        (world.token().wrong_signature().build(), "the token's signature is wrong"),
        (world.issuer.token().audience("other").build(), "the token is meant for another audience"),
    ] {
        let answer = world.krishiv.get("/api/jobs", &token);
        assert_eq!((answer.status, &*answer.body), (401, "invalid bearer token"));
        assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
        let challenge = answer.field("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer ") && challenge.contains(why), "{challenge}");
    }
}

#[test]
fn s2_7_a_subject_cannot_write_a_header_or_a_second_line() {
    let world = World::start();
    let token = world.token().subject("eve\r\nset-cookie: x=1\n\u{202e}\u{e9}").build();
    let status = world.krishiv.call("CancelJob", &token);
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().starts_with("principal eve\r\nset-cookie"), "{}", status.message());
    assert!(status.metadata().get("set-cookie").is_none());
    let answer = world.krishiv.post("/api/jobs/1/cancel", &token);
    assert_eq!((answer.status, answer.field("set-cookie")), (403, None));
    assert!(!answer.head.contains("eve"), "{}", answer.head);
    let log = world.krishiv.log();
    assert!(log.contains("cause=principal eve"), "{log}");
    assert!(!log.lines().any(|line| line.starts_with("set-cookie")), "{log}");
}

#[test]
fn s2_7_the_log_has_fingerprints_and_no_token() {
    let world = World::start();
    let (good, expired) = (world.of_role("reader"), world.token().expired().build());
    for token in [&*good, &*expired, SERVICE_TOKEN, UI_TOKEN, "wrong-static-token"] {
        world.krishiv.get("/api/jobs", token);
        world.krishiv.call("CancelJob", token);
    }
    let log = world.krishiv.log();
    assert!(log.contains("token_expired"), "{log}");
    for secret in [&*good, &*expired, SERVICE_TOKEN, UI_TOKEN, "wrong-static-token"] {
        assert!(!log.contains(secret), "{log}");
        let signature = secret.rsplit('.').next().unwrap();
        assert!(!log.contains(signature), "{log}");
    }
}
