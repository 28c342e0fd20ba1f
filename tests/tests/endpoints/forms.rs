//! Hostile forms, for each endpoint that reads one.

use super::{
    http::Request,
    servers::{BACKCHANNEL, REVOKE},
    world::{World, worlds},
};

const INVALID: &str = r#"{"error":"invalid_request"}"#;

/// The endpoints with their parameter, and a credential for the first.
fn endpoints(world: &World) -> [(&'static str, Request); 2] {
    let revoke = Request::post(REVOKE).bearer(&world.token("caller").build());
    [("token", revoke), ("logout_token", Request::post(BACKCHANNEL))]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_form_is_an_invalid_request_and_revokes_nothing() {
    for world in worlds().await {
        let good = world.token("1").build();
        for (name, request) in endpoints(&world) {
            let forms = [
                String::new(),
                "&&".to_owned(),
                name.to_owned(),
                format!("{name}="),
                format!("{}={good}", name.to_uppercase()),
                format!("{name}={good}&{name}={good}"),
                format!("{name}=x&{name}={good}"),
                format!("{name}={good}&x=1&x=2"),
                {
                    let (first, rest) = name.split_at(1);
                    format!("{name}={good}&%{:x}{rest}=y", first.as_bytes()[0])
                },
                format!("{name}={good}&x=%"),
                format!("{name}={good}%0"),
                format!("{name}={good}&x=%ff"),
                format!("{{\"{name}\":\"{good}\"}}"),
                format!(
                    "--x\r\ncontent-disposition: form-data; name={name}\r\n\r\n{good}\r\n--x--"
                ),
                format!("{name}[]={good}"),
                format!("x={name}&{good}"),
            ];
            for form in forms {
                world.expect(request.clone().form(form), 400, INVALID).await;
            }
            // Bytes that are not text.
            world.expect(request.clone().form(b"token=\xff".as_slice()), 400, INVALID).await;
        }
        world.assert_entries(&[]).await;
        world.assert_good(&world.token("1")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_type_is_not_read_as_a_form() {
    for world in worlds().await {
        let good = world.token("1").build();
        for (name, request) in endpoints(&world) {
            let form = format!("{name}={good}");
            let request = request.body(&*form);
            world.expect(request.clone(), 400, INVALID).await;
            for content_type in
                ["application/json", "text/plain", "multipart/form-data; boundary=x", ""]
            {
                let request = request.clone().field("content-type", content_type);
                world.expect(request, 400, INVALID).await;
            }
            let twice = request.form(&*form).field("content-type", "text/plain");
            world.expect(twice, 400, INVALID).await;
        }
        world.assert_entries(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_count_in_the_body_alone() {
    for world in worlds().await {
        let request = Request::post("/revoke?token=x").bearer(&world.token("1").build());
        world.expect(request.form("other=1"), 400, INVALID).await;
        let request = Request::post("/backchannel-logout?logout_token=x");
        world.expect(request.form("other=1"), 400, INVALID).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_form_is_rejected_also_if_it_does_not_say_how_long_it_is() {
    const LIMIT: usize = 64 * 1024;
    for world in worlds().await {
        for (name, request) in endpoints(&world) {
            let form = |length: usize| {
                let start = format!("{name}=");
                start.clone() + &"a".repeat(length - start.len())
            };
            // It is read, and judged.
            let response = world.send(request.clone().form(form(LIMIT))).await;
            assert_ne!(response.status, 413, "{response:?}");
            world.expect(request.clone().form(form(LIMIT + 1)), 413, INVALID).await;
            let chunk = "a".repeat(0x1000);
            let chunks = format!("1000\r\n{chunk}\r\n").repeat(LIMIT / chunk.len() + 1);
            let request = request.field("transfer-encoding", "chunked");
            world.expect(request.form(chunks + "0\r\n\r\n"), 413, INVALID).await;
        }
        world.assert_entries(&[]).await;
    }
}
