//! §2.2: where the token is.

use tonic::Code;

use crate::server::{SERVICE_TOKEN, World};

const MISSING: (Code, &str) = (Code::Unauthenticated, "missing Bearer token");
const INVALID: (Code, &str) = (Code::Unauthenticated, "invalid API key");

#[test]
fn s2_2_grpc_reads_bearer_letter_by_letter_and_trims_the_token() {
    let world = World::start();
    let token = world.of_role("reader");
    for (value, expected) in [
        (format!("Bearer {token}"), (Code::Ok, "")),
        (format!("Bearer    {token}  "), (Code::Ok, "")),
        (format!("Bearer \t{token}"), (Code::Ok, "")),
        (format!("Bearer {SERVICE_TOKEN} "), (Code::Ok, "")),
        (format!("bearer {token}"), MISSING),
        (format!("BEARER {token}"), MISSING),
        (format!("Bearer\t{token}"), MISSING),
        (format!("Bearer{token}"), MISSING),
        (format!("Basic {token}"), MISSING),
        (token.clone(), MISSING),
        ("Bearer".to_owned(), MISSING),
        ("Bearer ".to_owned(), MISSING),
        ("Bearer   ".to_owned(), MISSING),
        (String::new(), MISSING),
        (format!("Bearer {token} {token}"), INVALID),
        ("Bearer junk".to_owned(), INVALID),
    ] {
        let status = world.krishiv.call_with("Query", &[&value]);
        assert_eq!((status.code(), status.message()), expected, "{value:?}");
    }
    let none = world.krishiv.call_with("Query", &[]);
    assert_eq!((none.code(), none.message()), MISSING);
    // Nobody can say which of two counts.
    let both = [&*format!("Bearer {token}"), &*format!("Bearer {SERVICE_TOKEN}")];
    let status = world.krishiv.call_with("Query", &both);
    assert_eq!((status.code(), status.message()), INVALID);
}

#[test]
fn s2_2_http_reads_bearer_in_any_letter_case_and_trims_the_token() {
    let world = World::start();
    let token = world.of_role("reader");
    for (headers, status, body) in [
        (format!("authorization: Bearer {token}\r\n"), 200, ""),
        (format!("authorization: bearer {token}\r\n"), 200, ""),
        (format!("Authorization: BEARER   {token}  \r\n"), 200, ""),
        (format!("authorization: bEaReR {SERVICE_TOKEN}\r\n"), 200, ""),
        ("authorization: Bearer\r\n".to_owned(), 401, "missing bearer token"),
        ("authorization: bearer   \r\n".to_owned(), 401, "missing bearer token"),
        (format!("authorization: Basic {token}\r\n"), 401, "missing bearer token"),
        (String::new(), 401, "missing bearer token"),
        ("authorization: Bearer junk\r\n".to_owned(), 401, "invalid bearer token"),
        (format!("authorization: Bearer {token} x\r\n"), 401, "invalid bearer token"),
        (format!("authorization: Bearer {token}\r\n").repeat(2), 401, "invalid bearer token"),
        (format!("authorization: Bearer {}\r\n", "a".repeat(20_000)), 401, "invalid bearer token"),
    ] {
        let answer = world.krishiv.send("GET", "/api/jobs", &headers);
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.body);
        assert!(status == 200 || answer.body == body, "{headers:?}: {}", answer.body);
    }
}

#[test]
fn s2_2_there_is_no_cookie_and_no_query() {
    let world = World::start();
    let token = world.of_role("admin");
    let cookie = format!("cookie: token={token}; access_token={token}\r\n");
    let query = format!("/api/jobs?token={token}&access_token={token}");
    for (target, headers) in [("/api/jobs", &*cookie), (&*query, "")] {
        let answer = world.krishiv.send("GET", target, headers);
        assert_eq!((answer.status, &*answer.body), (401, "missing bearer token"));
    }
}
