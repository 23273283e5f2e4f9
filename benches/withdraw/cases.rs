use std::time::Duration;

use nix::sys::signal::{Signal, kill};

use super::{
    PATIENCE, SETTLED,
    announcer::Announcer,
    figures::{Figure, Figures},
    lab::{self, ANYCAST_V4, Lab, RouteMonitor, eventually},
    pause,
    tree::{Tree, rss},
};

/// How long CPU is counted.
const IDLE: Duration = Duration::from_secs(10);
/// The longest interval of a checker or of keepalives.
const INTERVAL: u32 = 5000;

/// What is done to a program that announces.
type Fault = fn(&mut dyn Announcer, &Lab);

/// Every fault on a fresh start.
pub struct Cases<'a> {
    pub lab: &'a Lab,
    pub monitor: &'a RouteMonitor,
    pub program: &'a mut dyn Announcer,
    pub rounds: u32,
}

// === impl Cases ===

impl Cases<'_> {
    /// All that needs no BFD. Prints what it is at.
    pub fn measure(&mut self) -> Figures {
        let mut figures = Figures::new(self.program.name());
        let mut starts = Vec::new();
        let faults: [(Figure, Fault); 4] = [
            (Figure::Withdraw, |program, lab| program.withdraw(lab)),
            (Figure::Probe, |program, _| program.fail()),
            (Figure::Kill, |program, _| signal(program, Signal::SIGKILL)),
            (Figure::Hang, |program, _| signal(program, Signal::SIGSTOP)),
        ];
        for (figure, fault) in faults {
            let samples = self.samples(figure, &mut starts, fault);
            figures.set(figure, samples);
        }
        figures.set(Figure::Start, starts);
        self.start();
        pause(SETTLED);
        let tree = Tree::of(&self.program.processes());
        figures.set(Figure::Rss, vec![tree.rss()]);
        let daemon = self.program.daemon().as_raw().unsigned_abs();
        figures.set(Figure::SpeakerRss, vec![rss(daemon)]);
        let before = tree.cpu();
        pause(IDLE);
        let used = tree.cpu() - before;
        figures.set(Figure::Cpu, vec![used / IDLE.as_secs_f64() * 100.0]);
        self.stop();
        figures
    }

    /// How long a hang lasts where both sides run BFD.
    pub fn measure_bfd(&mut self, figures: &mut Figures) {
        let hang = |program: &mut dyn Announcer, _: &Lab| signal(program, Signal::SIGSTOP);
        let samples = self.samples(Figure::HangWithBfd, &mut Vec::new(), hang);
        figures.set(Figure::HangWithBfd, samples);
    }

    fn samples(&mut self, figure: Figure, starts: &mut Vec<f64>, fault: Fault) -> Vec<f64> {
        let mut samples = Vec::new();
        for round in 0..self.rounds {
            starts.push(self.start());
            if figure == Figure::HangWithBfd {
                self.wait_for_bfd();
            }
            pause(SETTLED);
            if matches!(figure, Figure::Probe | Figure::Hang) {
                pause(self.phase(round));
            }
            let at = lab::now();
            fault(self.program, self.lab);
            let gone = self.monitor.deleted(ANYCAST_V4, at, PATIENCE).at;
            samples.push(gone.since(at).as_secs_f64() * 1e3);
            self.stop();
        }
        println!("{}: {}: {samples:.0?}", self.program.name(), figure.title());
        samples
    }

    /// Spreads the faults over the intervals of a checker, which are 1 s or 5 s:
    /// every round has another moment of both.
    fn phase(&self, round: u32) -> Duration {
        let milliseconds = (1000 + 1000 / self.rounds) * round % INTERVAL;
        Duration::from_millis(milliseconds.into())
    }

    /// Until the route is in the leaf's table, in milliseconds.
    fn start(&mut self) -> f64 {
        self.program.prepare(self.lab);
        let at = lab::now();
        self.program.start(self.lab);
        let added = self.monitor.added(ANYCAST_V4, at, PATIENCE).at;
        added.since(at).as_secs_f64() * 1e3
    }

    fn stop(&mut self) {
        self.program.stop(self.lab);
        eventually("the leaf has no route", PATIENCE, || {
            let routes = self.lab.leaves[0].namespace.routes(ANYCAST_V4);
            routes.is_empty().then_some(())
        });
    }

    fn wait_for_bfd(&self) {
        eventually("BFD is up", PATIENCE, || {
            let neighbor = self.lab.leaves[0].neighbor();
            (neighbor["peerBfdInfo"]["status"] == "Up").then_some(())
        });
    }
}

fn signal(program: &mut dyn Announcer, signal: Signal) {
    kill(program.daemon(), signal).expect("the daemon runs");
}
