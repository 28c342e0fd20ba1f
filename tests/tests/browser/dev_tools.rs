//! Commands to a browser, by the Chrome DevTools Protocol.

use std::{fs, path::Path, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// The flag that lets a browser take commands, at a port that it chooses.
pub(super) const FLAG: &str = "--remote-debugging-port=0";

/// Longer than anything here takes: what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to the page of a browser.
pub(super) struct DevTools {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
}

impl DevTools {
    /// Connects to the page of the browser with this profile.
    pub(super) async fn connect(profile: &Path) -> Self {
        let connecting = async {
            let port = loop {
                let file = fs::read_to_string(profile.join("DevToolsActivePort"));
                let port =
                    file.unwrap_or_default().lines().next().and_then(|line| line.parse().ok());
                match port {
                    Some(port) => break port,
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            let url = loop {
                let targets = targets(port).await;
                let mut pages = targets.iter().filter(|target| target["type"] == "page");
                match pages.find_map(|page| page["webSocketDebuggerUrl"].as_str()) {
                    Some(url) => break url.to_owned(),
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            connect_async(url).await.unwrap().0
        };
        let socket = tokio::time::timeout(PATIENCE, connecting).await.expect("a page in time");
        Self { socket, next_id: 1 }
    }

    /// Sends a command, and returns its result.
    async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        let command = json!({"id": id, "method": method, "params": params}).to_string();
        let answer = async {
            self.socket.send(Message::text(command)).await.unwrap();
            loop {
                let message = self.socket.next().await.unwrap().unwrap();
                let Message::Text(text) = message else { continue };
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["id"] == id {
                    break message;
                }
            }
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await.expect("an answer in time");
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Opens a page, and waits until it is there.
    pub(super) async fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", json!({"url": url})).await;
        assert!(opened.get("errorText").is_none(), "{url}: {opened}");
        let is_there =
            format!("location.href === {} && document.readyState === 'complete'", json!(url));
        while self.run(&is_there).await != true {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Runs a script in the page, waits for its promise, and returns its value.
    pub(super) async fn run(&mut self, script: &str) -> Value {
        let params = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let result = self.call("Runtime.evaluate", params).await;
        assert!(result.get("exceptionDetails").is_none(), "{script}: {result}");
        result["result"]["value"].clone()
    }

    /// Returns the cookies that the browser has stored.
    pub(super) async fn cookies(&mut self) -> Vec<Value> {
        let cookies = self.call("Storage.getCookies", json!({})).await;
        cookies["cookies"].as_array().unwrap().clone()
    }
}

/// Returns what the browser has open.
async fn targets(port: u16) -> Vec<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // The addresses in the answer have this host.
    let request =
        format!("GET /json/list HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut response, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(body) = body_of(&response) {
            return serde_json::from_slice(body).unwrap();
        }
        let length = stream.read(&mut buffer).await.unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&response));
        response.extend_from_slice(&buffer[..length]);
    }
}

/// Returns the body of a response, once it is complete.
fn body_of(response: &[u8]) -> Option<&[u8]> {
    let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&response[..end]).to_ascii_lowercase();
    let length = head.split("content-length:").nth(1)?.lines().next()?.trim().parse().ok()?;
    response[end + 4..].get(..length)
}
