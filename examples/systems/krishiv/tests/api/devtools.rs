//! A tab of a headless Chromium, driven by the Chrome DevTools Protocol.

use std::{env, ffi::OsString, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{chromium::Chromium, server::PATIENCE};

const VARIABLE: &str = "PORTCULLIS_INTEROP_BROWSER";

/// How often it is looked whether something has come.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A key, as the protocol names it.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    name: &'static str,
    code: u32,
    text: &'static str,
    modifiers: u32,
}

pub(crate) const TAB: Key = Key { name: "Tab", code: 9, text: "", modifiers: 0 };
pub(crate) const SHIFT_TAB: Key = Key { modifiers: 8, ..TAB };
pub(crate) const ENTER: Key = Key { name: "Enter", code: 13, text: "\r", modifiers: 0 };
pub(crate) const SPACE: Key = Key { name: " ", code: 32, text: " ", modifiers: 0 };

/// A browser with one tab.
pub(crate) struct Tab {
    chromium: Chromium,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Value,
    last_id: u64,
    /// Everything that was not an answer.
    events: Vec<Value>,
}

/// The browser of `cargo xtask test`, or nothing, which is said.
pub(crate) fn program() -> Option<OsString> {
    let program = env::var_os(VARIABLE);
    if program.is_none() {
        println!("SKIPPED browser: no Chromium ({VARIABLE} is set by `cargo xtask test`)");
    }
    program
}

impl Tab {
    pub(crate) async fn open(program: OsString) -> Self {
        let chromium =
            Chromium::open(program.as_ref(), &["--remote-debugging-port=0"], "about:blank");
        let mut looks = interval(LOOK_EVERY);
        let url = timeout(PATIENCE, async {
            loop {
                looks.tick().await;
                let said = chromium.said();
                if let Some((_, url)) = said.split_once("DevTools listening on ")
                    && let Some((url, _)) = url.split_once('\n')
                {
                    return url.trim().to_owned();
                }
            }
        });
        let url = url.await.unwrap_or_else(|_| panic!("no browser: {}", chromium.said()));
        let (socket, _) = connect_async(url).await.unwrap();
        let mut tab =
            Self { chromium, socket, session: Value::Null, last_id: 0, events: Vec::new() };
        let target = tab.command("Target.createTarget", json!({"url": "about:blank"})).await;
        let target = json!({"targetId": target["targetId"], "flatten": true});
        tab.session = tab.command("Target.attachToTarget", target).await["sessionId"].clone();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.command(&format!("{domain}.enable"), json!({})).await;
        }
        tab
    }

    /// Sends a command, and returns its answer.
    pub(crate) async fn command(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut command = json!({"id": self.last_id, "method": method, "params": parameters});
        if !self.session.is_null() {
            command["sessionId"] = self.session.clone();
        }
        self.socket.send(Message::text(command.to_string())).await.unwrap();
        loop {
            let mut answer = timeout(PATIENCE, self.next()).await.unwrap();
            if answer["id"] == self.last_id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
            self.events.push(answer);
        }
    }

    async fn next(&mut self) -> Value {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("{error}: {}", self.chromium.said()),
                None => panic!("the browser has ended: {}", self.chromium.ended().await),
            }
        }
    }

    /// Opens a page, and waits until it is there.
    pub(crate) async fn visit(&mut self, url: &str) {
        self.command("Page.navigate", json!({ "url": url })).await;
        self.until("location.href !== 'about:blank' && document.readyState === 'complete'").await;
    }

    pub(crate) async fn reload(&mut self) {
        self.evaluate("window.isOld = true").await;
        self.command("Page.reload", json!({})).await;
        self.until("!window.isOld && document.readyState === 'complete'").await;
    }

    /// Returns the value of an expression of JavaScript.
    pub(crate) async fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true});
        let answer = self.command("Runtime.evaluate", parameters).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    pub(crate) async fn text(&mut self, expression: &str) -> String {
        self.evaluate(expression).await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an expression is true.
    pub(crate) async fn until(&mut self, expression: &str) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let started = tokio::time::Instant::now();
        // Between two pages there is nothing to ask.
        let expression = format!("(() => {{ try {{ return {expression} }} catch {{}} }})()");
        while self.evaluate(&expression).await != true {
            let page = self.text("document.body?.innerText").await;
            assert!(started.elapsed() < PATIENCE, "{expression}: not in time\n{page}");
            looks.tick().await;
        }
    }

    /// Presses and releases a key.
    pub(crate) async fn press(&mut self, key: Key) {
        for (kind, text) in [("keyDown", key.text), ("keyUp", "")] {
            let parameters = json!({
                "type": kind, "key": key.name, "windowsVirtualKeyCode": key.code, "text": text,
                "modifiers": key.modifiers,
            });
            self.command("Input.dispatchKeyEvent", parameters).await;
        }
    }

    /// Puts a text where the focus is, as the clipboard does.
    pub(crate) async fn paste(&mut self, text: &str) {
        self.command("Input.insertText", json!({ "text": text })).await;
    }

    /// Clicks into the middle of an element.
    pub(crate) async fn click(&mut self, selector: &str) {
        let selector = json!(selector);
        let middle = self
            .evaluate(&format!(
                "(() => {{ const element = document.querySelector({selector}); element.scrollIntoView({{ block: 'nearest' }}); \
                 const {{ x, y, width, height }} = element.getBoundingClientRect(); \
                 return [x + width / 2, y + height / 2]; }})()"
            ))
            .await;
        for kind in ["mousePressed", "mouseReleased"] {
            let parameters = json!({
                "type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1,
            });
            self.command("Input.dispatchMouseEvent", parameters).await;
        }
    }

    /// The parameters of all events of this name so far.
    pub(crate) fn events(&self, method: &str) -> Vec<Value> {
        let events = self.events.iter().filter(|event| event["method"] == method);
        events.map(|event| event["params"].clone()).collect()
    }

    /// Ends the browser.
    pub(crate) async fn close(self) {
        self.chromium.close().await;
    }
}
