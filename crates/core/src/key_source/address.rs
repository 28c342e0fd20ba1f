//! Which addresses keys may be fetched from.

use std::{
    error::Error,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::BoxFuture;

/// Resolves names to addresses that are allowed, and refuses names that have any other.
///
/// The addresses that are checked are the ones that are connected to, so that a name cannot point
/// elsewhere in between.
#[derive(Clone, Copy, Debug)]
pub(super) struct CheckedAddresses {
    pub(super) allowed: fn(IpAddr) -> bool,
    pub(super) lookup: Lookup,
}

/// Asks for the addresses of a name, once.
type Lookup = fn(Name) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

impl CheckedAddresses {
    /// Those of the public internet, as the system resolves them.
    pub(super) const PUBLIC: Self = Self {
        allowed: is_public,
        lookup: |name| {
            Box::pin(
                async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) },
            )
        },
    };
}

impl Resolve for CheckedAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { allowed, lookup } = *self;
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let addresses = lookup(name).await?;
            if let Some(address) = addresses.iter().find(|address| !allowed(address.ip())) {
                let message = format!("`{host}` leads to {}, which is not public", address.ip());
                return Err(Box::<dyn Error + Send + Sync>::from(message));
            }
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

/// Tells whether a URL leads to this very machine, by its own text.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Tells whether an address belongs to the public internet: not to this machine, a private network,
/// a link, the metadata service of a cloud, or a block reserved for other things ([RFC 6890]).
///
/// [RFC 6890]: https://www.rfc-editor.org/rfc/rfc6890
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = match a {
        0 | 10 | 127 => true,
        // Shared by carriers.
        100 => (64..128).contains(&b),
        // Link-local, with the metadata services of clouds.
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => b == 168 || (b == 0 && (c == 0 || c == 2)) || (b == 88 && c == 99),
        // Benchmarks and documentation.
        198 => b == 18 || b == 19 || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        // Multicast and reserved.
        224.. => true,
        _ => false,
    };
    !reserved
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // An IPv4 address in the clothes of IPv6 is what it is underneath.
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            return is_public_v4(Ipv4Addr::new(a, b, c, d));
        }
        // 6to4 and Teredo lead to addresses that are not looked at here.
        [0x2002, ..] | [0x2001, 0, ..] | [0x2001, 0xdb8, ..] => return false,
        _ => {}
    }
    // Global unicast is 2000::/3, and nothing else.
    address.segments().first().is_some_and(|first| first & 0xe000 == 0x2000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_networks_behind_the_service_are_not_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "::7f00:1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn names_of_this_machine_are_refused() {
        let refused = CheckedAddresses::PUBLIC.resolve("localhost".parse().unwrap()).await;
        let message = refused.err().unwrap().to_string();
        assert!(message.starts_with("`localhost` leads to "), "{message}");
    }
}
