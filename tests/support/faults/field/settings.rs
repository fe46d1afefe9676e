//! Where settings come from, and how their values are read.

use super::super::{Fault, Healthy};

/// Each is found, and nothing else.
pub const FAULTS: &[Fault] = &[];

/// Of each nothing bad is said.
pub const HEALTHY: &[Healthy] = &[];
