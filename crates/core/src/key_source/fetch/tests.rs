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
    let rule = AddressRule { allows: |address| address == ALLOWED, otherwise: "is not public" };
    let addresses = CheckedAddresses {
        rule,
        host: None,
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
    fetch.fetch(&request(host, port)).await
}

fn request(host: &str, port: u16) -> FetchRequest {
    FetchRequest {
        url: format!("http://{host}:{port}/"),
        known: None,
        max_len: 1024,
        timeout: Duration::from_secs(10),
        reject_this_machine: false,
    }
}

/// The default client, for which every name is this machine.
fn here() -> HttpFetch {
    HttpFetch::resolving(|name| {
        let address = if name.as_str() == "unspecified.test" { "::" } else { "127.0.0.1" };
        Box::pin(async move { Ok(vec![(address.parse::<IpAddr>().unwrap(), 0).into()]) })
    })
    .unwrap()
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

#[tokio::test]
async fn rule_15_what_metadata_name_is_not_on_this_machine_when_it_is_connected_to() {
    let listener = TcpListener::bind((ALLOWED, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (default, own) = (here(), HttpFetch::from(Client::new()));
    for host in ["idp.test", "unspecified.test", "localhost."] {
        let request = FetchRequest { reject_this_machine: true, ..request(host, port) };
        let error = default.fetch(&request).await.unwrap_err().to_string();
        assert!(error.contains("is this machine"), "{host}: {error}");
    }
    for host in ["127.0.0.2", "0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]"] {
        let request = FetchRequest { reject_this_machine: true, ..request(host, port) };
        for fetch in [&default, &own] {
            let error = fetch.fetch(&request).await.unwrap_err().to_string();
            assert!(error.contains("is this machine"), "{host}: {error}");
        }
    }
    assert!(is_unseen(&listener));
}

#[tokio::test]
async fn rule_15_a_name_of_the_operator_may_lead_to_this_machine() {
    let (allowed, _, port) = two_servers();
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let server = serve(&allowed, ok.to_owned());
    // By the system's resolver, because the default client checks nothing here.
    assert_eq!(get(&HttpFetch::new().unwrap(), "localhost", port).await.unwrap().status, 200);
    server.join().unwrap();
}

#[tokio::test]
async fn rule_15_localhost_is_this_machine_when_it_is_connected_to() {
    let elsewhere = HttpFetch::resolving(|_| {
        Box::pin(async { Ok(vec![(IpAddr::from([192, 0, 2, 1]), 0).into()]) })
    });
    let error = get(&elsewhere.unwrap(), "localhost", 1).await.unwrap_err().to_string();
    assert!(error.contains("is not this machine"), "{error}");
}

#[tokio::test]
async fn rule_15_the_name_of_a_proxy_may_lead_to_this_machine() {
    let rule = AddressRule::ELSEWHERE;
    let lookup: Lookup = |_| Box::pin(async { Ok(vec![(ALLOWED, 0).into()]) });
    let of_host = CheckedAddresses { rule, host: Some("idp.test".into()), lookup };
    use reqwest::dns::Resolve;
    assert!(of_host.resolve("idp.test".parse().unwrap()).await.is_err());
    assert!(of_host.resolve("proxy.test".parse().unwrap()).await.is_ok());
}

#[tokio::test]
async fn rule_28_the_user_agent_can_be_set_and_that_of_a_client_of_the_application_stays() {
    let own = || Client::builder().user_agent("own/1").no_proxy().build().unwrap();
    for (fetch, expected) in [
        (HttpFetch::new().unwrap(), USER_AGENT),
        (HttpFetch::new().unwrap().user_agent("acme/2").unwrap(), "acme/2"),
        (HttpFetch::from(own()), "own/1"),
        (HttpFetch::from(own()).user_agent("acme/2").unwrap(), "acme/2"),
    ] {
        let listener = TcpListener::bind((ALLOWED, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = vec![0; 4096];
            let len = stream.read(&mut head).unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
            String::from_utf8_lossy(&head[..len]).to_lowercase()
        });
        assert_eq!(get(&fetch, "127.0.0.1", port).await.unwrap().status, 204);
        let head = server.join().unwrap();
        assert!(head.contains(&format!("user-agent: {expected}\r\n")), "{head}");
    }
    assert!(HttpFetch::new().unwrap().user_agent("two\nlines").is_err());
}
