//! How fast a node that is not fit to serve is out of service: metal-edge
//! beside ExaBGP with its healthcheck, BIRD and gobgpd, each in the same lab
//! against a leaf switch that runs FRR in a network namespace.
//!
//! Every sample begins with a fresh start. The others watch a small web server
//! on the anycast address; it is killed. metal-edge watches itself; its store
//! is kept from writing. ExaBGP's healthcheck runs with its defaults; BIRD and
//! gobgpd are told by a loop that asks once a second and believes the first
//! answer. Nothing is asserted but that each announces, and withdraws at last.
//!
//! `cargo bench --bench withdraw -- [--rounds N] [--only PROGRAM]`, as root.

#[path = "../../tests/anycast/edge_node.rs"]
#[expect(dead_code, reason = "a benchmark starts and kills")]
mod edge_node;
#[path = "../../tests/lab/mod.rs"]
mod lab;
#[path = "../edge/usage.rs"]
#[expect(dead_code, reason = "whole trees are measured here")]
mod usage;

mod announcer;
mod bird;
mod cases;
mod edge;
mod exabgp;
mod figures;
mod gobgp;
mod options;
mod peer;
mod service;
mod table;
mod tree;

use std::{path::Path, process::ExitCode, thread, time::Duration};

use announcer::Announcer;
use cases::Cases;
use edge::Edge;
use figures::{Figure, Figures};
use lab::{Lab, LeafConfig, RouteMonitor};
use options::Options;
use peer::Peer;

/// The AS of the leaf.
const LEAF_ASN: u32 = 4_210_000_001;
/// How long one start, or one withdrawal, may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a program is left alone once it announces.
const SETTLED: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let options = match Options::from_arguments(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    if !nix::unistd::geteuid().is_root() || !Path::new("/usr/lib/frr/bgpd").exists() {
        println!("withdrawal: skipped, needs root and FRR");
        return ExitCode::SUCCESS;
    }
    let mut all = Vec::new();
    if options.wants(edge::NAME) {
        all.push(measure_edge(&options));
    }
    for recipe in [exabgp::recipe, bird::recipe, gobgp::recipe] {
        let name = recipe().name;
        if !options.wants(name) {
            continue;
        }
        if let Some(missing) = missing(recipe().executable) {
            println!("{name}: skipped, {missing} is not installed");
            continue;
        }
        let bfd = recipe().bfd;
        all.push(measure(&options, bfd, |_, bfd| Peer::new(recipe(), bfd)));
    }
    table::print(&all, options.rounds);
    ExitCode::SUCCESS
}

fn measure_edge(options: &Options) -> Figures {
    let mut figures = measure(options, true, Edge::new);
    let (lab, _) = laboratory(false);
    let without = Edge::rss_without_bgp(&lab);
    let with = figures.get(Figure::Rss).expect("it was measured");
    figures.set(Figure::SpeakerRss, vec![with - without]);
    figures
}

fn measure<A: Announcer>(
    options: &Options,
    has_bfd: bool,
    make: impl Fn(&Lab, bool) -> A,
) -> Figures {
    let run = |bfd: bool, work: &mut dyn FnMut(Cases<'_>)| {
        let (lab, monitor) = laboratory(bfd);
        let mut program = make(&lab, bfd);
        work(Cases {
            lab: &lab,
            monitor: &monitor,
            program: &mut program,
            rounds: options.rounds,
        });
    };
    let mut figures = None;
    run(false, &mut |mut cases| figures = Some(cases.measure()));
    let mut figures = figures.expect("it was measured");
    if has_bfd {
        run(true, &mut |mut cases| cases.measure_bfd(&mut figures));
    }
    figures
}

fn laboratory(bfd: bool) -> (Lab, RouteMonitor) {
    let mut leaf = LeafConfig::new(LEAF_ASN);
    leaf.bfd = bfd;
    if bfd {
        leaf.extra = vec![format!("neighbor {} bfd profile lab", Lab::node_v4(0))];
    }
    let lab = Lab::new(&[leaf]);
    let monitor = lab.leaves[0].monitor();
    (lab, monitor)
}

/// What of a program is missing: itself, or what its health checks need.
fn missing(executable: &'static str) -> Option<&'static str> {
    let wanted = [executable, "curl", "python3"];
    wanted
        .into_iter()
        .find(|program| !usage::is_installed(program))
}

#[expect(clippy::disallowed_methods, reason = "an idle time is measured")]
fn pause(length: Duration) {
    thread::sleep(length);
}
