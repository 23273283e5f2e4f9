use metal_storage::{EtcdOptions, EtcdTls};

use super::cluster::{Cluster, Disk};
use super::network::{Network, Side};
use super::traffic::{Traffic, certainly, connect, latest, put};
use super::{alone, while_commits_go_on};

fn options(cluster: &Cluster) -> EtcdOptions {
    EtcdOptions {
        tls: EtcdTls::Off,
        ..cluster.options()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_go_on_when_the_leader_is_cut_off_from_the_others() {
    let _alone = alone().await;
    let network = Network::new();
    let cluster = Cluster::start_at(Disk::Durable, network.places(), &[]);
    let traffic = Traffic::start(&options(&cluster)).await;
    let leader = cluster.leader();
    // Clients still reach it: it must not answer from what it has.
    network.cut(leader, Side::Peers);
    let pause = traffic.goes_on().await;
    println!("commits go on {pause:?} after the leader was cut off from the others");
    traffic.each_sees_what_the_other_did().await;
    while_commits_go_on().await;
    network.mend(leader, Side::Peers);
    while_commits_go_on().await;
    traffic.check("the leader cut off from the others").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_go_on_when_a_member_is_cut_off_from_everyone() {
    let _alone = alone().await;
    let network = Network::new();
    let cluster = Cluster::start_at(Disk::Durable, network.places(), &[]);
    let traffic = Traffic::start(&options(&cluster)).await;
    let leader = cluster.leader();
    for (what, member) in [("the leader", leader), ("another", (leader + 1) % 3)] {
        network.cut(member, Side::Peers);
        network.cut(member, Side::Clients);
        let pause = traffic.goes_on().await;
        println!("commits go on {pause:?} after {what} was cut off from everyone");
        while_commits_go_on().await;
        network.mend(member, Side::Peers);
        network.mend(member, Side::Clients);
        while_commits_go_on().await;
    }
    traffic.check("members cut off").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_go_on_when_clients_cannot_reach_the_leader() {
    let _alone = alone().await;
    let network = Network::new();
    let cluster = Cluster::start_at(Disk::Durable, network.places(), &[]);
    let traffic = Traffic::start(&options(&cluster)).await;
    let leader = cluster.leader();
    // No election: the others take requests and hand them on.
    network.cut(leader, Side::Clients);
    let pause = traffic.goes_on().await;
    println!("commits go on {pause:?} after clients lost the leader");
    while_commits_go_on().await;
    network.mend(leader, Side::Clients);
    while_commits_go_on().await;
    traffic.check("the leader out of the clients' reach").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_cut_off_from_the_others_answers_no_read_of_the_latest_from_what_it_has() {
    let _alone = alone().await;
    let network = Network::new();
    let cluster = Cluster::start_at(Disk::Durable, network.places(), &[]);
    let leader = cluster.leader();
    let writer = connect(options(&cluster)).await;
    for member in [(leader + 1) % 3, (leader + 2) % 3] {
        // Asks this member before any other.
        let mut first = options(&cluster);
        first.endpoints.rotate_left(member);
        let reader = connect(first).await;
        let before = certainly(&writer, put("before")).await.unwrap();
        let found = latest(&reader, "before").await;
        assert_eq!(found.unwrap().version, before.into());
        network.cut(member, Side::Peers);
        // It does not know yet that it has no leader.
        let after = certainly(&writer, put("after")).await.unwrap();
        let found = latest(&reader, "after").await;
        assert_eq!(found.map(|found| found.version), Some(after.into()));
        network.mend(member, Side::Peers);
    }
}
