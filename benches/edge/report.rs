use super::{options::Options, usage::Memory, wrk::Run};

/// The runs of one path, in pairs.
pub struct Comparison {
    name: &'static str,
    pairs: Vec<(Run, Run)>,
}

// === impl Comparison ===

impl Comparison {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            pairs: Vec::new(),
        }
    }

    pub fn add(&mut self, ours: Run, theirs: Run) {
        self.pairs.push((ours, theirs));
    }

    /// The median over the pairs of what `of` makes of each.
    fn median(&self, of: impl Fn(&(Run, Run)) -> f64) -> f64 {
        median(self.pairs.iter().map(of).collect())
    }
}

/// One row a server and path, and the ratios.
pub fn print(comparisons: &[Comparison], options: &Options) {
    println!(
        "\nHTTP/1.1 keep-alive over TLS, 16 connections, one core for the server; \
         medians of {} runs of {} s",
        options.rounds, options.seconds
    );
    println!(
        "{:<20} {:<12} {:>9} {:>12} {:>8} {:>8}",
        "", "", "req/s", "µs CPU/req", "p50 ms", "p99 ms"
    );
    for comparison in comparisons {
        type Side = fn(&(Run, Run)) -> Run;
        let sides: [(&str, Side); 2] = [("metal-edge", |pair| pair.0), ("nginx", |pair| pair.1)];
        for (server, side) in sides {
            println!(
                "{:<20} {:<12} {:>9.0} {:>12.2} {:>8.2} {:>8.2}",
                comparison.name,
                server,
                comparison.median(|pair| side(pair).requests_per_second),
                comparison.median(|pair| side(pair).cpu_per_request),
                comparison.median(|pair| side(pair).p50),
                comparison.median(|pair| side(pair).p99),
            );
        }
        println!(
            "{:<20} {:<12} {:>8.2}x {:>11.2}x",
            "",
            "ratio",
            comparison
                .median(|(ours, theirs)| ours.requests_per_second / theirs.requests_per_second),
            comparison.median(|(ours, theirs)| ours.cpu_per_request / theirs.cpu_per_request),
        );
    }
}

pub fn memory(name: &str, pid: u32) {
    let memory = Memory::of(pid);
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{name} memory after load: RSS {:.1} MiB, PSS {:.1} MiB",
        mib(memory.rss),
        mib(memory.pss)
    );
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}
