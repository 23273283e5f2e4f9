use std::time::{Duration, Instant};

use metal_storage::{Batch, Error, EtcdOptions, Read, Scope, Store, Write};

use super::cluster::{Cluster, Disk};
use super::traffic::{Traffic, connect, key};
use super::{alone, while_commits_go_on};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_go_on_when_one_member_dies() {
    let _alone = alone().await;
    let mut cluster = Cluster::start(Disk::Durable);
    let traffic = Traffic::start(&cluster.options()).await;
    let other = (cluster.leader() + 1) % 3;
    cluster.members[other].kill();
    let pause = traffic.goes_on().await;
    println!("commits go on {pause:?} after a member died");
    while_commits_go_on().await;
    cluster.members[other].start();
    while_commits_go_on().await;
    traffic.check("one member dead").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_go_on_when_the_leader_dies() {
    let _alone = alone().await;
    let mut cluster = Cluster::start(Disk::Durable);
    let traffic = Traffic::start(&cluster.options()).await;
    for _ in 0..2 {
        let leader = cluster.leader();
        cluster.members[leader].kill();
        let pause = traffic.goes_on().await;
        println!("commits go on {pause:?} after the leader died");
        while_commits_go_on().await;
        cluster.members[leader].start();
        while_commits_go_on().await;
    }
    traffic.check("the leader dead, twice").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_of_the_latest_wait_for_the_election_when_the_leader_dies() {
    let _alone = alone().await;
    let mut cluster = Cluster::start(Disk::Durable);
    let traffic = Traffic::start(&cluster.options()).await;
    let patient = EtcdOptions {
        read_wait: Duration::from_secs(30),
        ..cluster.options()
    };
    let reader = connect(patient).await;
    let leader = cluster.leader();
    cluster.members[leader].kill();
    let reads = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..100 {
            let begun = Instant::now();
            let found = reader.get(&key("shared"), Read::Latest).await;
            assert!(found.unwrap().is_some());
            slowest = slowest.max(begun.elapsed());
        }
        slowest
    };
    let (pause, slowest) = tokio::join!(traffic.goes_on(), reads);
    println!("commits go on {pause:?} after the leader died, a read took {slowest:?} at most");
    traffic.check("a leader dead, reads").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_commits_fail_in_bounded_time_and_stale_reads_go_on() {
    let _alone = alone().await;
    let mut cluster = Cluster::start(Disk::Durable);
    let traffic = Traffic::start(&cluster.options()).await;
    let late = connect(cluster.options()).await;
    cluster.members[0].kill();
    cluster.members[1].kill();
    // Some more, for a busy machine.
    let bound = late.options().commit_wait + Duration::from_secs(10);
    for _ in 0..2 {
        let begun = Instant::now();
        let mut batch = Batch::new(Scope::Global);
        batch.writes.push(Write::Delete(key("never there")));
        let error = traffic.nodes[0].commit(batch).await.unwrap_err();
        let known = matches!(error, Error::Unavailable { .. } | Error::Unknown(_));
        assert!(known, "{error:?}");
        assert!(
            begun.elapsed() < bound,
            "a commit took {:?}",
            begun.elapsed()
        );
    }
    for node in &traffic.nodes {
        let begun = Instant::now();
        let found = node.get(&key("shared"), Read::Stale).await.unwrap();
        // It asked nobody, and so waited for nobody.
        assert!(found.is_some() && begun.elapsed() < node.options().request_wait);
        let error = node.get(&key("shared"), Read::Latest).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        assert!(begun.elapsed() < bound, "a read took {:?}", begun.elapsed());
    }
    let found = late.get(&key("shared"), Read::Stale).await.unwrap();
    assert!(
        found.is_some(),
        "one member is enough, though nothing was read before"
    );
    cluster.members[0].start();
    let pause = traffic.goes_on().await;
    println!("commits go on {pause:?} after there is a majority again");
    cluster.members[1].start();
    while_commits_go_on().await;
    traffic.check("two members dead").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_survives_the_death_of_all_members() {
    let _alone = alone().await;
    let mut cluster = Cluster::start(Disk::Durable);
    let traffic = Traffic::start(&cluster.options()).await;
    while_commits_go_on().await;
    for member in &mut cluster.members {
        member.kill();
    }
    let found = traffic.nodes[1].get(&key("shared"), Read::Stale).await;
    assert!(found.unwrap().is_some());
    for member in &mut cluster.members {
        member.start();
    }
    let pause = traffic.goes_on().await;
    println!("commits go on {pause:?} after all members were started again");
    traffic.check("all members dead").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_go_on_when_a_member_stands_still() {
    let _alone = alone().await;
    let cluster = Cluster::start(Disk::Durable);
    let traffic = Traffic::start(&cluster.options()).await;
    let leader = cluster.leader();
    for (what, member) in [("the leader", leader), ("another", (leader + 1) % 3)] {
        let before = traffic.acknowledged();
        cluster.members[member].pause();
        let pause = traffic.goes_on().await;
        println!("commits go on {pause:?} after {what} stood still");
        while_commits_go_on().await;
        assert!(traffic.acknowledged() > before);
        cluster.members[member].resume();
        while_commits_go_on().await;
    }
    traffic.check("members standing still").await;
}
