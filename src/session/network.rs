//! How root's own download goes: by what a person says, by the host that it goes out from, and never
//! by what is in an image.

use crate::{
    release::Network,
    settings::{Settings, Source, Spec},
};

/// The way to the release bucket, and what the image names for itself alone.
pub(super) fn of_download(
    spec: &Spec,
    settings: &Settings,
    ca: Option<String>,
    is_host: bool,
) -> (Network, Vec<String>) {
    let is_images = |name: &str| !is_host && matches!(settings.source(name), Source::Existing(_));
    let whole = Network {
        base: spec.release_url.clone(),
        proxy: spec.proxy.clone(),
        no_proxy: spec.no_proxy.clone(),
        ca,
        timeout: spec.timeout,
        connections: spec.connections,
    };
    let notes = [
        ("proxy", whole.proxy.is_some()),
        ("no-proxy", whole.no_proxy.is_some()),
        ("ca-file", whole.ca.is_some()),
    ];
    let notes = notes.into_iter().filter(|(name, is_set)| *is_set && is_images(name));
    let notes = notes.map(|(name, _)| {
        format!(
            "the download does not go by the {name} that the image names for itself; if it is \
             meant, give --{name}"
        )
    });
    let notes = notes.collect();
    let network = Network {
        proxy: whole.proxy.filter(|_| !is_images("proxy")),
        no_proxy: whole.no_proxy.filter(|_| !is_images("no-proxy")),
        ca: whole.ca.filter(|_| !is_images("ca-file")),
        ..whole
    };
    (network, notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::{HostDefaults, SettingValue},
        values::Manager,
    };

    const SETTINGS: [(&str, &str); 3] = [
        ("proxy", "http://proxy.example.com:3128"),
        ("no-proxy", "example.com"),
        ("ca-file", "/etc/ca.pem"),
    ];

    fn way(source: &Source, is_host: bool) -> (Network, Vec<String>) {
        let mut settings = Settings::default();
        for (name, value) in SETTINGS {
            settings.add(name, SettingValue::one(value, source.clone())).unwrap();
        }
        let platform = "linux/amd64".parse().unwrap();
        let here = HostDefaults::new(platform, Manager::None);
        let spec = Spec::resolve(&settings, None, here).unwrap();
        of_download(&spec, &settings, Some("PEM".into()), is_host)
    }

    #[test]
    fn an_image_leads_no_download_of_this_host() {
        let existing = Source::Existing("/etc/opt/circleci/environment".into());
        for (source, is_host, is_used) in
            [(&existing, false, false), (&existing, true, true), (&Source::Flag, false, true)]
        {
            let (network, notes) = way(source, is_host);
            let used = [network.proxy.is_some(), network.no_proxy.is_some(), network.ca.is_some()];
            assert_eq!(used, [is_used; 3], "{source} {is_host}");
            assert_eq!(notes.len(), if is_used { 0 } else { 3 }, "{notes:?}");
        }
    }
}
