//! metal-edge.
