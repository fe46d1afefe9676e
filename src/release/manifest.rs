//! `manifest.json`: `releases.<version or current>.<os>.<arch>` with the `url` and the `sha256` of
//! an archive. Only these are evidenced, so everything else in it is passed over.

use super::text::description;
use crate::{
    Code, Error, Help, Result,
    agent::{Kind, RELEASE_HOST, Version},
    platform::Platform,
    text::url::without_secrets,
    values::Sha256,
};
use serde_json::{Map, Value};
use std::cmp::Reverse;
use url::Url;

/// The key of the newest release.
const CURRENT: &str = "current";

/// What the bucket has of an agent whose releases are archives.
#[derive(Debug)]
pub(super) struct Manifest {
    agent: Kind,
    releases: Map<String, Value>,
    /// The day of the file, such as `2026-11-20`.
    day: Option<String>,
}

/// An archive of the manifest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Archive {
    pub(super) url: Url,
    pub(super) sha256: Sha256,
}

impl Manifest {
    /// Reads the file; `day` is the day that the server gives for it.
    ///
    /// # Errors
    /// [`Code::ManifestInvalid`] when it has no releases.
    pub(super) fn read(agent: Kind, bytes: &[u8], day: Option<String>) -> Result<Self> {
        let releases = match serde_json::from_slice(bytes) {
            Ok(Value::Object(mut whole)) => whole.remove("releases"),
            _ => return Err(invalid(&format!("holds {}, not releases", description(bytes)))),
        };
        match releases {
            Some(Value::Object(releases)) => Ok(Self { agent, releases, day }),
            _ => Err(invalid("has no releases")),
        }
    }

    /// The version of the newest release for a platform: that of the key with the same checksum;
    /// where there is none, `current` with the day of the manifest.
    ///
    /// # Errors
    /// As [`archive`](Self::archive).
    pub(super) fn newest(&self, platform: Platform) -> Result<Version> {
        let current = self.sha256(CURRENT, platform)?;
        let is_same = |version: &Version| {
            self.sha256(version.as_str(), platform).is_ok_and(|sha256| sha256 == current)
        };
        let named = self.versions().into_iter().find(is_same);
        Ok(named.unwrap_or_else(|| Version::current(self.day.as_deref())))
    }

    /// The archive of a version for a platform, in the bucket at `base`.
    ///
    /// # Errors
    /// [`Code::NoSuchVersion`] when the manifest is sound and does not have it,
    /// [`Code::ManifestInvalid`] when it is not sound.
    pub(super) fn archive(
        &self,
        version: &Version,
        platform: Platform,
        base: &Url,
    ) -> Result<Archive> {
        let key = version.folder();
        let sha256 = self.sha256(key, platform)?;
        let text = self.entry(key, platform)?.get("url").and_then(Value::as_str);
        let text = text.ok_or_else(|| invalid(&format!("has no url for {key}, {platform}")))?;
        Ok(Archive { url: in_bucket(text, base)?, sha256 })
    }

    /// The versions that it names, the newest first.
    pub(super) fn versions(&self) -> Vec<Version> {
        let named = self.releases.keys().filter_map(|key| Version::of(self.agent, key).ok());
        let mut versions: Vec<Version> = named.collect();
        versions.sort_by_key(|version| Reverse(version.numbers()));
        versions
    }

    fn sha256(&self, key: &str, platform: Platform) -> Result<Sha256> {
        let text = self.entry(key, platform)?.get("sha256").and_then(Value::as_str);
        // As published scripts compare it: upper case is as good.
        let sum = text.and_then(|text| text.trim().parse().ok());
        sum.ok_or_else(|| invalid(&format!("has no sha256 for {key}, {platform}")))
    }

    fn entry(&self, key: &str, platform: Platform) -> Result<&Map<String, Value>> {
        let (os, arch) = (platform.os().to_string(), platform.arch().to_string());
        let title = self.agent.profile().title;
        let Some(release) = self.releases.get(key) else {
            let error = format!("manifest.json has no release {key} of {title}");
            return Err(self.with_others(Error::new(Code::NoSuchVersion, error), key, platform));
        };
        let entry = release.get(&os).and_then(|of_os| of_os.get(&arch));
        if let Some(entry) = entry.and_then(Value::as_object) {
            return Ok(entry);
        }
        let has = platforms(release);
        if has.is_empty() {
            return Err(invalid(&format!("names no platform for {key}")));
        }
        // A release can be published for one platform before the others.
        let error = format!(
            "{title} {key} is published for {}, and not for {platform} (yet)",
            has.join(", ")
        );
        Err(self.with_others(Error::new(Code::NoSuchVersion, error), key, platform))
    }

    /// Adds the newest versions that the platform has.
    fn with_others(&self, error: Error, key: &str, platform: Platform) -> Error {
        let has = |version: &Version| {
            let release = self.releases.get(version.as_str());
            release.is_some_and(|release| platforms(release).contains(&platform.to_string()))
        };
        let versions = self.versions().into_iter().filter(|version| version.as_str() != key);
        let names: Vec<String> = versions.filter(has).take(5).map(|it| it.to_string()).collect();
        match names.first() {
            None => error,
            Some(newest) => error
                .help(Help::words(format!("--version {newest}")))
                .help(Help::words(format!("versions for {platform}: {}", names.join(", ")))),
        }
    }
}

/// `os/arch` of every platform that a release has.
fn platforms(release: &Value) -> Vec<String> {
    let systems = release.as_object().into_iter().flatten();
    let named = systems.flat_map(|(os, of_os)| {
        let archs = of_os.as_object().into_iter().flatten();
        archs.map(move |(arch, _)| format!("{os}/{arch}"))
    });
    // What is no platform is not repeated to a terminal.
    named.filter(|name| name.parse::<Platform>().is_ok()).collect()
}

/// The URL of an archive, which must lie in the release bucket: taken there, or, with another bucket
/// as `base`, at the same path of that.
fn in_bucket(text: &str, base: &Url) -> Result<Url> {
    let shown = without_secrets(text);
    let outside = || invalid(&format!("names {shown:?}, which is not in the release bucket"));
    let url = Url::parse(text).map_err(|_| outside())?;
    let has_login = !url.username().is_empty() || url.password().is_some();
    let is_bucket =
        url.scheme() == "https" && url.host_str() == Some(RELEASE_HOST) && url.port().is_none();
    let key = if has_login {
        None
    } else if is_bucket {
        Some(url.path())
    } else if url.origin() == base.origin() {
        url.path().strip_prefix(base.path().trim_end_matches('/'))
    } else {
        None
    };
    let key = key.and_then(|key| key.strip_prefix('/')).ok_or_else(outside)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/+".contains(&byte);
    // The parser has resolved `..`; an escaped one would be resolved by a server.
    let names_file = key.bytes().all(is_plain) && !key.split('/').any(str::is_empty);
    if !names_file || url.query().is_some() || url.fragment().is_some() {
        return Err(outside());
    }
    let text = format!("{}/{key}", base.as_str().trim_end_matches('/'));
    text.parse().map_err(|_| outside())
}

fn invalid(what: &str) -> Error {
    Error::new(Code::ManifestInvalid, format!("manifest.json {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const BUCKET: &str = "https://circleci-binary-releases.s3.amazonaws.com";

    fn entry(version: &str, sum: char) -> Value {
        let url = format!("{BUCKET}/circleci-runner/{version}/circleci-runner_linux_amd64.tar.gz");
        json!({"linux": {"amd64": {"url": url, "sha256": String::from(sum).repeat(64), "size": 1}}})
    }

    fn read(releases: &Value) -> Manifest {
        let whole = json!({"releases": releases, "updated": "x", "schema": 7});
        let bytes = serde_json::to_vec(&whole).unwrap();
        Manifest::read(Kind::MachineRunner, &bytes, Some("2026-11-20".into())).unwrap()
    }

    fn archive(manifest: &Manifest, version: &str, base: &str) -> Result<Archive> {
        let platform = "linux/amd64".parse().unwrap();
        manifest.archive(&version.parse().unwrap(), platform, &base.parse().unwrap())
    }

    fn newest(releases: &Value) -> String {
        read(releases).newest("linux/amd64".parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn the_newest_release_is_named_by_the_version_of_the_same_checksum() {
        let mut releases = json!({
            "3.1.9": entry("3.1.9", 'b'),
            "3.1.10": entry("3.1.10", 'A'),
            "current": entry("current", 'a'),
            "notes": "text",
        });
        assert_eq!(newest(&releases), "3.1.10");
        releases["3.1.10"] = entry("3.1.10", 'c');
        assert_eq!(newest(&releases), "current (2026-11-20)");
        let manifest = read(&releases);
        let current = archive(&manifest, "current-2026-11-20", BUCKET).unwrap();
        assert!(current.url.path().starts_with("/circleci-runner/current/"), "{current:?}");
    }

    #[test]
    fn a_url_lies_in_the_bucket_and_is_taken_on_the_mirror() {
        let mut releases = json!({"3.1.9": entry("3.1.9", 'b')});
        let key = "circleci-runner/3.1.9/circleci-runner_linux_amd64.tar.gz";
        for base in [BUCKET, "https://mirror.example.com/ci", "https://mirror.example.com/ci/"] {
            let found = archive(&read(&releases), "3.1.9", base).unwrap().url;
            assert_eq!(found.as_str(), format!("{}/{key}", base.trim_end_matches('/')));
        }
        let mirror = "https://mirror.example.com/ci";
        releases["3.1.9"]["linux"]["amd64"]["url"] = json!(format!("{mirror}/{key}"));
        assert_eq!(
            archive(&read(&releases), "3.1.9", mirror).unwrap().url.as_str(),
            format!("{mirror}/{key}")
        );
        for url in [
            format!("{mirror}/{key}"),
            format!("http://{RELEASE_HOST}/{key}"),
            format!("https://{RELEASE_HOST}:8443/{key}"),
            format!("https://{RELEASE_HOST}.example.com/{key}"),
            format!("https://{RELEASE_HOST}@example.com/{key}"),
            format!("https://me@{RELEASE_HOST}/{key}"),
            format!("https://{RELEASE_HOST}/a/%2e%2e%2f{key}"),
            format!("https://{RELEASE_HOST}//{key}"),
            format!("https://{RELEASE_HOST}/{key}?x"),
            format!("https://{RELEASE_HOST}/{key}#x"),
            format!("https://{RELEASE_HOST}/"),
            "file:///etc/passwd".to_owned(),
            key.to_owned(),
            String::new(),
        ] {
            releases["3.1.9"]["linux"]["amd64"]["url"] = json!(url);
            let error = archive(&read(&releases), "3.1.9", BUCKET).unwrap_err();
            assert_eq!(error.code(), Code::ManifestInvalid, "{url}");
        }
    }

    #[test]
    fn a_release_that_lacks_the_platform_is_told_with_the_versions_that_have_it() {
        let mut releases = json!({"3.1.9": entry("3.1.9", 'b'), "3.1.8": entry("3.1.8", 'b')});
        releases["3.1.10"] = json!({"darwin": {"arm64": {}, "\u{1b}[2J": {}}});
        let error = archive(&read(&releases), "3.1.10", BUCKET).unwrap_err();
        assert_eq!(error.code(), Code::NoSuchVersion);
        assert_eq!(
            error.message(),
            "machine runner 3 3.1.10 is published for darwin/arm64, and not for linux/amd64 (yet)"
        );
        assert_eq!(error.help_lines()[0], "--version 3.1.9");
        let error = archive(&read(&releases), "3.1.11", BUCKET).unwrap_err();
        assert_eq!(error.code(), Code::NoSuchVersion);
        assert!(error.help_lines().concat().contains("3.1.9, 3.1.8"), "{error:?}");
    }

    #[test]
    fn what_is_no_manifest_is_told_as_what_it_is() {
        let read = |text: &str| Manifest::read(Kind::MachineRunner, text.as_bytes(), None);
        for (text, what) in [
            ("<!DOCTYPE html>", "a web page"),
            ("", "nothing"),
            ("[1]", "\"[1]\""),
            ("{}", "no releases"),
            ("{\"releases\": []}", "no releases"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.code(), Code::ManifestInvalid);
            assert!(error.message().contains(what), "{error}");
        }
        for of_platform in [json!({}), json!({"sha256": "a", "url": BUCKET}), json!({"sha256": 1})]
        {
            let releases = json!({"releases": {"current": {"linux": {"amd64": of_platform}}}});
            let manifest = read(&releases.to_string()).unwrap();
            let error = manifest.newest("linux/amd64".parse().unwrap()).unwrap_err();
            assert_eq!(error.code(), Code::ManifestInvalid, "{releases}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes: Vec<u8>, url in ".{0,60}") {
            let _ = Manifest::read(Kind::MachineRunner, &bytes, None);
            let _ = in_bucket(&url, &BUCKET.parse().unwrap());
        }
    }
}
