//! What ends before the agent starts.

use super::super::{Fault, Healthy};

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[];
