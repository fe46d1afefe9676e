//! What the runner API says of a resource class.

use serde::{Deserialize, Serialize};

/// A resource class, its runners and its work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Queue {
    /// `NAMESPACE/NAME`.
    pub resource_class: String,
    /// Whether the namespace has a class of the name; `None`: the API did not say.
    pub exists: Option<bool>,
    /// Classes of the namespace.
    pub classes: Vec<String>,
    /// Runners in the class's inventory.
    pub runners: Vec<Runner>,
    /// Tasks that wait for a runner.
    pub unclaimed: Option<u64>,
    /// Tasks that run.
    pub running: Option<u64>,
    /// Running tasks of the namespace's other classes.
    pub running_elsewhere: Option<u64>,
    /// What the API refused, such as `401 for …`.
    #[serde(rename = "trouble")]
    pub failure: Option<String>,
    /// The host that was not asked, since another account than root could have named it: it would
    /// have got the person's token.
    pub withheld_from: Option<String>,
}

impl Queue {
    /// Of a resource class that was not asked for.
    pub fn withheld(resource_class: String, host: String) -> Self {
        Self { resource_class, withheld_from: Some(host), ..Self::default() }
    }
}

/// A runner in the inventory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Runner {
    /// Its name.
    pub name: String,
    /// Its host's name.
    pub hostname: String,
    /// When it was last in touch, in seconds since 1970.
    pub last_connected: Option<i64>,
    /// When it last had a task, in seconds since 1970.
    pub last_used: Option<i64>,
    /// The agent's version.
    pub version: String,
}
