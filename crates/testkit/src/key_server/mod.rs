//! A server of keys that does what a test tells it, over real sockets.

mod acceptor;
mod discovery;
mod reply;
mod request;
mod response;
mod schedule;
mod script;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use reply::Reply;
pub use request::RecordedRequest;

use self::{
    acceptor::{Acceptor, HeldPort},
    schedule::Schedule,
    script::Script,
};
use portcullis::{Algorithm, clock::Clock};

use crate::TestIssuer;

/// A server of keys on a free port of 127.0.0.1, in threads of the test's own process.
///
/// It answers each path as told: well, slowly, wrongly, without end or not at all, and with 404
/// where it was told nothing. It speaks HTTP/1.1 without TLS, one request for each connection.
///
/// 1. A path is matched without its query, and methods make no difference, except that HEAD gets
///    no body.
/// 2. A request is counted when it was read, before the answer starts: its head, and a body with a
///    `Content-Length` of at most 64 KiB.
/// 3. A head may have 64 KiB. At most 256 connections are open at a time; others wait.
/// 4. Dropping the server ends all of its connections and threads, also those that wait.
///
/// No method but [`wait_for_hits`](Self::wait_for_hits) waits for a client, so the server can be
/// used in asynchronous tests of any runtime.
///
/// # Examples
///
/// ```
/// use std::{
///     io::{Read, Write},
///     net::TcpStream,
/// };
///
/// use portcullis::Algorithm;
/// use portcullis_testkit::{KeyServer, Reply};
///
/// let server = KeyServer::start();
/// let issuer = server.issuer();
/// assert_eq!(issuer.name(), server.url(""));
///
/// // The next request fails, and the ones after it get the keys.
/// server.reply_once("/jwks.json", Reply::empty().status(503));
/// # fn fetch(server: &KeyServer, path: &str) -> std::io::Result<String> {
/// #     let mut stream = TcpStream::connect(server.address())?;
/// #     write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", server.address())?;
/// #     let mut response = String::new();
/// #     stream.read_to_string(&mut response)?;
/// #     Ok(response)
/// # }
/// assert!(fetch(&server, "/jwks.json")?.starts_with("HTTP/1.1 503"));
/// assert!(fetch(&server, "/jwks.json")?.contains(r#""kid":"es256""#));
///
/// // A new key signs at once. Clients can find it when it is published.
/// issuer.rotate(Algorithm::ES256);
/// assert!(!fetch(&server, "/jwks.json")?.contains(r#""kid":"es256-2""#));
/// server.publish(&issuer);
/// assert!(fetch(&server, "/jwks.json")?.contains(r#""kid":"es256-2""#));
/// assert_eq!(server.hits("/jwks.json"), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct KeyServer {
    script: Arc<Script>,
    acceptor: Mutex<Option<Acceptor>>,
    port: HeldPort,
}

impl KeyServer {
    /// Starts a server that answers 404 to everything.
    #[must_use]
    pub fn start() -> Self {
        let script = Arc::new(Script::default());
        let (port, listener) = HeldPort::bind().expect("a free port");
        let acceptor = Acceptor::start(listener, Arc::clone(&script)).expect("a thread");
        Self { script, acceptor: Mutex::new(Some(acceptor)), port }
    }

    /// Returns the address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Returns the URL of a path, such as `/jwks.json`. The empty path gives a good `iss`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Sets what a path answers from now on.
    pub fn reply(&self, path: impl Into<String>, reply: Reply) {
        self.script.reply(path.into(), reply);
    }

    /// Adds an answer that a path gives once. Those are used up in their order, before the one of
    /// [`reply`](Self::reply).
    pub fn reply_once(&self, path: impl Into<String>, reply: Reply) {
        self.script.reply_once(path.into(), reply);
    }

    /// Creates an issuer with the name of this server, and [publishes](Self::publish) it.
    #[must_use]
    pub fn issuer(&self) -> TestIssuer {
        let issuer = TestIssuer::new(self.url(""));
        self.publish(&issuer);
        issuer
    }

    /// Serves the metadata of an issuer and its public keys as they are now: publish it again after
    /// a rotation.
    ///
    /// Its keys are at `/jwks.json` and `/.well-known/jwks.json`, and its metadata, which name the
    /// former, at `/.well-known/openid-configuration` ([OpenID Connect Discovery 1.0 §4]) and
    /// `/.well-known/oauth-authorization-server` ([RFC 8414 §3]). Where the name of the issuer is a
    /// path on this server, such as `server.url("/tenant")`, the path is added as those documents
    /// say, and one server can have many issuers.
    ///
    /// [OpenID Connect Discovery 1.0 §4]: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
    /// [RFC 8414 §3]: https://www.rfc-editor.org/rfc/rfc8414#section-3
    pub fn publish(&self, issuer: &TestIssuer) {
        for (path, document) in discovery::documents(&self.url(""), issuer) {
            self.reply(path, Reply::json(document));
        }
    }

    /// Serves an issuer like [`publish`](Self::publish), and replaces its key of an algorithm at
    /// intervals of this clock: when the time has come, the next request that arrives finds the new key,
    /// which signs from then on, and the one before it. Older ones are gone.
    ///
    /// What [`reply_once`](Self::reply_once) was told comes first, as ever.
    pub fn publish_rotating(
        &self,
        issuer: &TestIssuer,
        algorithm: Algorithm,
        clock: impl Clock + 'static,
        every: Duration,
    ) {
        self.publish(issuer);
        let schedule = Schedule::new(issuer.clone(), algorithm, Arc::new(clock), every);
        self.script.follow(schedule, self.url(""));
    }

    /// Closes the port, so that connections are rejected. Requests that have begun go on.
    pub fn reject_connections(&self) {
        // Locked until the port is closed, so that no other thread opens it meanwhile.
        let mut acceptor = self.acceptor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(acceptor) = acceptor.take() {
            acceptor.stop();
        }
    }

    /// Opens the port again: the same one, which was kept free.
    pub fn accept_connections(&self) {
        let mut acceptor = self.acceptor.lock().unwrap_or_else(PoisonError::into_inner);
        if acceptor.is_none() {
            let listener = self.port.bind_again().expect("the same port");
            let script = Arc::clone(&self.script);
            *acceptor = Some(Acceptor::start(listener, script).expect("a thread"));
        }
    }

    /// Returns how often a path was asked for.
    #[must_use]
    pub fn hits(&self, path: &str) -> usize {
        self.script.hits(path)
    }

    /// Returns the requests for a path, oldest first: the last thousand.
    #[must_use]
    pub fn requests(&self, path: &str) -> Vec<RecordedRequest> {
        self.script.requests(path)
    }

    /// Waits until a path was asked for this often since the start, and returns whether it was in
    /// time. It blocks its thread, which a client on a runtime of one thread would need.
    #[must_use]
    pub fn wait_for_hits(&self, path: &str, hits: usize, timeout: Duration) -> bool {
        self.script.wait_for_hits(path, hits, timeout)
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.reject_connections();
        self.script.end_connections();
    }
}
