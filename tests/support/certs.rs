//! Certificates as a private authority makes them, and as they go wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// An authority that nobody knows, in a folder of its own.
pub struct Authority {
    folder: tempfile::TempDir,
    openssl: PathBuf,
}

/// What a server shows, and the key to it.
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// `None`, having said so, where there is no openssl.
    pub fn new(what: &str) -> Option<Self> {
        let openssl = super::tool("openssl", what)?;
        let authority = Self { folder: tempfile::tempdir().unwrap(), openssl };
        authority.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-days",
            "2",
            "-subj",
            "/CN=Tests",
            "-addext",
            "keyUsage=critical,keyCertSign",
        ]);
        Some(authority)
    }

    /// Its certificate, for `--ca-file`.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub fn pem(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// Signs for names such as `DNS:localhost,IP:127.0.0.1`, good for so many days from now; with
    /// 0 it expires at once.
    pub fn sign(&self, names: &str, days: u32) -> Identity {
        let id = names.replace(|c: char| !c.is_ascii_alphanumeric(), "-") + &days.to_string();
        let extensions = format!("subjectAltName={names}\nextendedKeyUsage=serverAuth\n");
        fs::write(self.folder.path().join("extensions"), extensions).unwrap();
        let (key, request, certificate) =
            (format!("{id}.key"), format!("{id}.csr"), format!("{id}.pem"));
        self.openssl(&[
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &request,
            "-subj",
            "/CN=bucket",
        ]);
        self.openssl(&[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            &days.to_string(),
            "-extfile",
            "extensions",
            "-out",
            &certificate,
        ]);
        let place = |name: String| self.folder.path().join(name);
        Identity { certificate: place(certificate), key: place(key) }
    }

    /// A line of a password file in Apache's form.
    pub fn password_line(&self, user: &str, password: &str) -> String {
        let output =
            Command::new(&self.openssl).args(["passwd", "-apr1", password]).output().unwrap();
        format!("{user}:{}", String::from_utf8(output.stdout).unwrap())
    }

    fn openssl(&self, args: &[&str]) {
        run(Command::new(&self.openssl).args(args), self.folder.path());
    }
}

fn run(command: &mut Command, folder: &Path) {
    let output = command.current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
