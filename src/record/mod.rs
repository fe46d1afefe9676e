//! What runs leave behind and later runs read: steps, targets and their states, the journal, receipts.

mod digest;
mod journal;
mod known;
mod receipt;
mod step;
mod target;

pub(crate) use digest::{FILE_LIMIT, file_digest};
pub(crate) use journal::{Event, Journal, cures};
pub use journal::{FIX, Unfinished};
pub(crate) use known::{KEY_LENGTH, ancestors, path, read_key, receipts};
pub use known::{StateSnapshot, read};
pub use receipt::{PlacedBinary, Receipt};
pub use step::{
    Binary, Check, Content, File, Folder, IfBusy, NewAccount, Owner, RegistryValue, SetPermissions,
    Step,
};
pub use target::{After, Digest, Record, State, Target};
