//! The rehearsal on Linux and macOS.

use crate::{
    agent,
    loopback::{self, Loopback},
};
use std::{
    fs, io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    process::{Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

/// How long the installed agent runs.
const AGENT_RUNS: Duration = Duration::from_secs(2);

/// Has the length and alphabet of a resource class token, and opens nothing.
const TOKEN: &str =
    "7c1a09be42d85f63e0b7149ad3c85f26e1904b7dc3a86f25d0be91473c6a8f52d4e07b193ac5860f";

pub(crate) fn run() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--config") {
        return agent::run(args.into_iter());
    }
    match rehearse() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the rehearsal ended early: {error}");
            ExitCode::FAILURE
        }
    }
}

fn rehearse() -> io::Result<()> {
    let scratch = tempfile::Builder::new().prefix("runnerup-rehearsal-").tempdir()?;
    let (root, token) = (scratch.path().join("root"), scratch.path().join("token"));
    fs::create_dir(&root)?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&token)?;
    io::Write::write_all(&mut file, TOKEN.as_bytes())?;
    let servers = Loopback::start(&fs::read(std::env::current_exe()?)?, TOKEN);
    let url = servers.url();
    let root_text = root.display().to_string();
    let run = |command: &str, extra: &[&str]| {
        let mut args = vec![command, "--yes", "--root", &root_text, "--release-url", &url];
        args.extend(["--url", &url, "--name", "rehearsal", "--service", "systemd"]);
        args.extend(extra);
        runnerup(&args)
    };

    title("a release bucket and a runner API on loopback");
    println!("{url}, with the versions {} and {}", loopback::NEWEST, loopback::OLDER);
    let token = ["--token-file", &token.display().to_string()];
    title("the plan");
    run("plan", &token)?;
    title("install into a scratch root");
    run("install", &token)?;
    title("what it made");
    show(&root, &root)?;
    for file in ["etc/systemd/system/circleci.service", "var/lib/runnerup/receipts/default.json"] {
        title(file);
        let text = fs::read_to_string(root.join(file))?;
        text.lines().take(20).for_each(|line| println!("{line}"));
    }
    title("the agent that was installed, for two seconds");
    run_agent(&root)?;
    let claims = servers.requests().iter().filter(|line| line.contains("/claim")).count();
    println!("the runner API saw {claims} claims");
    if claims == 0 {
        return Err(io::Error::other("the agent that was installed did not claim"));
    }
    title("install again, with the same settings and with another");
    run("install", &[])?;
    run("install", &["--max-run-time", "2h"])?;
    title("uninstall");
    runnerup(&["uninstall", "--root", &root_text, "--purge", "--yes"])?;
    let left = fs::read_dir(&root)?.count();
    println!("{left} files and folders are left in the scratch root");
    if left > 0 {
        return Err(io::Error::other("uninstall left something behind"));
    }
    title("the doctor: healthy, then with a fault that the published script plants");
    run("install", &token)?;
    runnerup(&["doctor", "--root", &root_text])?;
    let binary = root.join("opt/circleci/circleci-launch-agent");
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o644))?;
    if runnerup(&["doctor", "--root", &root_text]).is_ok() {
        return Err(io::Error::other("the doctor did not see the fault"));
    }
    title("the doctor's fix, and its report");
    runnerup(&["doctor", "--root", &root_text, "--fix", "--yes"])
}

/// The program itself, in this process: the same code from the command line on.
fn runnerup(args: &[&str]) -> io::Result<()> {
    println!("$ runnerup {}", args.join(" "));
    let args: Vec<_> =
        std::iter::once("runnerup").chain(args.iter().copied()).map(Into::into).collect();
    match runnerup::cli::run_with(&args) {
        code if code == ExitCode::SUCCESS => Ok(()),
        code => Err(io::Error::other(format!("runnerup ended with {code:?}"))),
    }
}

/// The agent reads the paths of its configuration as the mounted image would have them, so it is
/// given a copy whose work folder is inside the scratch root.
fn run_agent(root: &Path) -> io::Result<()> {
    let config = root.join("etc/opt/circleci/launch-agent-config.yaml");
    let outside = format!("working_directory: {}/var", root.display());
    let text = fs::read_to_string(&config)?.replace("working_directory: /var", &outside);
    let copy = root.with_file_name("config.yaml");
    fs::write(&copy, text)?;
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o600))?;
    let mut agent = Command::new(root.join("opt/circleci/circleci-launch-agent"))
        .arg("--config")
        .arg(&copy)
        .stdin(Stdio::null())
        .spawn()?;
    thread::sleep(AGENT_RUNS);
    agent.kill()?;
    agent.wait().map(drop)
}

fn show(folder: &Path, root: &Path) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let about = entry.metadata()?;
        let path = entry.path();
        let shown = path.strip_prefix(root).unwrap_or(&path).display();
        println!("{:04o} {:>10} /{shown}", about.permissions().mode() & 0o7777, about.len());
        if about.is_dir() {
            show(&path, root)?;
        }
    }
    Ok(())
}

fn title(text: &str) {
    println!("\n== {text}");
}
