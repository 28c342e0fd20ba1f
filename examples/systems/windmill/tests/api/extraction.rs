//! §5.2: where the token is, and what is in front of it.

use serde_json::json;

use crate::server::{WHOAMI, token_with, windmill};

/// A token of this user's.
fn of(name: &str) -> String {
    token_with(&json!({"username": name}))
}

fn header(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

fn cookie(token: &str) -> String {
    format!("cookie: a=b; token={token}\r\n")
}

#[test]
fn s5_2_the_order_is_header_then_cookie_then_query() {
    let windmill = windmill();
    let (one, two, three) = (of("one"), of("two"), of("three"));
    let with_query = format!("{WHOAMI}?token={three}");
    for (headers, target, name) in [
        (header(&one) + &cookie(&two), &*with_query, "one"),
        (cookie(&two), &*with_query, "two"),
        (String::new(), &*with_query, "three"),
        (header(&one), WHOAMI, "one"),
        (cookie(&two), WHOAMI, "two"),
        (format!("cookie: token=\"{two}\"\r\n"), WHOAMI, "two"),
    ] {
        let answer = windmill.send("GET", target, &headers, "");
        assert_eq!(answer.status, 200, "{headers}{target}");
        assert_eq!(answer.json()["username"], name, "{headers}{target}");
    }
}

#[test]
fn s5_2_a_bad_token_in_an_earlier_place_is_final() {
    let windmill = windmill();
    let good = of("alice");
    let bare = good.strip_prefix("jwt_ext_").unwrap();
    for first in [
        "authorization: Bearer junk\r\n",
        "authorization: Bearer jwt_ext_junk\r\n",
        "authorization: Bearer jwt_guest_junk\r\n",
        &header(bare),
    ] {
        let answer = windmill.whoami(&format!("{first}{}", cookie(&good)));
        assert_eq!(answer.status, 401, "{first}");
    }
    let answer = windmill.send("GET", &format!("{WHOAMI}?token={good}"), &cookie("junk"), "");
    assert_eq!(answer.status, 401);
}

#[test]
fn s5_2_an_empty_bearer_is_final() {
    let windmill = windmill();
    let good = cookie(&of("alice"));
    for empty in ["authorization: Bearer \r\n", "authorization: Bearer\r\n", &header("jwt_ext_")] {
        assert_eq!(windmill.whoami(&format!("{empty}{good}")).status, 401, "{empty}");
    }
    assert_eq!(windmill.whoami(&good).status, 200);
}

#[test]
fn s5_2_a_header_of_another_scheme_falls_through() {
    let windmill = windmill();
    let (good, other) = (of("alice"), of("bob"));
    for header in [
        "authorization: Basic YTpi\r\n".to_owned(),
        format!("authorization: bearer {other}\r\n"),
        format!("authorization: BEARER {other}\r\n"),
        format!("authorization: Bearer\t{other}\r\n"),
        format!("authorization: {other}\r\n"),
        format!("authorization: Basic YTpi\r\nauthorization: Bearer {other}\r\n"),
    ] {
        let answer = windmill.whoami(&format!("{header}{}", cookie(&good)));
        assert_eq!(answer.status, 200, "{header}");
        assert_eq!(answer.json()["username"], "alice", "{header}");
    }
}

#[test]
fn s5_2_what_follows_the_scheme_is_taken_as_it_is() {
    let windmill = windmill();
    let good = of("alice");
    assert_eq!(windmill.whoami(&format!("authorization: Bearer  {good}\r\n")).status, 401);
    assert_eq!(windmill.whoami(&format!("authorization: Bearer {good} x\r\n")).status, 401);
}

#[test]
fn s5_2_repeated_prefixes_are_stripped_and_one_must_be_there() {
    let windmill = windmill();
    let good = of("alice");
    let bare = good.strip_prefix("jwt_ext_").unwrap();
    for (token, status) in [
        (bare.to_owned(), 401),
        (good.clone(), 200),
        (format!("jwt_ext_{good}"), 200),
        (format!("jwt_ext_jwt_ext_{good}"), 200),
        (format!("jwt_{bare}"), 401),
        (format!("jwt_guest_{bare}"), 401),
        (format!("jwt_guest_{good}"), 401),
        (format!("JWT_EXT_{bare}"), 401),
    ] {
        assert_eq!(windmill.whoami(&header(&token)).status, status, "{token}");
        assert_eq!(windmill.whoami(&cookie(&token)).status, status, "{token}");
        let target = format!("{WHOAMI}?token={token}");
        assert_eq!(windmill.send("GET", &target, "", "").status, status, "{token}");
    }
}

#[test]
fn s5_2_options_passes_without_and_with_any_token() {
    let windmill = windmill();
    for path in ["users/whoami", "scripts/create", "jobs/run/p/u/bob/x", "folders/update/f"] {
        for headers in ["", "authorization: Bearer junk\r\n"] {
            let answer = windmill.send("OPTIONS", &format!("/api/w/demo/{path}"), headers, "");
            assert_eq!(answer.status, 200, "{path} {headers}");
            assert_eq!(answer.body, "");
        }
    }
}

#[test]
fn s5_2_the_workspace_is_the_one_of_the_path() {
    let windmill = windmill();
    let token = token_with(&json!({"workspace_ids": ["second"]}));
    for (workspace, status) in [("demo", 200), ("second", 200), ("third", 401)] {
        let answer = windmill.ask("GET", &format!("/api/w/{workspace}/users/whoami"), &token);
        assert_eq!(answer.status, status, "{workspace}");
        if status == 200 {
            assert_eq!(answer.json()["workspace_id"], workspace);
        }
    }
}
