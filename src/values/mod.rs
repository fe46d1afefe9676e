//! The types of single settings: each knows its rule, reads itself from text and writes the same
//! text back.
//!
//! A value of one of these types is right by construction, so that planners and templates need no
//! checks of their own. Where a rule differs between systems (paths, account names) the
//! constructor takes the system that the install is *for*, which need not be this one; `FromStr`
//! of those types takes any system's form and is meant for reading back what was recorded.

mod account;
mod address;
mod choice;
mod connections;
mod duration;
mod instance;
mod manager;
mod name;
mod path;
mod proxy;
mod sha256;
mod url;
pub(crate) mod windows_path;

pub use account::AccountName;
pub use address::HostPort;
pub use choice::{Mode, truth};
pub use connections::Connections;
pub use duration::{GoDuration, LONGEST_UNCONFIRMED};
pub use instance::InstanceName;
pub use manager::Manager;
pub use name::{RunnerName, RunnerNameTemplate};
pub use path::AbsolutePath;
pub(crate) use path::static_prefix;
pub use proxy::ProxyUrl;
pub use sha256::Sha256;
pub use url::checked_url;

/// Lets serde write a type as its `Display` text and read it through its `FromStr`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
use serde_as_text;

/// What every text type must keep: no panic on any text, and `Display` reads back as the value.
#[cfg(test)]
fn assert_round_trip<T>(text: &str)
where
    T: std::str::FromStr + std::fmt::Display + PartialEq + std::fmt::Debug,
    T: serde::Serialize + serde::de::DeserializeOwned,
    T::Err: std::fmt::Debug,
{
    let Ok(value) = text.parse::<T>() else { return };
    assert_eq!(value.to_string().parse::<T>().unwrap(), value, "{text:?}");
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(json, serde_json::to_string(&value.to_string()).unwrap());
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value);
}
