//! An MCP client that we did not write finds its way into an MCP server that we did not write, which
//! our layers stand in front of.
//!
//! The server is that of `rmcp`, the client that of the official TypeScript SDK, and the tokens are
//! those of `oidc-provider`. The client knows nothing but the URL of the server, and its own id and
//! secret at the provider: the rest it reads in the challenge and in the protected resource metadata
//! (RFC 9728). `PORTCULLIS_INTEROP_MCP_SCRIPT` names its script: `interop/mcp.mjs`, whose first lines
//! say what it tells.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what is no test function here runs in tests alone"
)]

use std::{
    env,
    net::SocketAddr,
    process::{Command, Stdio},
    sync::Arc,
};

use axum::{Router, http::request::Parts};
use conformance::provider::Provider;
use portcullis_axum::{
    Authenticator, Caller, Issuer, JwtAuthLayer, RequireLayer, ResourceMetadataService,
    issuer::TokenProfile, policy::scope, resource_metadata::ProtectedResource,
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, JsonObject,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const VARIABLE: &str = "PORTCULLIS_INTEROP_MCP_SCRIPT";
const CLIENTS: [&str; 4] = ["rs256", "ps256", "es256", "eddsa"];

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_knows_the_url_alone_gets_in() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let resource = format!("http://{address}/mcp");
    let Some(provider) = Provider::start_with(&[&resource]) else { return };
    let app = app(&provider, &resource);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let report = tokio::task::spawn_blocking(move || run_client(&resource)).await.unwrap();

    let verdicts = check_metadata(&report, address, &provider.issuer)
        + check_rejections(&report, address)
        + check_clients(&report);
    println!("interop: MCP: a client of the TypeScript SDK: {verdicts} verdicts");
}

/// As a service would have it, but for the plain http of one machine.
fn app(provider: &Provider, resource: &str) -> Router {
    let resource = ProtectedResource::new(resource)
        .scopes_supported(["orders:read", "orders:write"])
        .resource_name("Orders");
    let auth = Authenticator::builder()
        .issuer(Issuer::discover(&provider.issuer).profile(TokenProfile::AtJwt))
        .resource(resource)
        .build()
        .unwrap();
    let metadata = ResourceMetadataService::new(&auth).unwrap();
    let mcp = StreamableHttpService::new(
        || Ok(Orders),
        Arc::<LocalSessionManager>::default(),
        StreamableHttpServerConfig::default(),
    );
    Router::new()
        .route_service("/mcp", mcp)
        .route_layer(RequireLayer::new(scope("orders:write")))
        .route_layer(JwtAuthLayer::new(auth))
        .route_service(metadata.path(), metadata.clone())
}

/// An MCP server with one tool, which says who calls it.
#[derive(Clone)]
struct Orders;

impl ServerHandler for Orders {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema: JsonObject = [("type".to_owned(), "object".into())].into_iter().collect();
        let tool = Tool::new("whoami", "Says who calls", schema);
        Ok(ListToolsResult::with_all_items(vec![tool]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        assert_eq!(request.name, "whoami");
        let parts = context.extensions.get::<Parts>().expect("rmcp passes the request on");
        let caller = Caller::find(&parts.extensions).expect("the layer leaves the caller");
        let subject = ContentBlock::text(caller.subject());
        Ok(CallToolResult::success(vec![subject]).into())
    }
}

fn run_client(url: &str) -> Value {
    let script = env::var_os(VARIABLE).unwrap_or_else(|| {
        panic!("{VARIABLE} must name a script: `cargo xtask test` installs and sets it")
    });
    let output = Command::new("node")
        .arg(script)
        .arg(url)
        .args(CLIENTS)
        .stderr(Stdio::inherit())
        .output()
        .expect("node is there");
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The client was led from the challenge to the metadata, and from there to the provider.
fn check_metadata(report: &Value, address: SocketAddr, issuer: &str) -> usize {
    assert_eq!(report["challenge"], json!({"status": 401, "url": metadata_url(address)}));
    let metadata = json!({
        "resource": format!("http://{address}/mcp"),
        "authorization_servers": [issuer],
        "scopes_supported": ["orders:read", "orders:write"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Orders"
    });
    assert_eq!(report["metadata"], metadata);
    assert_eq!(report["discovered"], metadata);
    assert_eq!(report["issuer"], issuer);
    1
}

/// The client understands why it is rejected.
fn check_rejections(report: &Value, address: SocketAddr) -> usize {
    let url = metadata_url(address);
    let insufficient = json!({
        "status": 403, "url": url, "error": "insufficient_scope", "scope": "orders:write"
    });
    assert_eq!(report["insufficient"], insufficient);
    for bad in ["spoiled", "elsewhere"] {
        let expected = json!({"status": 401, "url": url, "error": "invalid_token"});
        assert_eq!(report[bad], expected, "{bad}");
    }
    // The SDK asked for another token because of the first 403, and gave up after the second.
    let limited = &report["limited"];
    assert_eq!(limited["statuses"], json!([401, 403, 403]), "{limited}");
    let message = limited["error"].as_str().unwrap();
    assert!(message.contains("Server returned 403 after trying upscoping"), "{message}");
    3 + 3
}

/// Each client got a token by itself, and the tool knows whose it is.
fn check_clients(report: &Value) -> usize {
    let check = |client: &str| {
        let session = &report["clients"][client];
        assert_eq!(session["tools"], json!(["whoami"]), "{client}: {session}");
        assert_eq!(session["content"], json!([{"type": "text", "text": client}]), "{session}");
        // A session is no credential: who calls is who sent the request.
        let borrowed = json!({"status": 200, "content": [{"type": "text", "text": CLIENTS[0]}]});
        assert_eq!(session["borrowed"], borrowed, "{session}");
        let statuses = session["statuses"].as_array().unwrap();
        let [first, rest @ ..] = statuses.as_slice() else { panic!("{session}") };
        assert_eq!(*first, 401, "{session}");
        // At least `initialize`, `initialized`, the list and the call.
        assert!(rest.len() >= 4, "{session}");
        assert!(
            rest.iter().all(|status| [200, 202, 204].map(Value::from).contains(status)),
            "{session}"
        );
        statuses.len() + 1
    };
    CLIENTS.map(check).into_iter().sum()
}

fn metadata_url(address: SocketAddr) -> String {
    format!("http://{address}/.well-known/oauth-protected-resource/mcp")
}
