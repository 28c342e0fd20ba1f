//! A page of another origin sees rejections and their challenges, if the layers stand in the order that
//! `docs/cors.md` gives, and not if they do not. Its event sources and WebSockets are let in by the
//! tokens that a page can give them.
//!
//! The page is shown by the Chromium that `PORTCULLIS_INTEROP_BROWSER` names. Everything is on this
//! machine; ports make the origins. Another framework is one more entry of `FRAMEWORKS`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what is no test function here runs in tests alone"
)]

#[path = "browser/axum.rs"]
mod axum;
#[path = "browser/chromium.rs"]
mod chromium;
#[path = "browser/dev_tools.rs"]
mod dev_tools;
#[path = "browser/page.rs"]
mod page;
#[path = "browser/request.rs"]
mod request;
#[path = "sessions/servers.rs"]
mod servers;
#[path = "browser/sessions.rs"]
mod sessions;
#[path = "browser/table.rs"]
mod table;

use std::{
    env,
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use portcullis::{
    AuthErrorKind, Authenticator, Grant, NumericDate, Policy, TokenLocation,
    policy::{self, scope},
};
use portcullis_testkit::{ManualClock, TestIssuer};
use serde_json::{Value, json};

use chromium::Chromium;
use request::Token;
use table::{Layers, Row};

const VARIABLE: &str = "PORTCULLIS_INTEROP_BROWSER";
const AUDIENCE: &str = "orders";

/// Starts a service on a listener, in the background.
type Serve = fn(TcpListener, Layers, Service);

const FRAMEWORKS: [(&str, Serve); 1] = [("axum", axum::serve)];

/// Longer than anything here takes: what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What each framework's service is made from.
#[derive(Clone)]
struct Service {
    auth: Authenticator,
    /// The origin of the page.
    page: String,
    log: Log,
}

/// What `/orders`, `/events` and `/chat` ask for.
fn may_read() -> Policy {
    scope("orders:read")
}

/// What `/down` asks for.
fn cannot_tell() -> Policy {
    policy::check(|_, _: &Grant| Err(AuthErrorKind::ResolverUnavailable.into()))
}

#[tokio::test]
async fn a_page_of_another_origin_sees_what_the_order_of_layers_lets_it_see() {
    let Some(browser) = env::var_os(VARIABLE) else {
        println!("SKIPPED browser: no Chromium ({VARIABLE} is set by `cargo xtask test`)");
        return;
    };
    let rows = table::rows();
    for (framework, serve) in FRAMEWORKS {
        let log = Log::default();
        let seen = show(browser.as_ref(), &rows, serve, &log).await;
        let seen = seen.as_array().unwrap_or_else(|| panic!("the page failed: {seen}"));
        let failures = failures(&rows, seen, &log);
        assert!(failures.is_empty(), "{framework}:\n{}", failures.join("\n"));
        println!("interop: browser: {framework}: {} answers", rows.len());
    }
}

/// Has the browser show the page, and returns what the page saw.
async fn show(browser: &Path, rows: &[Row], serve: Serve, log: &Log) -> Value {
    let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
    let issuer = TestIssuer::new("https://idp.test").clock(clock.clone());
    let mut places = TokenLocation::header_query_cookie("access_token").to_vec();
    places.push(TokenLocation::web_socket_protocol("access_token"));
    let (listener, page) = listen();
    let auth = |allowed_origins: &[String]| {
        Authenticator::builder()
            .issuer(issuer.trusted())
            .audience(AUDIENCE)
            .locations(places.clone())
            .allowed_origins(allowed_origins)
            .realm("orders")
            .clock(clock.clone())
            .build()
            .unwrap()
    };
    let service = |layers| {
        let allowed = if layers == Layers::AllowedPage { vec![page.clone()] } else { Vec::new() };
        Service { auth: auth(&allowed), page: page.clone(), log: log.clone() }
    };
    let servers = Layers::ALL.map(|layers| {
        let (listener, server) = listen();
        serve(listener, layers, service(layers));
        (layers, server)
    });
    let plan = rows.iter().enumerate().map(|(number, row)| {
        let (_, server) = servers.iter().find(|(layers, _)| *layers == row.layers).unwrap();
        row.request.for_page(number, server, &issuer)
    });
    let seen = page::serve(listener, &plan.collect(), &Token::CarolsOwn.mint(&issuer));

    let mut browser = Chromium::open(browser, &[], &page);
    let seen = tokio::select! {
        seen = seen => seen.expect("a report that can be read"),
        said = browser.ended() => panic!("the browser has ended: {said}"),
        () = tokio::time::sleep(PATIENCE) => panic!("no report in time: {}", browser.said()),
    };
    browser.close().await;
    seen
}

fn failures(rows: &[Row], seen: &[Value], log: &Log) -> Vec<String> {
    assert_eq!(rows.len(), seen.len(), "{seen:?}");
    let judge = |(number, (row, seen)): (usize, (&Row, &Value))| {
        let expected = json!([row.page.as_reported(), row.server]);
        let got = json!([seen, log.of_row(number)]);
        (expected != got).then(|| format!("{}:\n  expected {expected}\n  got      {got}", row.name))
    };
    rows.iter().zip(seen).enumerate().filter_map(judge).collect()
}

/// A listener on a free port, which frameworks can poll, and its origin.
fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    (listener, origin)
}

/// What the services have answered, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(usize, String, u16)>>>);

impl Log {
    /// Notes an answer. The query of the request names its row.
    fn note(&self, query: Option<&str>, method: &str, status: u16) {
        let query = query.unwrap_or_default();
        let row = query.split('&').find_map(|pair| pair.strip_prefix("row="));
        let row = row.expect("a row").parse().unwrap();
        self.0.lock().unwrap().push((row, method.to_owned(), status));
    }

    fn of_row(&self, row: usize) -> Vec<(String, u16)> {
        let answers = self.0.lock().unwrap();
        let answers = answers.iter().filter(|(of, ..)| *of == row);
        answers.map(|(_, method, status)| (method.clone(), *status)).collect()
    }
}
