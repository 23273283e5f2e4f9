use std::sync::Mutex;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::*;

/// A probe that finds what the test says; `None` hangs.
struct Told {
    finding: Arc<Mutex<Option<Finding>>>,
}

impl Probe for Told {
    fn name(&self) -> &str {
        "told"
    }

    fn run(&self) -> BoxFuture<'static, Finding> {
        match self.finding.lock().expect("no panic").clone() {
            Some(finding) => std::future::ready(finding).boxed(),
            None => std::future::pending().boxed(),
        }
    }
}

struct Bench {
    finding: Arc<Mutex<Option<Finding>>>,
    verdicts: watch::Receiver<Verdict>,
    checker: tokio::task::JoinHandle<()>,
}

impl Bench {
    fn start() -> Self {
        let finding = Arc::new(Mutex::new(Some(Finding::Good)));
        let probe: Arc<dyn Probe> = Arc::new(Told {
            finding: Arc::clone(&finding),
        });
        let (sender, verdicts) = watch::channel(Verdict::unknown(Instant::now()));
        let pace = Pace {
            interval: Duration::from_millis(10),
            fall: 2,
            rise: 5,
            timeout: Duration::from_millis(50),
            valid_for: Duration::from_millis(100),
        };
        let checker = Checker::new(vec![probe], pace, sender, Arc::new(Metrics::new("test")));
        Self {
            finding,
            verdicts,
            checker: tokio::spawn(checker.run()),
        }
    }

    fn tell(&self, finding: Option<Finding>) {
        *self.finding.lock().expect("no panic") = finding;
    }

    async fn until(&mut self, level: Level) -> Verdict {
        let wanted = self.verdicts.wait_for(|verdict| verdict.level == level);
        tokio::time::timeout(Duration::from_secs(10), wanted)
            .await
            .expect("the verdict comes")
            .expect("the checker lives")
            .clone()
    }
}

#[tokio::test]
async fn a_failed_probe_is_down_with_its_reason_and_a_good_one_healthy_again() {
    let mut bench = Bench::start();
    bench.until(Level::Healthy).await;
    bench.tell(Some(Finding::bad("disk full")));
    assert_eq!(&*bench.until(Level::Down).await.why, "disk full");
    bench.tell(Some(Finding::Good));
    assert_eq!(&*bench.until(Level::Healthy).await.why, "");
}

#[tokio::test]
async fn a_probe_that_never_answers_is_down() {
    let mut bench = Bench::start();
    bench.until(Level::Healthy).await;
    bench.tell(None);
    let verdict = bench.until(Level::Down).await;
    assert!(
        verdict.why.contains("told: no answer for"),
        "{}",
        verdict.why
    );
}

#[tokio::test]
async fn a_poor_finding_degrades_and_never_withdraws() {
    let mut bench = Bench::start();
    bench.until(Level::Healthy).await;
    bench.tell(Some(Finding::Poor("expired".into())));
    assert_eq!(&*bench.until(Level::Degraded).await.why, "expired");
}

#[tokio::test]
async fn the_verdict_of_a_checker_that_stopped_expires() {
    let mut bench = Bench::start();
    let verdict = bench.until(Level::Healthy).await;
    assert_eq!(verdict.level_at(Instant::now()), Level::Healthy);
    bench.checker.abort();
    let last = bench.verdicts.borrow().clone();
    assert_eq!(last.level_at(last.valid_until), Level::Down);
}
