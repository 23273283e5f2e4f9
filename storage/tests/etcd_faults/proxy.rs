//! Connections that break with requests on their way.

use std::time::Duration;

use metal_storage::EtcdOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::cluster::{Cluster, Disk};
use super::traffic::Traffic;
use super::{alone, while_commits_go_on};

/// Carries bytes for a while; then, for a moment, only those to the member, so that it does what
/// it is asked and nobody is told; then breaks the connection.
async fn carry(client: TcpStream, member: String) {
    let Ok(member) = TcpStream::connect(member).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_member, mut to_member) = member.into_split();
    let random = uuid::Uuid::new_v4().as_u128();
    let whole = Duration::from_millis(20 + (random % 400) as u64);
    let deaf = Duration::from_millis((random >> 64) as u64 % 20);
    let there = tokio::io::copy(&mut from_client, &mut to_member);
    let back = async {
        let mut buffer = [0; 16 * 1024];
        let _ = tokio::time::timeout(whole, async {
            while let Ok(read @ 1..) = from_member.read(&mut buffer).await {
                if to_client.write_all(&buffer[..read]).await.is_err() {
                    break;
                }
            }
        })
        .await;
        tokio::time::sleep(deaf).await;
    };
    tokio::select! {
        _ = there => {}
        () = back => {}
    }
}

async fn listen(listener: TcpListener, member: String) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(carry(client, member.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Traffic through connections that break.
async fn through_proxies(what: &str, with: impl FnOnce(EtcdOptions) -> EtcdOptions) {
    let _alone = alone().await;
    let cluster = Cluster::start(Disk::Durable);
    let mut proxies = JoinSet::new();
    let mut endpoints = Vec::new();
    for member in &cluster.members {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        endpoints.push(listener.local_addr().unwrap().to_string());
        proxies.spawn(listen(listener, member.place.client_address()));
    }
    let traffic = Traffic::start(&with(EtcdOptions::new(endpoints))).await;
    for _ in 0..4 {
        while_commits_go_on().await;
    }
    let faults: u64 = traffic.nodes.iter().map(|node| node.stats().faults).sum();
    let retries: u64 = traffic.nodes.iter().map(|node| node.stats().retries).sum();
    println!("{faults} requests broken, {retries} groups tried again");
    assert!(faults > 0, "connections broke under commits");
    traffic.check(what).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_found_out_and_no_commit_happens_twice() {
    through_proxies("connections that break", |options| options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_given_up_on_its_way_is_unknown_and_a_repetition_finds_out() {
    let impatient = |options| EtcdOptions {
        commit_wait: Duration::from_millis(1),
        ..options
    };
    through_proxies("commits given up soon", impatient).await;
}
