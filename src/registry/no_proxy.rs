//! Which hosts are asked without the proxy: `NO_PROXY`, by the rules of Go's `golang.org/x/net/http/httpproxy`, which the
//! container runtimes of the nodes follow. It resolves nothing.

use std::net::IpAddr;

use ipnet::IpNet;

/// The hosts of a `NO_PROXY`, and this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NoProxy {
    all: bool,
    nets: Vec<IpNet>,
    addresses: Vec<(IpAddr, Port)>,
    domains: Vec<Domain>,
}

/// The only port that is meant; `None` for all.
type Port = Option<u16>;

/// A name and those below it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Domain {
    /// Without a dot in front.
    name: String,
    /// Whether the name itself is meant, too.
    itself: bool,
    port: Port,
}

// === impl NoProxy ===

impl NoProxy {
    /// Reads a list: `*`, names, `.names`, addresses and ranges, parted by commas; a name or an address may have a port. What
    /// is none of these matches nothing.
    pub(super) fn parse(list: &str) -> Self {
        let mut found = Self::default();
        for entry in list.split(',') {
            found.add(&entry.trim().to_ascii_lowercase());
        }
        found
    }

    fn add(&mut self, entry: &str) {
        if entry == "*" {
            self.all = true;
            return;
        }
        if let Ok(net) = entry.parse() {
            self.nets.push(net);
            return;
        }
        let (host, port) = match split_port(entry) {
            Some((host, port)) => match port.parse() {
                Ok(port) => (host, Some(port)),
                Err(_) => return,
            },
            None => (entry, None),
        };
        if let Ok(address) = unbracketed(host).parse() {
            self.addresses.push((address, port));
            return;
        }
        let below = host.strip_prefix('*').filter(|rest| rest.starts_with('.'));
        let name = below.unwrap_or(host);
        let (name, itself) = match name.strip_prefix('.') {
            Some(name) => (name, false),
            None => (name, true),
        };
        if !name.is_empty() {
            let name = name.to_owned();
            self.domains.push(Domain { name, itself, port });
        }
    }

    /// Whether `host` (an IPv6 address in brackets) is asked without the proxy. This machine always is.
    pub(super) fn holds(&self, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        let is_meant = |only: &Port| only.is_none_or(|only| only == port);
        let Ok(address) = unbracketed(&host).parse::<IpAddr>() else {
            let host = host.strip_suffix('.').unwrap_or(&host);
            let named = |domain: &Domain| is_meant(&domain.port) && domain.holds(host);
            return host == "localhost" || self.all || self.domains.iter().any(named);
        };
        let same = |(listed, only): &(IpAddr, Port)| *listed == address && is_meant(only);
        address.is_loopback()
            || self.all
            || self.nets.iter().any(|net| net.contains(&address))
            || self.addresses.iter().any(same)
    }
}

// === impl Domain ===

impl Domain {
    fn holds(&self, host: &str) -> bool {
        match host.strip_suffix(self.name.as_str()) {
            Some("") => self.itself,
            Some(before) => before.ends_with('.'),
            None => false,
        }
    }
}

fn unbracketed(host: &str) -> &str {
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    inner.unwrap_or(host)
}

/// The port of `host:port`; the colons of an IPv6 address are none.
fn split_port(entry: &str) -> Option<(&str, &str)> {
    let (host, port) = entry.rsplit_once(':')?;
    let is_bracketed = host.starts_with('[') && host.ends_with(']');
    (is_bracketed || !host.contains(':')).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::empty("", "ghcr.io", false)]
    #[case::everything("*", "ghcr.io", true)]
    #[case::everything_among_others("a.example, *", "10.0.0.1", true)]
    #[case::name("ghcr.io", "ghcr.io", true)]
    #[case::below_a_name("ghcr.io", "pkg.ghcr.io", true)]
    #[case::another_that_ends_so("ghcr.io", "evilghcr.io", false)]
    #[case::another_that_begins_so("ghcr.io", "ghcr.io.evil.example", false)]
    #[case::below_a_suffix(".internal", "harbor.internal", true)]
    #[case::far_below_a_suffix(".internal", "a.harbor.internal", true)]
    #[case::suffix_itself(".harbor.internal", "harbor.internal", false)]
    #[case::star_dot("*.internal", "harbor.internal", true)]
    #[case::star_dot_itself("*.harbor.internal", "harbor.internal", false)]
    #[case::star_within("harbor*.internal", "harbor1.internal", false)]
    #[case::upper_case("Harbor.INTERNAL", "harbor.internal", true)]
    #[case::upper_case_host("harbor.internal", "Harbor.Internal", true)]
    #[case::dot_at_the_end("harbor.internal", "harbor.internal.", true)]
    #[case::second_of_a_list("a.example , harbor.internal", "harbor.internal", true)]
    #[case::spaces_do_not_part("a.example harbor.internal", "harbor.internal", false)]
    #[case::the_port("harbor.internal:5000", "harbor.internal", true)]
    #[case::another_port("harbor.internal:443", "harbor.internal", false)]
    #[case::the_port_of_a_suffix(".internal:5000", "harbor.internal", true)]
    #[case::no_port_at_all("harbor.internal:https", "harbor.internal", false)]
    #[case::address("10.1.2.3", "10.1.2.3", true)]
    #[case::address_and_port("10.1.2.3:5000", "10.1.2.3", true)]
    #[case::address_and_another_port("10.1.2.3:443", "10.1.2.3", false)]
    #[case::another_address("10.1.2.3", "10.1.2.30", false)]
    #[case::range("10.0.0.0/8", "10.1.2.3", true)]
    #[case::another_range("10.0.0.0/8", "11.1.2.3", false)]
    #[case::range_and_a_name("10.0.0.0/8", "harbor.internal", false)]
    #[case::ipv6("fd00::1", "[fd00::1]", true)]
    #[case::ipv6_and_port("[fd00::1]:5000", "[fd00::1]", true)]
    #[case::ipv6_and_another_port("[fd00::1]:443", "[fd00::1]", false)]
    #[case::ipv6_range("fd00::/8", "[fd12::1]", true)]
    #[case::name_that_ends_like_an_address(".3", "10.1.2.3", false)]
    #[case::this_machine("", "localhost", true)]
    #[case::this_machines_address("", "127.0.0.1", true)]
    #[case::this_machines_other_address("", "127.8.8.8", true)]
    #[case::this_machines_ipv6("", "[::1]", true)]
    #[case::a_name_below_this_machine("", "a.localhost", false)]
    #[case::port_alone(":5000", "harbor.internal", false)]
    #[case::dot_alone(".", "harbor.internal", false)]
    fn without_the_proxy(#[case] list: &str, #[case] host: &str, #[case] expected: bool) {
        assert_eq!(NoProxy::parse(list).holds(host, 5000), expected);
    }
}
