//! What should be: settings, their sources and precedence, validation.

pub mod answers;
mod nearest;
mod token_source;
pub mod values;

pub use nearest::nearest;
pub use token_source::token_from_file;
