//! What should be: settings, their sources and precedence, validation.

pub mod values;
