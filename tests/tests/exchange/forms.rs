//! What a request must be, before its tokens are looked at.

use super::{
    http::Request,
    world::{BASIC, TOKEN, request, worlds},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_exchanged() {
    for world in worlds() {
        let response = world.expect(request().form(world.form()), 200, "").await;
        let body: serde_json::Value = serde_json::from_str(&response.body).unwrap();
        let names: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["access_token", "expires_in", "issued_token_type", "token_type"]);
        assert_eq!((&body["token_type"], &body["expires_in"]), (&"Bearer".into(), &900.into()));
        // Another service cannot tell the frameworks apart.
        let fields: Vec<_> = response.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(fields, ["cache-control", "content-type", "pragma"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_form_that_is_posted_is_read() {
    for world in worlds() {
        for method in ["GET", "PUT", "DELETE", "OPTIONS", "post"] {
            let other = Request::new(method, TOKEN).field("authorization", BASIC);
            let response = world.expect(other.form(world.form()), 405, "").await;
            assert_eq!(response.get("allow"), Some("POST"));
        }
        for content_type in
            ["application/json", "text/plain", "multipart/form-data; boundary=x", ""]
        {
            let other = request().field("content-type", content_type).body(world.form());
            world.expect(other, 400, "invalid_request").await;
        }
        world.expect(request().body(world.form()), 400, "invalid_request").await;
        let twice = request().form(world.form()).field("content-type", "text/plain");
        world.expect(twice, 400, "invalid_request").await;
        let in_query = format!("/token?{}", world.form()).leak();
        let in_query = Request::post(in_query).field("authorization", BASIC);
        world.expect(in_query.form("x=1"), 400, "invalid_request").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_form_is_rejected() {
    for world in worlds() {
        let good = world.form();
        for end in ["&x=%", "&x=%4", "&x=%zz", "&x=%ff", "&scope=a&scope=b", "&%73cope=a&scope=a"] {
            let form = format!("{good}{end}");
            world.expect(request().form(form), 400, "invalid_request").await;
        }
        for form in ["", "&&", "{}", "subject_token=x"] {
            world.expect(request().form(form), 400, "invalid_request").await;
        }
        world.expect(request().form(b"x=\xff".as_slice()), 400, "invalid_request").await;
        let fragment = format!("{good}&resource=https%3A%2F%2Forders.test%23x");
        world.expect(request().form(fragment), 400, "invalid_target").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_form_is_rejected_also_if_it_does_not_say_how_long_it_is() {
    const LIMIT: usize = 64 * 1024;
    for world in worlds() {
        let form = |length: usize| {
            let start = format!("{}&x=", world.form());
            start.clone() + &"a".repeat(length - start.len())
        };
        world.expect(request().form(form(LIMIT)), 200, "").await;
        world.expect(request().form(form(LIMIT + 1)), 413, "invalid_request").await;
        let chunk = "a".repeat(0x1000);
        let chunks = format!("1000\r\n{chunk}\r\n").repeat(LIMIT / chunk.len() + 1);
        let chunked = request().field("transfer-encoding", "chunked");
        world.expect(chunked.form(chunks + "0\r\n\r\n"), 413, "invalid_request").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_must_be_authenticated() {
    for world in worlds() {
        let form = world.form();
        let response = world.expect(Request::post(TOKEN).form(&*form), 401, "invalid_client").await;
        assert_eq!(response.get("www-authenticate"), None);
        let wrong = Request::post(TOKEN).field("authorization", "Basic d2ViOng=");
        let response = world.expect(wrong.form(&*form), 401, "invalid_client").await;
        let challenge = response.get("www-authenticate").unwrap();
        assert_eq!(challenge, r#"Basic realm="token endpoint", charset="UTF-8""#);
        let post = format!("{form}&client_id=web&client_secret=secret");
        world.expect(Request::post(TOKEN).form(&*post), 200, "").await;
        world.expect(request().form(post), 400, "invalid_request").await;
        let twice = request().field("authorization", BASIC).form(form);
        world.expect(twice, 400, "invalid_request").await;
    }
}
