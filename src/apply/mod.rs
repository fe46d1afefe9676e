//! Apply: the only room that changes the host. It does the steps of a plan with a journal,
//! undoes them when one fails, and leaves a receipt.

mod act;
#[cfg(test)]
#[cfg(unix)]
mod bench;
mod engine;
mod host;
mod journal;
mod lock;
mod proof;
mod receipt;
mod state;
mod step;
mod target;
mod undo;

pub(crate) use act::{FILE_LIMIT, file_digest};
pub use engine::{Task, refuse_mounts, refuse_mounts_in, run};
pub use host::{BinarySource, Host, Report};
pub use journal::Unfinished;
pub use proof::prove;
pub use receipt::{PlacedBinary, Receipt};
pub(crate) use state::ancestors;
pub use state::{Known, read, tidy};
pub use step::{
    Binary, Check, Content, File, Folder, IfBusy, NewAccount, Owner, RegistryValue, Settle, Step,
};
pub use target::{After, Digest, Record, State, Target};
