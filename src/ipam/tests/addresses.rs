//! One address after another, of IPv4 and IPv6.

use std::collections::HashSet;

use futures::future::join_all;
use ipnet::IpNet;

use super::*;
use crate::ipam::{Usage, prefix};

/// A prefix that gives addresses.
struct Net {
    kit: Kit,
    prefix: IpNet,
}

// === impl Net ===

impl Net {
    async fn new(prefix: &str) -> Self {
        let prefix: IpNet = prefix.parse().unwrap();
        let kit = Kit::new(&[prefix::interval(&prefix)], &prefix::reserved(&prefix)).await;
        Self { kit, prefix }
    }

    async fn any(&self) -> Result<String, IpamError> {
        let acquired = self.kit.acquire(Want::Any).await?;
        assert_eq!(acquired.len(), 1);
        let address = prefix::address(&self.prefix, acquired.lo).unwrap();
        Ok(address.to_string())
    }

    async fn specific(&self, address: &str) -> Result<(), IpamError> {
        let value = prefix::number(address.parse().unwrap());
        let acquired = self.kit.acquire(Want::Value(value)).await?;
        assert_eq!(acquired, Interval::one(value));
        Ok(())
    }

    async fn release(&self, address: &str) -> Result<(), IpamError> {
        let value = prefix::number(address.parse().unwrap());
        self.kit.release(Interval::one(value)).await
    }

    async fn usage(&self) -> Usage {
        Usage::of_addresses(&self.prefix, &self.kit.pool().await)
    }
}

#[tokio::test]
async fn addresses_are_handed_out_from_the_lowest_on_until_the_prefix_is_full() {
    for (prefix, addresses) in [
        ("192.168.0.0/30", vec!["192.168.0.1", "192.168.0.2"]),
        ("192.168.0.5/30", vec!["192.168.0.5", "192.168.0.6"]),
        ("10.0.0.4/31", vec![]),
        ("10.0.0.4/32", vec![]),
        (
            "2001:db8::/126",
            vec!["2001:db8::1", "2001:db8::2", "2001:db8::3"],
        ),
        ("2001:db8::/127", vec!["2001:db8::1"]),
        ("2001:db8::1/128", vec![]),
        (
            "255.255.255.252/30",
            vec!["255.255.255.253", "255.255.255.254"],
        ),
    ] {
        let net = Net::new(prefix).await;
        for address in addresses {
            assert_eq!(net.any().await.unwrap(), address);
        }
        let full = net.any().await.unwrap_err();
        assert!(
            matches!(full, IpamError::Exhausted { free: 0, .. }),
            "{full}"
        );
        let usage = net.usage().await;
        assert_eq!(usage.available_ips, usage.used_ips, "{prefix} is full");
    }
}

#[tokio::test]
async fn a_full_prefix_says_what_it_has_and_what_was_wanted() {
    let net = Net::new("192.168.0.0/30").await;
    net.any().await.unwrap();
    let wide = net.kit.acquire(Want::Aligned { bits: 2 }).await;
    assert_eq!(
        wide.unwrap_err().to_string(),
        "pool net/internet cannot give an aligned block of 2^2 values: 1 of its 4 values are \
         free, in aligned blocks of 2^0 at the most"
    );
}

#[tokio::test]
async fn a_specific_address_is_given_once_and_only_out_of_its_prefix() {
    for (prefix, good, foreign, reserved) in [
        (
            "192.168.99.0/24",
            "192.168.99.7",
            "192.168.98.7",
            vec!["192.168.99.0", "192.168.99.255"],
        ),
        (
            "2001:db8:8::/48",
            "2001:db8:8::7",
            "2001:db8:7::7",
            vec!["2001:db8:8::"],
        ),
    ] {
        let net = Net::new(prefix).await;
        net.specific(good).await.unwrap();
        let taken = net.specific(good).await.unwrap_err();
        assert!(matches!(taken, IpamError::Taken { .. }), "{taken}");
        let outside = net.specific(foreign).await.unwrap_err();
        assert!(matches!(outside, IpamError::Outside { .. }), "{outside}");
        for address in reserved {
            let refused = net.specific(address).await.unwrap_err();
            assert!(matches!(refused, IpamError::Reserved { .. }), "{refused}");
            let release = net.release(address).await.unwrap_err();
            assert!(matches!(release, IpamError::NotTaken { .. }), "{release}");
        }
        let release = net.release(foreign).await.unwrap_err();
        assert!(matches!(release, IpamError::Outside { .. }), "{release}");
    }
    let net = Net::new("2001:db8:8::/48").await;
    net.specific("2001:db8:8:ffff:ffff:ffff:ffff:ffff")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_specific_address_is_left_out_when_any_will_do() {
    let net = Net::new("10.0.0.0/24").await;
    net.specific("10.0.0.2").await.unwrap();
    assert_eq!(net.any().await.unwrap(), "10.0.0.1");
    assert_eq!(net.any().await.unwrap(), "10.0.0.3");
}

#[tokio::test]
async fn a_released_address_is_handed_out_again_and_cannot_be_released_twice() {
    for prefix in ["192.168.0.0/24", "2001:db8::/64"] {
        let net = Net::new(prefix).await;
        let first = net.any().await.unwrap();
        net.any().await.unwrap();
        net.release(&first).await.unwrap();
        let twice = net.release(&first).await.unwrap_err();
        assert!(matches!(twice, IpamError::NotTaken { .. }), "{twice}");
        assert_eq!(net.any().await.unwrap(), first);
    }
}

#[tokio::test]
async fn usage_counts_what_is_acquired_and_what_is_never_handed_out() {
    let net = Net::new("192.168.0.0/24").await;
    let fresh = Usage {
        available_ips: 256,
        used_ips: 2,
        available_prefixes: 64,
        used_prefixes: 0,
    };
    assert_eq!(net.usage().await, fresh);
    let first = net.any().await.unwrap();
    net.any().await.unwrap();
    assert_eq!(net.usage().await.used_ips, 4);
    net.release(&first).await.unwrap();
    assert_eq!(net.usage().await.used_ips, 3);

    let net = Net::new("2001:db8::/120").await;
    net.any().await.unwrap();
    let expected = Usage {
        available_ips: 256,
        used_ips: 2,
        available_prefixes: 64,
        used_prefixes: 0,
    };
    assert_eq!(net.usage().await, expected);
}

#[tokio::test]
async fn no_more_than_two_billion_addresses_are_reported() {
    for (prefix, ips, prefixes) in [
        ("10.0.0.0/8", 1 << 24, 1 << 22),
        ("0.0.0.0/1", 1 << 31, 1 << 29),
        ("0.0.0.0/0", (1 << 31) - 1, 1 << 30),
        ("2001:db8::/97", 1 << 31, 1 << 29),
        ("2001:db8::/96", (1 << 31) - 1, 1 << 30),
        ("2001:db8::/32", (1 << 31) - 1, (1 << 31) - 1),
    ] {
        let usage = Net::new(prefix).await.usage().await;
        assert_eq!(usage.available_ips, ips, "{prefix}");
        assert_eq!(usage.available_prefixes, prefixes, "{prefix}");
    }
}

#[tokio::test]
async fn many_at_once_get_addresses_that_differ_and_none_is_left_out() {
    let net = Net::new("192.168.0.0/24").await;
    let all = join_all((0..260).map(|_| net.any())).await;
    let (given, full): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    let given: HashSet<String> = given.into_iter().map(Result::unwrap).collect();
    assert_eq!((given.len(), full.len()), (254, 6));
    let released = join_all(given.iter().map(|address| net.release(address))).await;
    assert!(released.into_iter().all(|outcome| outcome.is_ok()));
    let pool = net.kit.pool().await;
    let whole = Interval {
        lo: prefix::interval(&net.prefix).lo + 1,
        hi: prefix::interval(&net.prefix).hi - 1,
    };
    assert_eq!(pool.counters, crate::ipam::Counters::of([&whole]));
    assert_eq!(pool.acquired, 0);
}
