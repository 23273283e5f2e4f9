use super::*;

const LONG: Duration = Duration::from_secs(10);

/// No mark: what would be set is in a directory that is not there.
fn start() -> (Drain, Exit) {
    start_with(Maintenance::new("/nonexistent/maintenance"))
}

fn start_with(maintenance: Maintenance) -> (Drain, Exit) {
    let drain = Drain::default();
    let times = Times {
        graceful_shutdown: Duration::from_millis(10),
        in_flight: Duration::from_secs(5),
    };
    let (departure, exit) = Departure::new(None, drain.clone(), times, maintenance);
    tokio::spawn(departure.run());
    (drain, exit)
}

async fn until(exit: &Exit, phase: Phase) {
    let mut phases = exit.phases();
    timeout(LONG, phases.wait_for(|now| *now == phase))
        .await
        .expect("in time")
        .expect("the departure lives");
}

#[tokio::test]
async fn a_departure_waits_for_the_requests_in_flight() {
    let (drain, exit) = start();
    let flight = drain.enter();
    assert!(exit.ask(Request::Drain));
    until(&exit, Phase::Withdrawn).await;
    assert_eq!(drain.pace(), Pace::Closing);
    tokio::task::yield_now().await;
    assert_eq!(exit.phase(), Phase::Withdrawn);
    drop(flight);
    until(&exit, Phase::Gone).await;
}

#[tokio::test]
async fn an_undone_departure_serves_again_wherever_it_was() {
    let (drain, exit) = start();
    let _flight = drain.enter();
    for _ in 0..2 {
        exit.ask(Request::Drain);
        until(&exit, Phase::Withdrawn).await;
        exit.ask(Request::Undo);
        until(&exit, Phase::Serving).await;
        assert_eq!(drain.pace(), Pace::Serving);
    }
}

#[tokio::test]
async fn asking_twice_leaves_once() {
    let (_drain, mut exit) = start();
    exit.ask(Request::Drain);
    timeout(LONG, exit.leave()).await.expect("in time");
    assert_eq!(exit.phase(), Phase::Gone);
}

#[tokio::test]
async fn a_node_in_maintenance_begins_out_of_service_and_undo_takes_it_back_for_good() {
    let directory = tempfile::tempdir().expect("a directory");
    let mark = Maintenance::new(directory.path().join("maintenance"));
    let (_drain, exit) = start_with(mark.clone());
    assert!(exit.ask(Request::Drain));
    until(&exit, Phase::Gone).await;
    let (drain, exit) = start_with(mark.clone());
    assert_eq!(exit.phase(), Phase::Gone);
    assert!(exit.ask(Request::Undo));
    until(&exit, Phase::Serving).await;
    assert_eq!(drain.pace(), Pace::Serving);
    assert!(!mark.is_set());
}

#[tokio::test]
async fn a_stopped_process_leaves_no_mark_but_one_that_was_set_stays() {
    let directory = tempfile::tempdir().expect("a directory");
    let mark = Maintenance::new(directory.path().join("maintenance"));
    let (_drain, mut exit) = start_with(mark.clone());
    timeout(LONG, exit.leave()).await.expect("in time");
    assert!(!mark.is_set());
    let (_drain, mut exit) = start_with(mark.clone());
    assert!(exit.ask(Request::Drain));
    timeout(LONG, exit.leave()).await.expect("in time");
    assert!(mark.is_set());
}
