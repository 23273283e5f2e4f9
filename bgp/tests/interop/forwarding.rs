//! Whether BIRD sends here what it was told.

use serde_json::Value;

use super::bird::{Bird, Terms};
use super::{ANYCAST_V4, ANYCAST_V6, PATIENCE, Speaker, eventually, lab_and_speaker};

/// Waits until exactly `prefixes` are in this list of the peer's status.
fn wait(speaker: &mut Speaker, list: &str, prefixes: &[&str]) {
    eventually(&format!("{list}: {prefixes:?}"), PATIENCE, || {
        let status = speaker.status();
        let shown = status["peers"][0]["forwarding"][list].as_array()?;
        let shown = shown.iter().filter_map(Value::as_str);
        shown.eq(prefixes.iter().copied()).then_some(())
    });
}

#[test]
fn a_family_that_bird_does_not_import_is_missing_until_it_does() {
    let (_lab, leaf, mut speaker) = lab_and_speaker::<Bird>(false);
    speaker.tell("verify");
    speaker.tell("announce 600");
    wait(&mut speaker, "verified", &[ANYCAST_V4, ANYCAST_V6]);
    leaf.configure(&Terms {
        import: ["none", "all"],
        ..Terms::default()
    });
    leaf.refresh();
    wait(&mut speaker, "missing", &[ANYCAST_V4]);
    wait(&mut speaker, "verified", &[ANYCAST_V6]);
    leaf.configure(&Terms::default());
    leaf.refresh();
    wait(&mut speaker, "missing", &[]);
    wait(&mut speaker, "verified", &[ANYCAST_V4, ANYCAST_V6]);
}
