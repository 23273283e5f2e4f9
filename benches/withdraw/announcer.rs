use nix::unistd::Pid;

use super::lab::Lab;

/// A program that announces the anycast address while its service is healthy.
/// It runs in the node's namespace of a lab with one leaf.
pub trait Announcer {
    /// As the table calls it.
    fn name(&self) -> &'static str;

    /// Puts in place what is there before the start: the service.
    fn prepare(&mut self, lab: &Lab);

    /// Starts it, with its health checker; returns at once.
    fn start(&mut self, lab: &Lab);

    /// Withdraws as an operator would, by a command.
    fn withdraw(&mut self, lab: &Lab);

    /// Makes the next health check fail, and those after it.
    fn fail(&mut self);

    /// The process that speaks BGP.
    fn daemon(&self) -> Pid;

    /// The processes that were started; their descendants belong to them.
    fn processes(&self) -> Vec<u32>;

    /// Kills what [`Announcer::start`] started, and undoes what was done to it.
    fn stop(&mut self, lab: &Lab);
}
