//! Sessions in cookies: a browser stores, sends and removes them.

use std::{env, sync::Arc, time::Duration};

use portcullis::{
    Algorithm, Authenticator, Issuer, NumericDate,
    keys::SigningKey,
    revocation::{CookieAttributes, Revocations},
};
use portcullis_mint::{Minter, session::Sessions};
use portcullis_testkit::ManualClock;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::{
    AUDIENCE, VARIABLE,
    chromium::Chromium,
    dev_tools::{DevTools, FLAG},
    servers::{Framework, LEAVE, LOGIN, LOGOUT, MAYBE, Service, WHO},
};

const OWN: &str = "https://app.test";

/// A service, and the origin under which the browser reaches it.
struct Server {
    clock: ManualClock,
    origin: String,
    cookie_name: String,
}

async fn start(framework: Framework, cookie: CookieAttributes, host: &str) -> Server {
    let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let staleness = Duration::from_secs(1 << 30);
    let auth = Authenticator::builder()
        .issuer(Issuer::new(OWN).key(key.verification_key().unwrap()))
        .audience(AUDIENCE)
        .locations([cookie.location()])
        .clock(clock.clone())
        .revocations(Revocations::memory().max_staleness(staleness))
        .build()
        .unwrap();
    auth.ready().await.unwrap();
    let minter = Minter::new(key).issuer(OWN).clock(clock.clone());
    let sessions = Sessions::builder(&auth, minter, cookie.clone()).build().unwrap();
    let cookie_name = cookie.full_name().into_owned();
    let barrier = Arc::new(Barrier::new(1));
    let claims = json!({"sub": "alice", "aud": AUDIENCE, "scope": "read"});
    let address = framework.start(Service { auth, sessions, cookie, barrier, claims });
    Server { clock, origin: format!("http://{host}:{}", address.port()), cookie_name }
}

/// What a script in the page gets as an answer: status and body.
async fn fetch(page: &mut DevTools, method: &str, url: &str) -> Value {
    let (url, method) = (json!(url), json!(method));
    let script = format!(
        "fetch({url}, {{method: {method}}}).then(async (response) => [response.status, await response.text()])"
    );
    page.run(&script).await
}

/// Returns the session cookie that the browser has stored: its value, and all attributes.
async fn stored(page: &mut DevTools, server: &Server) -> Option<(String, Value)> {
    let cookies = page.cookies().await;
    assert!(cookies.len() <= 1, "{cookies:?}");
    let cookie = cookies.first()?;
    let now = page.run("Date.now() / 1000").await.as_f64().unwrap();
    let left = cookie["expires"].as_f64().unwrap() - now;
    let attributes = json!({
        "name": cookie["name"], "domain": cookie["domain"], "path": cookie["path"],
        "httpOnly": cookie["httpOnly"], "secure": cookie["secure"], "sameSite": cookie["sameSite"],
        "lives for an hour": (3500.0..=3601.0).contains(&left),
    });
    assert_eq!(cookie["name"], server.cookie_name);
    Some((cookie["value"].as_str().unwrap().to_owned(), attributes))
}

/// Logs in, uses and renews the session, and ends it.
async fn journey(page: &mut DevTools, server: &Server, host: &str, is_secure: bool) -> usize {
    let url = |path: &str| format!("{}{path}", server.origin);
    page.open(&url(MAYBE)).await;
    assert_eq!(fetch(page, "GET", WHO).await[0], 401);
    assert_eq!(fetch(page, "POST", LOGIN).await[0], 200);
    let (first, attributes) = stored(page, server).await.expect("the browser accepts the cookie");
    assert_eq!(
        attributes,
        json!({
            "name": server.cookie_name, "domain": host, "path": "/", "httpOnly": true,
            "secure": is_secure, "sameSite": "Lax", "lives for an hour": true,
        })
    );
    assert_eq!(page.run("document.cookie").await, "", "scripts cannot read it");
    for method in ["GET", "POST"] {
        assert_eq!(fetch(page, method, WHO).await, json!([200, "alice"]));
    }
    assert_eq!(stored(page, server).await.unwrap().0, first);
    // It is renewed.
    server.clock.advance(Duration::from_secs(3000));
    assert_eq!(fetch(page, "GET", WHO).await, json!([200, "alice"]));
    let (second, renewed) = stored(page, server).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(renewed, attributes);
    server.clock.advance(Duration::from_secs(3500));
    assert_eq!(fetch(page, "GET", WHO).await, json!([200, "alice"]));
    // It has expired, and is removed.
    server.clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(fetch(page, "GET", MAYBE).await, json!([200, "nobody"]));
    assert_eq!(stored(page, server).await, None);
    // A logout by a handler, and one by the endpoint.
    for (path, status) in [(LEAVE, 200), (LOGOUT, 204)] {
        assert_eq!(fetch(page, "POST", LOGIN).await[0], 200);
        assert_eq!(fetch(page, "GET", WHO).await, json!([200, "alice"]));
        assert_eq!(fetch(page, "POST", path).await[0], status);
        assert_eq!(stored(page, server).await, None);
        assert_eq!(fetch(page, "GET", WHO).await[0], 401);
    }
    18
}

/// What a page of another origin cannot do with a session, though the browser sends the cookie.
async fn from_another_origin(page: &mut DevTools, server: &Server, other: &Server) -> usize {
    page.open(&format!("{}{MAYBE}", server.origin)).await;
    assert_eq!(fetch(page, "POST", LOGIN).await[0], 200);
    let (token, _) = stored(page, server).await.unwrap();
    // Another port is another origin of the same site, so that `SameSite` does not keep the cookie back.
    page.open(&format!("{}{MAYBE}", other.origin)).await;
    for path in [WHO, LEAVE, LOGOUT] {
        let url = json!(format!("{}{path}", server.origin));
        let script = format!(
            "fetch({url}, {{method: 'POST', mode: 'no-cors', credentials: 'include'}}).then(({{type}}) => type)"
        );
        assert_eq!(page.run(&script).await, "opaque");
    }
    // A form, whose answer the browser shows.
    let url = json!(format!("{}{LEAVE}", server.origin));
    let submit = format!(
        "(() => {{ const form = document.createElement('form'); form.method = 'POST'; form.action = {url}; \
         document.body.append(form); form.submit(); }})()"
    );
    page.run(&submit).await;
    let shown = format!("location.href === {url} && document.readyState === 'complete'");
    while page.run(&shown).await != true {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let status = "performance.getEntriesByType('navigation')[0].responseStatus";
    assert_eq!(page.run(status).await, 403);
    // Nothing has happened to the session.
    page.open(&format!("{}{MAYBE}", server.origin)).await;
    assert_eq!(stored(page, server).await.unwrap().0, token);
    assert_eq!(fetch(page, "GET", WHO).await, json!([200, "alice"]));
    assert_eq!(fetch(page, "POST", LOGOUT).await[0], 204);
    7
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_keeps_a_session_from_login_to_logout() {
    let Some(program) = env::var_os(VARIABLE) else {
        println!("SKIPPED browser: no Chromium ({VARIABLE} is set by `cargo xtask test`)");
        return;
    };
    for framework in Framework::ALL {
        let mut answers = 0;
        for (host, is_secure) in [("localhost", true), ("127.0.0.1", false)] {
            let cookie = || {
                let cookie = CookieAttributes::session("session");
                if is_secure { cookie } else { cookie.public_origin("http://127.0.0.1") }
            };
            let server = start(framework, cookie(), host).await;
            // Cookies know no ports: the browser sends this one the session cookie too.
            let other = start(framework, CookieAttributes::new("other"), host).await;
            let browser = Chromium::open(program.as_ref(), &[FLAG], "about:blank");
            let mut page = DevTools::connect(browser.profile()).await;
            answers += journey(&mut page, &server, host, is_secure).await;
            answers += from_another_origin(&mut page, &server, &other).await;
            browser.close().await;
        }
        println!("interop: browser: sessions, {framework:?}: {answers} answers");
    }
}
