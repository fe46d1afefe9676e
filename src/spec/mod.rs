//! What should be: settings, their sources and precedence, validation.

mod token_source;
pub mod values;

pub use token_source::token_from_file;
