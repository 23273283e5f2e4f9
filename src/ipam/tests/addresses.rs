//! One address after another.

use ipnet::IpNet;

use super::*;
use crate::ipam::prefix;

async fn of(prefix: &str) -> (Kit, IpNet) {
    let prefix: IpNet = prefix.parse().unwrap();
    let kit = Kit::new(&[prefix::interval(&prefix)], &prefix::reserved(&prefix)).await;
    (kit, prefix)
}

async fn any(kit: &Kit, prefix: &IpNet) -> Result<String, IpamError> {
    let acquired = kit.acquire(Want::Any).await?;
    assert_eq!(acquired.len(), 1);
    Ok(prefix::address(prefix, acquired.lo).unwrap().to_string())
}

#[tokio::test]
async fn addresses_are_handed_out_from_the_lowest_on_until_the_prefix_is_full() {
    let (kit, prefix) = of("192.168.0.0/29").await;
    for host in 1..=6 {
        assert_eq!(
            any(&kit, &prefix).await.unwrap(),
            format!("192.168.0.{host}")
        );
    }
    let full = any(&kit, &prefix).await.unwrap_err();
    assert_eq!(
        full.to_string(),
        "pool net/internet cannot give any value: 0 of its 8 values are free"
    );
}

#[tokio::test]
async fn a_released_address_is_handed_out_again_and_cannot_be_released_twice() {
    let (kit, prefix) = of("192.168.0.0/24").await;
    let first = kit.acquire(Want::Any).await.unwrap();
    any(&kit, &prefix).await.unwrap();
    kit.release(first).await.unwrap();
    let pool = kit.pool.clone();
    let twice = kit.release(first).await.unwrap_err();
    let interval = first;
    assert_eq!(twice, IpamError::NotTaken { pool, interval });
    assert_eq!(kit.acquire(Want::Any).await.unwrap(), first);
}
