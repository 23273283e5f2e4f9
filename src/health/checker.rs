//! The task that probes and judges.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use super::judge::Judge;
use super::probe::{Finding, Probe};
use super::verdict::{Level, Verdict};
use crate::metrics::Metrics;

/// How often to look, and how much to believe.
#[derive(Debug, Clone)]
pub struct Pace {
    /// From one round to the next.
    pub interval: Duration,
    /// Worse rounds in a row until the verdict falls.
    pub fall: u32,
    /// Better rounds in a row until it rises.
    pub rise: u32,
    /// A probe that takes longer counts as failed in every round until it
    /// answers.
    pub timeout: Duration,
    /// How long a verdict may be acted on.
    pub valid_for: Duration,
}

/// What a probe found last.
#[derive(Debug, Clone)]
pub struct Pulse {
    /// The probe's name.
    pub name: String,
    /// The finding; none before its first run.
    pub finding: Option<Finding>,
    /// How long that run took.
    pub took: Duration,
}

/// What the probes found last, for status and `GET /v1/health`.
#[derive(Debug, Clone, Default)]
pub struct Pulses(Arc<RwLock<Vec<Pulse>>>);

// === impl Pulses ===

impl Pulses {
    /// What every probe found last.
    pub fn read(&self) -> Vec<Pulse> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, index: usize, finding: Finding, took: Duration) {
        let mut pulses = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(pulse) = pulses.get_mut(index) {
            pulse.finding = Some(finding);
            pulse.took = took;
        }
    }
}

/// Probes in rounds and publishes a verdict after each.
pub struct Checker {
    probes: Vec<Arc<dyn Probe>>,
    running: Vec<Option<Instant>>,
    tasks: JoinSet<(usize, Finding, Duration)>,
    pulses: Pulses,
    pace: Pace,
    judge: Judge,
    verdicts: watch::Sender<Verdict>,
    metrics: Arc<Metrics>,
}

// === impl Checker ===

impl Checker {
    /// A checker that publishes to `verdicts`.
    pub fn new(
        probes: Vec<Arc<dyn Probe>>,
        pace: Pace,
        verdicts: watch::Sender<Verdict>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let pulses = probes
            .iter()
            .map(|probe| Pulse {
                name: probe.name().to_owned(),
                finding: None,
                took: Duration::ZERO,
            })
            .collect();
        Self {
            running: vec![None; probes.len()],
            tasks: JoinSet::new(),
            pulses: Pulses(Arc::new(RwLock::new(pulses))),
            judge: Judge::new(pace.fall, pace.rise, Instant::now()),
            probes,
            pace,
            verdicts,
            metrics,
        }
    }

    /// Where the latest findings can be read.
    pub fn pulses(&self) -> Pulses {
        self.pulses.clone()
    }

    /// Checks until it is dropped. When it stops or hangs, nobody renews the
    /// verdict, and the announcement is withdrawn.
    pub async fn run(mut self) {
        let mut ticks = interval(self.pace.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.start_idle_probes();
            self.collect(Instant::now() + self.pace.interval).await;
            self.judge();
        }
    }

    fn start_idle_probes(&mut self) {
        for (index, probe) in self.probes.iter().enumerate() {
            if self.running[index].is_none() {
                let started = Instant::now();
                let run = probe.run();
                self.running[index] = Some(started);
                self.tasks.spawn(async move {
                    let finding = run.await;
                    (index, finding, started.elapsed())
                });
            }
        }
    }

    /// Takes what the probes found, until all are done or `deadline`.
    async fn collect(&mut self, deadline: Instant) {
        let deadline = deadline.into();
        while !self.tasks.is_empty() {
            let done = tokio::select! {
                done = self.tasks.join_next() => done,
                () = sleep_until(deadline) => return,
            };
            match done {
                Some(Ok((index, finding, took))) => {
                    self.running[index] = None;
                    self.note(index, finding, took);
                }
                Some(Err(error)) if error.is_cancelled() => {}
                Some(Err(error)) => self.note_panic(&error),
                None => return,
            }
        }
    }

    fn note(&self, index: usize, finding: Finding, took: Duration) {
        let name = self.probes[index].name();
        self.metrics.probed(name, took, finding == Finding::Good);
        self.pulses.set(index, finding, took);
    }

    /// A probe that panicked is not known by its index any more: all that are
    /// not running are started again, and the panic counts against each.
    fn note_panic(&mut self, error: &tokio::task::JoinError) {
        tracing::error!(%error, "a health probe panicked");
        self.tasks.abort_all();
        for index in 0..self.probes.len() {
            if let Some(started) = self.running[index].take() {
                self.note(index, Finding::bad("the probe panicked"), started.elapsed());
            }
        }
    }

    fn judge(&mut self) {
        let now = Instant::now();
        let mut worst: Option<Finding> = None;
        for (index, pulse) in self.pulses.read().into_iter().enumerate() {
            let finding = match self.running[index] {
                Some(started) if now - started >= self.pace.timeout => {
                    let waited = (now - started).as_millis();
                    let late = Finding::bad(format!("{}: no answer for {waited} ms", pulse.name));
                    self.note(index, late.clone(), now - started);
                    late
                }
                _ => match pulse.finding {
                    Some(finding) => finding,
                    // Not a word from it yet.
                    None => Finding::bad(format!("{}: not probed yet", pulse.name)),
                },
            };
            if worst
                .as_ref()
                .is_none_or(|worst| level(&finding) < level(worst))
            {
                worst = Some(finding);
            }
        }
        let worst = worst.unwrap_or(Finding::Good);
        self.judge.round(level(&worst), worst.why(), now);
        self.publish(now);
    }

    fn publish(&self, now: Instant) {
        let verdict = self.judge.verdict(now + self.pace.valid_for);
        let before = self.verdicts.send_replace(verdict.clone());
        self.metrics.verdict(verdict.level as u8);
        if before.level != verdict.level {
            let why = &*verdict.why;
            match verdict.level {
                Level::Healthy => tracing::info!(verdict = ?verdict.level, "the verdict changed"),
                Level::Degraded | Level::Down => {
                    tracing::error!(verdict = ?verdict.level, why, "the verdict changed");
                }
            }
        }
    }
}

const fn level(finding: &Finding) -> Level {
    match finding {
        Finding::Good => Level::Healthy,
        Finding::Poor(_) => Level::Degraded,
        Finding::Bad(_) => Level::Down,
    }
}

#[cfg(test)]
#[path = "tests/checker.rs"]
mod tests;
