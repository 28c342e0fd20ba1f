//! §2.6: who may do what.

use tonic::Code;

use crate::server::{Krishiv, SERVICE_TOKEN, TOKEN, UI_TOKEN, World};

const METHODS: [(&str, usize); 9] = [
    ("Query", 0),
    ("ListJobs", 0),
    ("ReadState", 0),
    ("SubmitQuery", 1),
    ("WriteData", 1),
    ("CancelJob", 2),
    ("Savepoint", 2),
    ("Restore", 2),
    ("ManageExecutors", 2),
];

const ROUTES: [(&str, &str, usize); 3] =
    [("GET", "/api/jobs", 0), ("POST", "/api/queries", 1), ("POST", "/api/jobs/1/cancel", 2)];

#[test]
fn s2_6_each_method_and_route_asks_for_its_role_or_a_higher_one() {
    let world = World::start();
    for (rank, role) in ["reader", "writer", "admin"].into_iter().enumerate() {
        let token = world.of_role(role);
        for (method, required) in METHODS {
            let expected = if rank >= required { Code::Ok } else { Code::PermissionDenied };
            assert_eq!(world.krishiv.call(method, &token).code(), expected, "{role} {method}");
        }
        for (method, path, required) in ROUTES {
            let headers = crate::server::bearer(&token);
            let answer = world.krishiv.send(method, path, &headers);
            let expected = if rank >= required { 200 } else { 403 };
            assert_eq!(answer.status, expected, "{role} {method} {path}");
        }
    }
}

#[test]
fn s2_6_nobody_calls_anything_without_a_token() {
    let world = World::start();
    for (method, _) in METHODS {
        assert_eq!(world.krishiv.call_with(method, &[]).code(), Code::Unauthenticated, "{method}");
    }
    for (method, path, _) in ROUTES {
        assert_eq!(world.krishiv.send(method, path, "").status, 401, "{method} {path}");
    }
}

#[test]
fn s2_6_a_method_that_is_not_served_needs_a_reader_too() {
    let world = World::start();
    let call = |method| world.krishiv.call(method, &world.of_role("reader")).code();
    assert_eq!(call("Unheard"), Code::Unimplemented);
    // Methods are named letter by letter.
    assert_eq!(call("canceljob"), Code::Unimplemented);
    assert_eq!(call("CancelJob%2f"), Code::Unimplemented);
    assert_eq!(world.krishiv.call_with("Unheard", &[]).code(), Code::Unauthenticated);
}

#[test]
fn s2_10_static_tokens_and_those_of_the_provider_are_good_side_by_side() {
    let world = World::start();
    for token in [SERVICE_TOKEN, &world.of_role("admin")] {
        assert_eq!(world.krishiv.call("ManageExecutors", token).code(), Code::Ok);
        assert_eq!(world.krishiv.post("/api/jobs/1/cancel", token).status, 200);
    }
    for token in ["coordinator-toke", "coordinator-token2", "COORDINATOR-TOKEN"] {
        assert_eq!(world.krishiv.get("/api/jobs", token).status, 401);
    }
    // Static tokens alone.
    let krishiv = Krishiv::start(&[(TOKEN, SERVICE_TOKEN)]);
    assert_eq!(krishiv.call("Restore", SERVICE_TOKEN).code(), Code::Ok);
    assert_eq!(krishiv.call("Query", &world.of_role("admin")).code(), Code::Unauthenticated);
}

#[test]
fn s2_2_the_token_of_the_page_reads_over_http_alone() {
    let world = World::start();
    assert_eq!(world.krishiv.get("/api/jobs", UI_TOKEN).status, 200);
    assert_eq!(world.krishiv.post("/api/queries", UI_TOKEN).status, 403);
    let status = world.krishiv.call("Query", UI_TOKEN);
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, "invalid API key"));
    // Who has one token for both is who it says first: a service.
    let krishiv = Krishiv::start(&[(TOKEN, "same"), ("KRISHIV_UI_TOKEN", "same")]);
    assert_eq!(krishiv.call("Restore", "same").code(), Code::Ok);
}

#[test]
fn s2_6_the_public_routes_are_open_whatever_comes_with_them() {
    let world = World::start();
    for (path, body) in [("/healthz", "ok"), ("/readyz", "ready")] {
        for headers in ["", "authorization: Bearer junk\r\n"] {
            let answer = world.krishiv.send("GET", path, headers);
            assert_eq!((answer.status, &*answer.body), (200, body));
        }
    }
    assert_eq!(world.krishiv.open("/").status, 200);
}
