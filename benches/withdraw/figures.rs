/// What is measured, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    Withdraw,
    Probe,
    Kill,
    Hang,
    HangWithBfd,
    Start,
    Rss,
    /// The daemon alone; of metal-edge, what a section `[bgp]` adds.
    SpeakerRss,
    Cpu,
}

/// The figures of one program. What it has not is missing.
#[derive(Debug)]
pub struct Figures {
    pub name: &'static str,
    values: Vec<(Figure, f64)>,
}

// === impl Figure ===

impl Figure {
    pub const ALL: [Self; 9] = [
        Self::Withdraw,
        Self::Probe,
        Self::Kill,
        Self::Hang,
        Self::HangWithBfd,
        Self::Start,
        Self::Rss,
        Self::SpeakerRss,
        Self::Cpu,
    ];

    /// What it is, with its unit.
    pub fn title(self) -> &'static str {
        match self {
            Self::Withdraw => "explicit withdrawal, ms",
            Self::Probe => "failed probe, ms",
            Self::Kill => "kill -9 of the daemon, ms",
            Self::Hang => "hang (SIGSTOP), no BFD, ms",
            Self::HangWithBfd => "hang, BFD 100 ms x 3, ms",
            Self::Start => "start to announced, ms",
            Self::Rss => "RSS, all processes, MiB",
            Self::SpeakerRss => "RSS of the speaker, MiB",
            Self::Cpu => "CPU when idle, % of a core",
        }
    }

    /// What metal-edge shall stay under.
    pub fn target(self) -> Option<f64> {
        match self {
            Self::Probe => Some(300.0),
            Self::Kill => Some(80.0),
            Self::Hang => Some(1000.0),
            Self::HangWithBfd => Some(400.0),
            Self::SpeakerRss => Some(5.0),
            Self::Withdraw | Self::Start | Self::Rss | Self::Cpu => None,
        }
    }

    /// How many digits after the point mean something.
    pub fn digits(self) -> usize {
        match self {
            Self::Rss | Self::SpeakerRss => 1,
            Self::Cpu => 2,
            _ => 0,
        }
    }
}

// === impl Figures ===

impl Figures {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            values: Vec::new(),
        }
    }

    /// Keeps the median of `samples`, in place of what was there; nothing if
    /// there are none.
    pub fn set(&mut self, figure: Figure, mut samples: Vec<f64>) {
        self.values.retain(|(of, _)| *of != figure);
        samples.sort_by(f64::total_cmp);
        if let Some(last) = samples.len().checked_sub(1) {
            let median = f64::midpoint(samples[last / 2], samples[last.div_ceil(2)]);
            self.values.push((figure, median));
        }
    }

    pub fn get(&self, figure: Figure) -> Option<f64> {
        let found = self.values.iter().find(|(of, _)| *of == figure);
        found.map(|(_, value)| *value)
    }
}
