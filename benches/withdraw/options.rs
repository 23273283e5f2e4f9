const USAGE: &str = "usage: cargo bench --bench withdraw -- [--rounds N] [--only PROGRAM]";

/// What the command line asks for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Samples of each figure.
    pub rounds: u32,
    /// One program by its name, in place of all.
    pub only: Option<String>,
}

// === impl Options ===

impl Options {
    /// Nothing where `cargo test` calls: it wants no figures.
    pub fn from_arguments(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, String> {
        let mut options = Self {
            rounds: 5,
            only: None,
        };
        let mut bench = false;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| USAGE.to_owned());
            match argument.as_str() {
                "--bench" => bench = true,
                "--rounds" => {
                    let text = value()?;
                    let number = text.parse().ok().filter(|number| (1..=20).contains(number));
                    options.rounds = number
                        .ok_or_else(|| format!("{text:?} is no number from 1 to 20\n{USAGE}"))?;
                }
                "--only" => options.only = Some(value()?),
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(bench.then_some(options))
    }

    /// Whether the program of this name is to be measured.
    pub fn wants(&self, name: &str) -> bool {
        let only = self.only.as_deref();
        only.is_none_or(|only| only.eq_ignore_ascii_case(name))
    }
}
