const USAGE: &str = "usage: cargo bench --bench edge -- [--seconds N] [--rounds N] [--only nginx]";

/// What the command line asks for.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Length of one run.
    pub seconds: u32,
    /// Runs of each server and path.
    pub rounds: u32,
    pub only: Option<Only>,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// nginx alone, without metal-edge.
    Nginx,
}

// === impl Options ===

impl Options {
    /// Nothing where `cargo test` calls: it wants no figures.
    pub fn from_arguments(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, String> {
        let mut options = Self {
            seconds: 5,
            rounds: 3,
            only: None,
        };
        let mut bench = false;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| USAGE.to_owned());
            let number = |text: String| {
                let number = text.parse().ok().filter(|number| (1..=60).contains(number));
                number.ok_or_else(|| format!("{text:?} is no number from 1 to 60\n{USAGE}"))
            };
            match argument.as_str() {
                "--bench" => bench = true,
                "--seconds" => options.seconds = number(value()?)?,
                "--rounds" => options.rounds = number(value()?)?,
                "--only" if value()? == "nginx" => options.only = Some(Only::Nginx),
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(bench.then_some(options))
    }
}
