//! How an agent's service reaches an endpoint: proxies and authorities, and who could have named
//! them. The same for the shell that runs the doctor.

use super::{
    candidate::Candidate,
    environment::Raw,
    reader::{Part, read_at},
};
use crate::{host::Provenance, platform::fs::Root};
use std::{collections::BTreeMap, env, path::Path};

/// Variables that decide how a connection is made.
pub(super) const VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"];

/// The variable that names a file of authorities.
const AUTHORITIES: &str = "SSL_CERT_FILE";

/// Most bytes of a file of authorities that are read.
const LIMIT: u64 = 8 << 20;

/// A value, and who could have written it.
pub(super) struct Named<T> {
    pub(super) value: T,
    pub(super) by: Provenance,
}

/// Variables about proxies, each with its value and source.
pub(super) type Variables = BTreeMap<String, (String, String)>;

/// Authorities in PEM form, and the file that they stand in.
pub(super) type Authorities = Option<(String, String)>;

/// How a connection is made.
pub(super) struct Route {
    pub(super) variables: Named<Variables>,
    pub(super) authorities: Named<Authorities>,
}

impl Route {
    /// With the settings of a service.
    pub(super) fn of(candidate: &Candidate, root: &Root) -> Self {
        let mut variables = Named { value: Variables::new(), by: Provenance::Root };
        for raw in VARIABLES.iter().filter_map(|name| candidate.raw(name)) {
            let by = candidate.named_by.and(raw.written_by);
            variables.by = variables.by.and(by);
            variables.value.insert(raw.name.clone(), (raw.value.clone(), raw.source.clone()));
        }
        Self { variables, authorities: of_file(candidate, root) }
    }

    /// The parts of it that only root could have named; for the others, what the shell that runs
    /// the doctor has.
    pub(super) fn or_of_shell(self, root: &Root) -> Self {
        let variables = match self.variables.by.is_root() {
            true => self.variables,
            false => Named { value: of_shell(), by: Provenance::Root },
        };
        let authorities = match self.authorities.by.is_root() {
            true => self.authorities,
            false => authorities_of_shell(root),
        };
        Self { variables, authorities }
    }

    /// Who could have named a part of it.
    pub(super) fn by(&self) -> Provenance {
        self.variables.by.and(self.authorities.by)
    }
}

/// The variables about proxies of the shell that runs the doctor.
pub(super) fn of_shell() -> Variables {
    let value = |name: &&str| Some(env::var(name).ok()?).filter(|value| !value.is_empty());
    let found = VARIABLES.iter().filter_map(|name| Some((*name, value(name)?)));
    found.map(|(name, value)| (name.to_owned(), (value, "the shell".to_owned()))).collect()
}

fn of_file(candidate: &Candidate, root: &Root) -> Named<Authorities> {
    match candidate.raw(AUTHORITIES) {
        Some(Raw { value, written_by, .. }) => {
            read(root, value, candidate.named_by.and(*written_by))
        }
        None => Named { value: None, by: Provenance::Root },
    }
}

fn authorities_of_shell(root: &Root) -> Named<Authorities> {
    match env::var(AUTHORITIES) {
        Ok(path) if !path.is_empty() => read(root, &path, Provenance::Root),
        _ => Named { value: None, by: Provenance::Root },
    }
}

/// A file of authorities is the word of who named it and of who could have written it.
fn read(root: &Root, path: &str, named_by: Provenance) -> Named<Authorities> {
    match read_at(root, Path::new(path), Part::Head(LIMIT), named_by) {
        Ok((walk, content)) => Named {
            value: Some((String::from_utf8_lossy(&content.bytes).into_owned(), path.to_owned())),
            by: named_by.and(walk.written_by()),
        },
        Err(_) => Named { value: None, by: named_by },
    }
}
