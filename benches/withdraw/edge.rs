use std::{fs, process::Command};

use nix::unistd::Pid;

use super::{
    PATIENCE,
    announcer::Announcer,
    edge_node::EdgeNode,
    lab::{Lab, eventually, run},
    tree::Tree,
};

/// As the table calls it.
pub const NAME: &str = "metal-edge";

/// metal-edge as it comes: the API, its store and its probes are in the figures.
/// It announces both families; the /32 is measured, as with the others.
pub struct Edge {
    node: EdgeNode,
    runs: bool,
    drained: bool,
}

// === impl Edge ===

impl Edge {
    pub fn new(lab: &Lab, bfd: bool) -> Self {
        // An explicit withdrawal of the others is not preceded by a pause either.
        let mut settings = vec![("drain", "graceful-shutdown = \"0s\"")];
        if bfd {
            settings.push(("bgp.peer", "bfd-interval = \"100ms\""));
        }
        Self {
            node: EdgeNode::prepare(lab, &settings),
            runs: false,
            drained: false,
        }
    }

    /// Resident memory of the same processes without a section `[bgp]`, in MiB.
    pub fn rss_without_bgp(lab: &Lab) -> f64 {
        let mut node = EdgeNode::prepare(lab, &[]);
        let config = fs::read_to_string(node.config()).expect("it was written");
        let (rest, _) = config.split_once("[bgp]").expect("the last section");
        fs::write(node.config(), rest).expect("it is writable");
        node.start(lab);
        eventually("it is healthy", PATIENCE, || {
            let status = node.status(lab)?;
            (status["verdict"]["state"] == "healthy").then_some(())
        });
        super::pause(super::SETTLED);
        Tree::of(&[node.guard_pid().as_raw().unsigned_abs()]).rss()
    }
}

impl Announcer for Edge {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&mut self, _: &Lab) {}

    fn start(&mut self, lab: &Lab) {
        self.node.start(lab);
        self.runs = true;
    }

    fn withdraw(&mut self, lab: &Lab) {
        let (code, text) = self.node.cli(lab, &["drain"]);
        assert_eq!(code, Some(0), "{text}");
        self.drained = true;
    }

    /// It checks itself: no file of the store can grow any more.
    fn fail(&mut self) {
        let pid = self.node.serving_pid().to_string();
        run(Command::new("prlimit").args(["--pid", &pid, "--fsize=1:unlimited"]));
    }

    fn daemon(&self) -> Pid {
        self.node.serving_pid()
    }

    fn processes(&self) -> Vec<u32> {
        match self.runs {
            true => vec![self.node.guard_pid().as_raw().unsigned_abs()],
            false => Vec::new(),
        }
    }

    fn stop(&mut self, lab: &Lab) {
        if std::mem::take(&mut self.drained) {
            let (code, text) = self.node.cli(lab, &["drain", "--undo"]);
            assert_eq!(code, Some(0), "{text}");
        }
        self.node.kill();
        self.runs = false;
    }
}
