//! The page in a real browser: what a person sees of it, and what becomes of the token.

use portcullis_testkit::KeyServer;
use serde_json::{Value, json};

use crate::{
    devtools::{ENTER, SHIFT_TAB, SPACE, TAB, Tab, program},
    server::{AUDIENCE, Krishiv, URI, World},
};

/// Whether the form is shown, and what nobody has signed in with.
const SIGNED_OUT: &str = "!document.querySelector('#sign-in').hidden \
    && document.querySelector('#signed-in').hidden \
    && document.querySelector('#sign-out').hidden \
    && localStorage.length === 0";
const SIGNED_IN: &str = "document.querySelector('#sign-in').hidden \
    && !document.querySelector('#signed-in').hidden \
    && document.querySelectorAll('#jobs tr').length === 3";
const ROLE: &str = "document.querySelector('#role').textContent";
const MESSAGE: &str = "document.querySelector('#message').textContent";
const FOCUS: &str = "document.activeElement.id || document.activeElement.ariaLabel || document.activeElement.textContent";

/// The page of the program, in a browser.
pub(crate) struct Shown {
    pub(crate) tab: Tab,
    origin: String,
}

impl Shown {
    /// Opens the page, with nobody signed in.
    pub(crate) async fn open(krishiv: &Krishiv) -> Option<Self> {
        let origin = format!("http://{}", krishiv.address);
        let mut tab = Tab::open(program()?).await;
        tab.visit(&format!("{origin}/")).await;
        tab.until(SIGNED_OUT).await;
        Some(Self { tab, origin })
    }

    /// Pastes a token and presses the button.
    pub(crate) async fn sign_in(&mut self, token: &str) {
        self.tab.click("#token").await;
        self.tab.paste(token).await;
        self.tab.click("#sign-in button").await;
    }

    pub(crate) async fn until_says(&mut self, words: &str) {
        self.tab.until(&format!("{MESSAGE}.includes({})", json!(words))).await;
    }

    /// Ends the browser, after a look at all that it has done.
    pub(crate) async fn close(mut self, tokens: &[&str]) {
        assert_eq!(self.tab.text("location.href").await, format!("{}/", self.origin));
        for request in self.tab.events("Network.requestWillBeSent") {
            let (url, method) =
                (request["request"]["url"].as_str().unwrap(), &request["request"]["method"]);
            assert!(url.starts_with(&self.origin) || url == "about:blank", "{url}");
            assert!(!url.contains('?'), "{method} {url}");
            for token in tokens {
                assert!(!url.contains(token), "{method} {url}");
                assert!(!request["request"]["postData"].to_string().contains(token), "{request}");
            }
        }
        assert_eq!(self.tab.events("Runtime.exceptionThrown"), Vec::<Value>::new());
        // Chromium notes each rejection of a request here; what else it notes is a fault.
        let notes = self.tab.events("Log.entryAdded").into_iter();
        let faults: Vec<_> = notes.filter(|note| note["entry"]["source"] != "network").collect();
        assert!(faults.is_empty(), "{faults:?}");
        self.tab.close().await;
        println!("interop: browser: krishiv: 1 journey");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_signs_in_stays_signed_in_is_rejected_and_signs_out() {
    let world = World::start();
    let Some(mut page) = Shown::open(&world.krishiv).await else { return };
    let token = world.of_role("reader");
    // As a terminal wraps it, with the scheme in front.
    let (start, end) = token.split_at(40);
    page.sign_in(&format!(" Bearer {start}\n  {end}\n")).await;
    page.tab.until(SIGNED_IN).await;
    assert_eq!(page.tab.text(ROLE).await, "reader");
    assert_eq!(
        page.tab.text("document.querySelector('#principal').textContent").await,
        "reader:alice"
    );
    assert_eq!(page.tab.text("localStorage.getItem('krishiv.token')").await, token);
    assert_eq!(page.tab.text("document.querySelector('#token').value").await, "");
    let rights = page.tab.text("document.querySelector('#rights').innerText").await;
    assert!(rights.contains("You may see jobs."), "{rights}");
    assert!(rights.contains("You may not cancel jobs: that needs the role admin."), "{rights}");

    page.tab.reload().await;
    page.tab.until(SIGNED_IN).await;
    assert_eq!(page.tab.text(ROLE).await, "reader");

    page.tab.click("#jobs button").await;
    page.until_says("Rejected: Cancel daily-orders: principal reader:alice has role Reader; required role Admin.").await;
    page.tab.click("#submit").await;
    page.until_says(
        "Rejected: Submit a query: principal reader:alice has role Reader; required role Writer.",
    )
    .await;
    // Those who cannot see it hear it.
    let heard = page.tab.text("document.querySelector('[aria-live=polite]').textContent").await;
    assert_eq!(heard, page.tab.text(MESSAGE).await);

    page.tab.click("#sign-out").await;
    page.tab.until(SIGNED_OUT).await;
    page.until_says("Signed out. The token is gone from this browser.").await;
    let left = page.tab.text("document.querySelector('#signed-in').textContent").await;
    assert!(!left.contains("alice") && !left.contains("daily-orders"), "{left}");
    page.tab.reload().await;
    page.tab.until(SIGNED_OUT).await;
    page.close(&[&token]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_cancels_a_job_and_submits_a_query() {
    let world = World::start();
    let Some(mut page) = Shown::open(&world.krishiv).await else { return };
    let token = world.of_role("admin");
    page.sign_in(&token).await;
    page.tab.until(SIGNED_IN).await;
    assert_eq!(page.tab.text(ROLE).await, "admin");
    page.tab.click("#jobs button").await;
    page.until_says("Done: Cancel daily-orders: cancelled.").await;
    assert_eq!(page.tab.text("document.querySelector('#jobs td').textContent").await, "cancelled");
    page.tab.click("#submit").await;
    page.until_says("Done: Submit a query: accepted.").await;
    page.close(&[&token]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_good_is_not_kept_and_the_reason_is_told() {
    let world = World::start();
    let Some(mut page) = Shown::open(&world.krishiv).await else { return };
    let expired = world.token().expired().build();
    for (token, why) in [
        (&*expired, "Rejected: invalid bearer token: the token has expired. Paste another one."),
        (&world.token().wrong_signature().build(), "the token's signature is wrong."),
        (&world.issuer.token().audience("other").build(), "meant for another audience."),
        ("wrong-static-token", "Rejected: invalid bearer token"),
        ("grüße", "Rejected: that is no token."),
    ] {
        page.sign_in(token).await;
        page.until_says(why).await;
        page.tab.until(SIGNED_OUT).await;
        page.tab.until(&format!("({FOCUS}) === 'token'")).await;
    }
    // One that was good when it was pasted.
    page.tab.evaluate(&format!("localStorage.setItem('krishiv.token', {})", json!(expired))).await;
    page.tab.reload().await;
    page.until_says("the token has expired").await;
    page.tab.until(SIGNED_OUT).await;
    page.close(&[&expired]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_goes_bad_meanwhile_ends_the_session_with_the_reason() {
    let world = World::start();
    let Some(mut page) = Shown::open(&world.krishiv).await else { return };
    page.sign_in(&world.of_role("admin")).await;
    page.tab.until(SIGNED_IN).await;
    let expired = world.token().expired().build();
    page.tab.evaluate(&format!("localStorage.setItem('krishiv.token', {})", json!(expired))).await;
    page.tab.click("#submit").await;
    page.until_says("Rejected: invalid bearer token: the token has expired.").await;
    page.tab.until(SIGNED_OUT).await;
    page.close(&[&expired]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_after_signing_out_is_nobodys() {
    let world = World::start();
    let Some(mut page) = Shown::open(&world.krishiv).await else { return };
    page.sign_in(&world.of_role("admin")).await;
    page.tab.until(SIGNED_IN).await;
    let hold = "fetch = () => new Promise((resolve) => { window.answer = resolve; }); 0";
    for answer in [
        r#"new Response('{"state":"accepted"}')"#,
        "new Response('invalid bearer token', { status: 401 })",
        "Promise.reject(new TypeError('the network is away'))",
    ] {
        page.tab.evaluate(hold).await;
        page.tab.click("#submit").await;
        page.tab.until("!!window.answer").await;
        page.tab.click("#sign-out").await;
        page.tab.until(SIGNED_OUT).await;
        page.tab.evaluate(&format!("answer({answer})")).await;
        page.tab.evaluate("window.answer = null").await;
        let says = page.tab.text(MESSAGE).await;
        assert!(says.starts_with("Signed out."), "{says}");
        // Another tab signs in, and out again.
        let token = json!(world.of_role("writer"));
        let tell = "dispatchEvent(new StorageEvent('storage', { key: 'krishiv.token' }))";
        page.tab.reload().await;
        page.tab.evaluate(&format!("localStorage.setItem('krishiv.token', {token}); {tell}")).await;
        page.tab.until(SIGNED_IN).await;
        assert_eq!(page.tab.text(ROLE).await, "writer");
    }
    page.tab.evaluate("localStorage.clear(); dispatchEvent(new StorageEvent('storage'))").await;
    page.tab.until(SIGNED_OUT).await;
    page.close(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_somebody_in_between_gives_is_told_and_the_token_kept() {
    let world = World::start();
    let Some(mut page) = Shown::open(&world.krishiv).await else { return };
    let token = world.of_role("admin");
    page.sign_in(&token).await;
    page.tab.until(SIGNED_IN).await;
    page.tab
        .evaluate("window.real = fetch; fetch = async () => new Response('<p>Log in</p>'); 0")
        .await;
    page.tab.click("#submit").await;
    page.until_says("Not now: Submit a query: The coordinator does not answer.").await;
    let tell = "dispatchEvent(new StorageEvent('storage', { key: 'krishiv.token' }))";
    page.tab.evaluate(tell).await;
    page.until_says("Not now: The coordinator does not answer.").await;
    assert_eq!(page.tab.text("localStorage.getItem('krishiv.token')").await, token);
    page.tab.evaluate("fetch = real; 0").await;
    page.tab.click("#retry").await;
    page.tab.until(SIGNED_IN).await;
    page.tab.click("#submit").await;
    page.until_says("Done: Submit a query: accepted.").await;
    page.close(&[&token]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_by_the_keyboard_alone() {
    let world = World::start();
    let Some(mut page) = Shown::open(&world.krishiv).await else { return };
    let token = world.of_role("reader");
    // The focus is where somebody begins.
    assert_eq!(page.tab.text(FOCUS).await, "token");
    page.tab.paste(&token).await;
    page.tab.press(ENTER).await;
    page.tab.until(SIGNED_IN).await;
    // What comes next is read to who does not see that the form is gone.
    page.tab.until(&format!("({FOCUS}) === 'who'")).await;
    let mut order = Vec::new();
    for _ in 0..4 {
        page.tab.press(TAB).await;
        order.push(page.tab.text(FOCUS).await);
        let outline = "getComputedStyle(document.activeElement).outlineStyle";
        assert_eq!(page.tab.text(outline).await, "solid", "{order:?}");
    }
    let expected = ["Cancel daily-orders", "Cancel clickstream", "Cancel backfill-2025", "submit"];
    assert_eq!(order, expected);
    page.tab.press(SPACE).await;
    page.until_says("Rejected: Submit a query: principal reader:alice").await;
    // The focus stays, so that the next step is where the last one was.
    assert_eq!(page.tab.text(FOCUS).await, "submit");
    for _ in 0..4 {
        page.tab.press(SHIFT_TAB).await;
    }
    assert_eq!(page.tab.text(FOCUS).await, "sign-out");
    page.tab.press(ENTER).await;
    page.tab.until(SIGNED_OUT).await;
    assert_eq!(page.tab.text(FOCUS).await, "token");
    page.close(&[&token]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_says_is_text_on_the_page_and_never_html() {
    let world = World::start();
    let Some(mut page) = Shown::open(&world.krishiv).await else { return };
    let evil =
        "<img src=x onerror=\"window.isOwned = true\"><script>window.isOwned = true</script>";
    let token = world.token().subject(evil).build();
    page.sign_in(&token).await;
    page.tab.until(SIGNED_IN).await;
    page.tab.click("#submit").await;
    page.until_says(evil).await;
    assert_eq!(page.tab.text("document.querySelector('#principal').textContent").await, evil);
    assert_eq!(
        page.tab.evaluate("document.querySelectorAll('main img, main script').length").await,
        0
    );
    assert_eq!(page.tab.evaluate("window.isOwned === undefined").await, true);
    page.close(&[&token]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_server_that_is_away_costs_nobody_the_token() {
    let server = KeyServer::start();
    let issuer = server.issuer();
    server.reject_connections();
    let uri = server.url("/jwks.json");
    let krishiv = Krishiv::start(&[(URI, &uri), ("KRISHIV_OIDC_AUDIENCE", AUDIENCE)]);
    let Some(mut page) = Shown::open(&krishiv).await else { return };
    let token = issuer.token().audience(AUDIENCE).build();
    page.sign_in(&token).await;
    page.until_says("Not now: The coordinator cannot check tokens now").await;
    assert_eq!(page.tab.text("localStorage.getItem('krishiv.token')").await, token);
    server.accept_connections();
    krishiv.wait_until_ready();
    page.tab.click("#retry").await;
    page.tab.until(SIGNED_IN).await;
    page.close(&[&token]).await;
}
