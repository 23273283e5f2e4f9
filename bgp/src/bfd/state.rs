//! Words of the protocol that an operator sees.

use std::fmt;

use serde::{Serialize, Serializer};

/// State of a BFD session (RFC 5880 section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum BfdState {
    /// Switched off by an operator; says nothing of the way.
    AdminDown,
    /// Nothing is heard, or the other side hears nothing.
    Down,
    /// The other side is heard, and does not know it yet.
    Init,
    /// Both sides hear each other.
    Up,
}

/// Why a side left the state Up (RFC 5880 section 4.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct BfdDiagnostic(u8);

// === impl BfdState ===

impl BfdState {
    pub(super) const fn bits(self) -> u8 {
        match self {
            Self::AdminDown => 0,
            Self::Down => 1,
            Self::Init => 2,
            Self::Up => 3,
        }
    }

    /// From the lower two bits.
    pub(super) const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::AdminDown,
            1 => Self::Down,
            2 => Self::Init,
            _ => Self::Up,
        }
    }
}

impl fmt::Display for BfdState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::AdminDown => "AdminDown",
            Self::Down => "Down",
            Self::Init => "Init",
            Self::Up => "Up",
        })
    }
}

// === impl BfdDiagnostic ===

impl BfdDiagnostic {
    pub(super) const NONE: Self = Self(0);
    pub(super) const EXPIRED: Self = Self(1);
    pub(super) const NEIGHBOR_DOWN: Self = Self(3);
    pub(super) const ADMIN_DOWN: Self = Self(7);

    /// The number on the wire, 0 to 31.
    pub const fn code(self) -> u8 {
        self.0
    }

    pub(super) const fn from_code(code: u8) -> Self {
        Self(code & 0x1f)
    }
}

/// As RFC 5880 words it.
impl fmt::Display for BfdDiagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self.0 {
            0 => "none",
            1 => "control detection time expired",
            2 => "echo function failed",
            3 => "neighbor signaled session down",
            4 => "forwarding plane reset",
            5 => "path down",
            6 => "concatenated path down",
            7 => "administratively down",
            8 => "reverse concatenated path down",
            other => return write!(f, "reserved diagnostic {other}"),
        })
    }
}

impl Serialize for BfdDiagnostic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
