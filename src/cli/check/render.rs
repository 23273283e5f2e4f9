//! The findings as text and as JSON.

use serde_json::json;

use super::finding::{Group, Outcome};

pub(super) fn text(groups: &[Group], colour: bool) -> String {
    let paint = |code: &str, word: &str| match colour {
        true => format!("\x1b[{code}m{word}\x1b[0m"),
        false => word.to_owned(),
    };
    let mut text = String::new();
    for group in groups {
        text += &format!("{}\n", group.name);
        for check in &group.checks {
            let mark = match check.outcome {
                Outcome::Ok => paint("32", "ok  "),
                Outcome::Warning => paint("33", "warn"),
                Outcome::Failed => paint("31", "FAIL"),
            };
            text += &format!("  {mark}  {}\n", check.what);
            for (word, line) in [("cause", &check.cause), ("fix", &check.fix)] {
                if let Some(line) = line.as_ref().filter(|line| !line.is_empty()) {
                    text += &format!("        {word}: {line}\n");
                }
            }
        }
        text.push('\n');
    }
    let count = |outcome| checks(groups).filter(|it| it.outcome == outcome).count();
    text + &format!(
        "{} checks, {} failed, {} warnings\n",
        checks(groups).count(),
        count(Outcome::Failed),
        count(Outcome::Warning)
    )
}

pub(super) fn json(groups: &[Group]) -> anyhow::Result<String> {
    let ok = checks(groups).all(|check| check.outcome != Outcome::Failed);
    let document = json!({ "ok": ok, "groups": groups });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn checks(groups: &[Group]) -> impl Iterator<Item = &super::finding::Finding> {
    groups.iter().flat_map(|group| &group.checks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<Group> {
        let mut group = Group::new("ports");
        group.ok("127.0.0.1:1 is free");
        group.failed("127.0.0.1:2", "in use", "stop the other");
        vec![group]
    }

    #[test]
    fn each_failure_stands_with_its_cause_and_fix() {
        assert_eq!(
            text(&groups(), false),
            "ports\n  ok    127.0.0.1:1 is free\n  FAIL  127.0.0.1:2\n        cause: in use\n        \
             fix: stop the other\n\n2 checks, 1 failed, 0 warnings\n"
        );
    }

    #[test]
    fn programs_read_the_same_findings() {
        let document: serde_json::Value = serde_json::from_str(&json(&groups()).unwrap()).unwrap();
        assert_eq!(document["ok"], false);
        assert_eq!(document["groups"][0]["checks"][1]["outcome"], "failed");
        assert_eq!(document["groups"][0]["checks"][1]["fix"], "stop the other");
        assert!(document["groups"][0]["checks"][0].get("fix").is_none());
    }
}
