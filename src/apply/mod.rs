//! Apply: the only room that changes the host. It does the steps of a plan with a journal,
//! undoes them when one fails, and leaves a receipt.

mod act;
#[cfg(test)]
#[cfg(unix)]
mod bench;
mod engine;
mod host;
mod lock;
mod planned;
mod proof;
mod state;
mod undo;

pub use engine::{Task, refuse_mounts, refuse_mounts_in, run};
pub use host::{BinarySource, Host, StepReporter};
pub use planned::Expected;
pub use proof::prove;
pub use state::remove_empty_state;
