//! The way to the API for a question that carries a person's token.

use super::EndpointProbe;

/// An API whose server, proxy and authorities nobody but root, or whoever runs the doctor, could
/// have named. Nothing else gets a person's token: an account that names one of them would
/// receive the token.
#[derive(Debug, Clone)]
pub struct Way(EndpointProbe);

impl Way {
    /// The way that an ask goes; `None` where another account could have named a part of it.
    pub fn of(ask: EndpointProbe) -> Option<Self> {
        ask.named_by.is_root().then(|| Self(EndpointProbe { bearer: None, ..ask }))
    }

    /// The server, and how it is reached.
    pub(in crate::probe) fn ask(&self) -> &EndpointProbe {
        &self.0
    }
}
