//! The parameters of a request.

use crate::world::{ACCESS_TOKEN, Form, GRANT_TYPE, JWT, ORDERS, World, encode};

const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

#[tokio::test]
async fn the_form_of_the_rfc_is_accepted() {
    let world = World::new().await;
    let endpoint = world.builder().build().unwrap();
    let form = Form::of(&world.token().scope("read write").build());
    for (requested, issued) in
        [(None, ACCESS_TOKEN), (Some(JWT), JWT), (Some(ACCESS_TOKEN), ACCESS_TOKEN)]
    {
        let form = match requested {
            Some(requested) => form.clone().add("requested_token_type", requested),
            None => form.clone(),
        };
        let response = form.send(&endpoint).await;
        assert_eq!(response.outcome(), (200, "issued"));
        assert_eq!(response.body["issued_token_type"], issued);
        assert_eq!(response.body["token_type"], "Bearer");
        assert_eq!(response.body["expires_in"], 900);
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
    for form in [
        form.clone().set("subject_token_type", JWT),
        form.clone().add("audience", ORDERS).add("resource", ORDERS).add("audience", ORDERS),
        form.clone().add("unknown", "x"),
        // Parameters without a value count as missing.
        form.add("scope", "")
            .add("audience", "")
            .add("actor_token", "")
            .add("actor_token_type", ""),
    ] {
        let response = form.send(&endpoint).await;
        assert_eq!(response.outcome(), (200, "issued"), "{form:?}");
        assert_eq!(response.claims(&world).await["aud"], ORDERS);
    }
}

#[tokio::test]
async fn a_malformed_form_is_rejected() {
    let world = World::new().await;
    let endpoint = world.builder().build().unwrap();
    let (good, actor) = (Form::of(&world.token().build()), world.token());
    assert_eq!(good.send(&endpoint).await.status, 200);
    let rows = [
        ("invalid_request", good.clone().without("grant_type")),
        ("unsupported_grant_type", good.clone().set("grant_type", "client_credentials")),
        ("unsupported_grant_type", good.clone().set("grant_type", &GRANT_TYPE.to_uppercase())),
        ("invalid_request", good.clone().without("subject_token")),
        ("invalid_request", good.clone().set("subject_token", "")),
        ("invalid_request", good.clone().without("subject_token_type")),
        ("invalid_request", good.clone().set("subject_token_type", ID_TOKEN)),
        ("invalid_request", good.clone().set("subject_token_type", "jwt")),
        ("invalid_request", good.clone().actor(&actor).without("actor_token_type")),
        ("invalid_request", good.clone().actor(&actor).set("actor_token_type", ID_TOKEN)),
        ("invalid_request", good.clone().actor(&actor).without("actor_token")),
        ("invalid_request", good.clone().add("requested_token_type", ID_TOKEN)),
        ("invalid_request", good.clone().add("grant_type", GRANT_TYPE)),
        ("invalid_request", good.clone().add("subject_token", "x")),
        ("invalid_request", good.clone().add("scope", "a").add("scope", "a")),
        ("invalid_request", good.clone().add("unknown", "x").add("unknown", "x")),
        ("invalid_request", good.clone().add("unknown", "").add("unknown", "")),
        ("invalid_request", good.clone().add("client_id", "a").add("client_id", "b")),
        ("invalid_scope", good.clone().add("scope", "a  b")),
        ("invalid_scope", good.clone().add("scope", "a\"b")),
        ("invalid_target", good.clone().add("resource", "https://orders.test#x")),
        ("invalid_target", good.clone().add("resource", "https://orders.test#")),
        ("invalid_target", good.clone().add("resource", "/orders")),
        ("invalid_target", good.clone().add("resource", ORDERS).add("resource", "orders")),
        ("invalid_target", good.clone().add("audience", "https://orders.test/")),
        ("invalid_target", good.clone().add("audience", ORDERS).add("audience", "other")),
        ("invalid_target", good.clone().add("resource", "https://other.test")),
        ("invalid_target", (0..17).fold(good.clone(), |form, _| form.add("audience", ORDERS))),
    ];
    for (error, form) in rows {
        let response = form.send(&endpoint).await;
        assert_eq!(response.outcome(), (400, error), "{form:?}");
    }
}

#[tokio::test]
async fn an_incomplete_escape_is_rejected() {
    let world = World::new().await;
    let endpoint = world.builder().build().unwrap();
    let token = world.token().build();
    let (grant, kind) = (encode(GRANT_TYPE), encode(ACCESS_TOKEN));
    let good = format!("grant_type={grant}&subject_token={token}&subject_token_type={kind}");
    let form = Form::of("");
    assert_eq!(form.send_body(&endpoint, &good).await.status, 200);
    for end in ["&x=%", "&x=%4", "&x=%zz", "&x=%ff", "&%=x", "%"] {
        let response = form.send_body(&endpoint, &format!("{good}{end}")).await;
        assert_eq!(response.outcome(), (400, "invalid_request"), "{end}");
    }
    let long = "a".repeat(64 * 1024);
    let response = form.send_body(&endpoint, &format!("{good}&x={long}")).await;
    assert_eq!(response.outcome(), (413, "invalid_request"));
}
