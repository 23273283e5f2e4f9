//! What a node says about itself: the body of `GET /status` on the admin
//! listener, and the file through which the command line finds a running node.

mod bgp;
mod client;
mod node_file;
mod render;
mod report;

pub use self::{
    bgp::{BgpEvent, BgpPeer, BgpReport, BgpRoute},
    client::{AdminClient, AdminError},
    node_file::{HmacFiles, NodeFile, NodeFileError},
    render::render,
    report::{
        Announcement, AnnouncementState, Certificate, Daemon, Forwarding, Peer, Probe, Report,
        Store, Verdict, VerdictState,
    },
};
