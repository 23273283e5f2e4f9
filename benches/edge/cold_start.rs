use std::time::Instant;

use super::{
    options::Options,
    report::median,
    support::{Node, Settings},
};

/// From the start of the process to its first answered request: on an empty
/// data directory, where keys and certificates are made first, and on a used
/// one. `boot` asks every 3 ms, which is the error of the figures.
pub fn measure(options: &Options) {
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds.max(5) {
        let mut node = Node::prepare(Settings::new());
        first.push(milliseconds_of(|| node.boot()));
        node.kill();
        again.push(milliseconds_of(|| node.boot()));
    }
    println!(
        "cold start to the first answered request, median of {}: \
         {:.0} ms on an empty data directory, {:.0} ms on a used one",
        first.len(),
        median(first),
        median(again)
    );
}

fn milliseconds_of(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}
