//! Which addresses a client connects to.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicUsize, Ordering},
    thread::{self, JoinHandle},
};

use super::*;

const ALLOWED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));
const FORBIDDEN: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// How often a name was asked for that moves.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// A client that may connect to one address of this machine and not to the other.
fn fetch() -> HttpFetch {
    let addresses = CheckedAddresses {
        allowed: |address| address == ALLOWED,
        lookup: |name| {
            let addresses = match name.as_str() {
                "allowed.test" => vec![ALLOWED],
                "both.test" => vec![ALLOWED, FORBIDDEN],
                "moves.test" if ASKED.fetch_add(1, Ordering::SeqCst) == 0 => vec![ALLOWED],
                _ => vec![FORBIDDEN],
            };
            let addresses = addresses.into_iter().map(|address| (address, 0).into()).collect();
            Box::pin(async { Ok(addresses) })
        },
    };
    HttpFetch::checked(addresses).unwrap()
}

async fn get(fetch: &HttpFetch, host: &str, port: u16) -> Result<FetchResponse, FetchError> {
    let timeout = Duration::from_secs(10);
    let url = format!("http://{host}:{port}/");
    fetch.fetch(&FetchRequest { url, known: None, max_len: 1024, timeout }).await
}

/// Answers one request.
fn serve(listener: &TcpListener, response: String) -> JoinHandle<()> {
    let listener = listener.try_clone().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        stream.write_all(response.as_bytes()).unwrap();
    })
}

/// Tells whether nobody has connected.
fn is_unseen(listener: &TcpListener) -> bool {
    listener.set_nonblocking(true).unwrap();
    listener.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Two servers on one port of two addresses, and the port.
fn two_servers() -> (TcpListener, TcpListener, u16) {
    let pairs = std::iter::repeat_with(|| {
        let allowed = TcpListener::bind((ALLOWED, 0)).unwrap();
        let port = allowed.local_addr().unwrap().port();
        let forbidden = TcpListener::bind((FORBIDDEN, port));
        forbidden.map(|forbidden| (allowed, forbidden, port))
    });
    // The port may be taken there.
    pairs.take(10).find_map(Result::ok).expect("a port that is free on both addresses")
}

#[tokio::test]
async fn rule_16_the_addresses_of_a_name_are_checked_before_anything_is_connected() {
    let (allowed, forbidden, port) = two_servers();
    let fetch = fetch();
    for host in ["both.test", "forbidden.test", "127.0.0.2", "2130706434", "[::ffff:7f00:2]"] {
        let error = get(&fetch, host, port).await.unwrap_err().to_string();
        assert!(error.contains("not public"), "{host}: {error}");
    }
    assert!(is_unseen(&allowed) && is_unseen(&forbidden));
}

#[tokio::test]
async fn rule_16_a_name_that_moves_is_connected_to_where_it_was_checked() {
    let (allowed, forbidden, port) = two_servers();
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let server = serve(&allowed, ok.to_owned());
    let fetch = fetch();
    assert_eq!(get(&fetch, "moves.test", port).await.unwrap().status, 200);
    server.join().unwrap();
    assert_eq!(ASKED.load(Ordering::SeqCst), 1);
    get(&fetch, "moves.test", port).await.unwrap_err();
    assert_eq!(ASKED.load(Ordering::SeqCst), 2);
    assert!(is_unseen(&forbidden));
}

#[tokio::test]
async fn rule_16_a_redirect_leads_nowhere() {
    let (allowed, forbidden, port) = two_servers();
    let server = serve(
        &allowed,
        format!(
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.2:{port}/\r\ncontent-length: 0\r\n\
             connection: close\r\n\r\n"
        ),
    );
    assert_eq!(get(&fetch(), "allowed.test", port).await.unwrap().status, 302);
    server.join().unwrap();
    assert!(is_unseen(&forbidden) && is_unseen(&allowed));
}
