//! What the manager made of the text of units and variables.

use super::super::{Fault, Healthy};

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[];
