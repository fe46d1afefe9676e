//! What an agent takes its jobs from: CircleCI cloud, or a CircleCI server.

use url::Url;

/// Where CircleCI cloud answers runners, and agents ask that name no other place.
pub const CLOUD_URL: &str = "https://runner.circleci.com";

/// The host of [`CLOUD_URL`].
pub const CLOUD_HOST: &str = CLOUD_URL.split_at("https://".len()).1;

/// The bucket of released binaries (CircleCI's published install scripts).
pub const RELEASE_URL: &str = "https://circleci-binary-releases.s3.amazonaws.com";

/// The host of [`RELEASE_URL`].
pub const RELEASE_HOST: &str = RELEASE_URL.split_at("https://".len()).1;

/// CircleCI cloud, or a CircleCI server with its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircleCi<'a> {
    /// CircleCI's own.
    Cloud,
    /// A server, by the URL that names it.
    Server(&'a str),
}

impl<'a> CircleCi<'a> {
    /// By the URL of the runner API: the host alone decides. Without a URL it is the cloud.
    pub fn of(url: Option<&'a str>) -> Self {
        let Some(text) = url else { return Self::Cloud };
        let url = Url::parse(text.trim()).ok();
        match url.as_ref().and_then(Url::host_str) {
            Some(host) if host.trim_end_matches('.') == CLOUD_HOST => Self::Cloud,
            _ => Self::Server(text),
        }
    }

    /// Whether it is the cloud.
    pub fn is_cloud(self) -> bool {
        self == Self::Cloud
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_alone_makes_it_the_cloud() {
        assert_eq!(CLOUD_URL, format!("https://{CLOUD_HOST}"));
        assert!(CircleCi::of(None).is_cloud());
        for rest in ["", "/", ":443", ":8443/x", "./a?b"] {
            assert!(CircleCi::of(Some(&format!("{CLOUD_URL}{rest}"))).is_cloud(), "{rest}");
        }
        for server in [
            format!("{CLOUD_URL}.example.com"),
            format!("https://my-{CLOUD_HOST}"),
            format!("https://ci.example.com/{CLOUD_HOST}"),
            format!("https://{CLOUD_HOST}@ci.example.com"),
            CLOUD_HOST.to_owned(),
            String::new(),
        ] {
            assert_eq!(CircleCi::of(Some(&server)), CircleCi::Server(&server));
        }
    }
}
