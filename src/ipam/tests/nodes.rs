//! Several nodes on one store, against a plain set of values.

use futures::future::join_all;
use proptest::prelude::*;

use super::model::Model;
use super::*;

const SIZE: u128 = 64;

#[derive(Clone, Copy, Debug)]
enum Act {
    Acquire(Want),
    /// The so many-th of what is out.
    Release(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Acquire(Want::Any)),
        2 => (0..SIZE).prop_map(|value| Act::Acquire(Want::Value(value))),
        2 => (0..5_u8).prop_map(|bits| Act::Acquire(Want::Aligned { bits })),
        1 => (1..5_u128).prop_map(|most| Act::Acquire(Want::UpTo(most))),
        6 => any::<usize>().prop_map(Act::Release),
    ]
}

/// What one step does: a few things at the same moment, each on one of three nodes.
fn steps() -> impl Strategy<Value = Vec<Vec<(usize, Act)>>> {
    let step = prop::collection::vec((0..3_usize, act()), 1..5);
    prop::collection::vec(step, 60)
}

async fn run(steps: Vec<Vec<(usize, Act)>>) {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let span = Interval {
        lo: 0,
        hi: SIZE - 1,
    };
    let first = Kit::on(&store, &[span], &[]).await;
    let nodes = [
        first.on_another_node(&store),
        first.on_another_node(&store),
        first,
    ];
    let mut model = Model::of(span);
    let mut out: Vec<Interval> = Vec::new();
    for step in steps {
        let alone = step.len() == 1;
        let mut leaving: Vec<Interval> = Vec::new();
        let mut wanted = Vec::new();
        for (node, act) in &step {
            match act {
                Act::Acquire(want) => wanted.push((&nodes[*node], *want)),
                Act::Release(at) if !out.is_empty() => {
                    leaving.push(out.swap_remove(at % out.len()));
                }
                Act::Release(_) => {}
            }
        }
        let release = |(at, interval): (usize, &Interval)| nodes[at % 3].release(*interval);
        let (released, acquired) = tokio::join!(
            join_all(leaving.iter().enumerate().map(release)),
            join_all(wanted.iter().map(|(node, want)| node.acquire(*want))),
        );
        let before = model.clone();
        for (interval, released) in leaving.iter().zip(released) {
            released.unwrap();
            assert!(model.release(*interval));
        }
        let most = model.clone();
        for ((_, want), acquired) in wanted.iter().zip(acquired) {
            match acquired {
                Ok(given) => {
                    let values = given.lo..=given.hi;
                    for value in values {
                        assert!(model.free.remove(&value), "{given} is out already");
                    }
                    if alone {
                        assert_eq!(before.clone().acquire(*want), Some(given));
                    }
                    out.push(given);
                }
                Err(IpamError::Exhausted { .. } | IpamError::Taken { .. }) => {
                    // At the least, it would not have been had if all others had come first.
                    let refused = match alone {
                        true => most.clone().acquire(*want),
                        false => None,
                    };
                    assert_eq!(refused, None, "{want:?} was refused");
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(nodes[0].free().await, model.runs());
        let pool = nodes[0].pool().await;
        assert_eq!(pool.counters, model.counters());
        assert_eq!(pool.acquired, out.len() as u64);
    }
    assert_eq!(nodes[0].pools.check().await.unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn nodes_that_share_a_pool_hand_out_nothing_twice_and_lose_nothing(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(run(steps));
    }
}
