//! The metadata of the service, beside what is guarded.

use actix_web::{
    App,
    http::{Method, header},
    test, web,
};
use portcullis_actix_web::{Authenticator, JwtAuth, ResourceMetadataService, error::ResourceError};
use portcullis_testkit::TestIssuer;

use super::support::{World, allowed, answer, get, request, who};

fn engine(resource: &str) -> Authenticator {
    let issuer = TestIssuer::new("https://idp.test");
    Authenticator::builder().issuer(issuer.trusted()).resource(resource).build().unwrap()
}

#[actix_web::test]
async fn clients_without_a_token_find_the_metadata_that_challenges_name() {
    let auth = engine("https://api.test/mcp");
    let metadata = ResourceMetadataService::new(&auth).unwrap();
    let path = metadata.path().to_owned();
    let app = App::new()
        .service(metadata)
        .service(web::resource("/mcp").route(web::get().to(who)).wrap(JwtAuth::new(auth.clone())));
    let app = test::init_service(app).await;
    let challenge = get(&app, "/mcp", None).await.challenge.unwrap();
    assert_eq!(challenge, format!(r#"Bearer resource_metadata="https://api.test{path}""#));

    let metadata = auth.resource_metadata().unwrap();
    assert_eq!(get(&app, &path, None).await, allowed(metadata.json()));
    for (method, status, field) in [
        (Method::GET, 200, (header::CONTENT_TYPE, "application/json")),
        (Method::OPTIONS, 204, (header::ACCESS_CONTROL_ALLOW_HEADERS, "*")),
        (Method::POST, 405, (header::ALLOW, "GET, HEAD, OPTIONS")),
    ] {
        let response = test::call_service(&app, request(method, &path, None).to_request()).await;
        let headers = response.headers();
        assert_eq!(headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).unwrap(), "*");
        assert_eq!(headers.get(field.0).unwrap(), field.1);
        assert_eq!(answer(response).await.status, status);
    }
}

#[actix_web::test]
async fn each_resource_has_its_own_metadata_whatever_is_in_its_path() {
    let resources = ["https://api.test", "https://api.test/a", "https://api.test/%7Bb%7D/c*"];
    let engines = resources.map(engine);
    let mut app = App::new();
    for auth in &engines {
        app = app.service(ResourceMetadataService::new(auth).unwrap());
    }
    let app = test::init_service(app).await;
    for auth in &engines {
        let metadata = auth.resource_metadata().unwrap();
        assert_eq!(get(&app, metadata.path(), None).await, allowed(metadata.json()));
    }
    for unknown in ["/b", "/a/", "/x/c*", "/%7Bb%7D/c", "/%7Bb%7D/cc"] {
        let path = format!("/.well-known/oauth-protected-resource{unknown}");
        assert_eq!(get(&app, &path, None).await.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn an_engine_without_a_resource_has_none() {
    let error = ResourceMetadataService::new(&World::new().auth).unwrap_err();
    assert!(matches!(error, ResourceError::NotConfigured), "{error:?}");
}
