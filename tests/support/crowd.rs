//! Processes that any user can start, alone and in numbers.

use super::lab::Lab;
use std::{
    thread,
    time::{Duration, Instant},
};

/// Starts this many processes with an agent's name and command line.
pub fn fake_agents(lab: &Lab, account: &str, count: usize) {
    const FORKS: &str = "for (1..$ARGV[0]) { next if fork; \
        $0 = join qq{\\0}, 'circleci-runner', 'machine', '--config', \"/home/$ARGV[1]/c.yaml\"; \
        sleep 900; exit } sleep 900";
    let config = format!("/home/{account}/c.yaml");
    lab.host.write(&config, b"runner:\n  name: fake\n  nmae: fake\n", 0o644);
    // The name is written over these.
    let room = "room".repeat(20);
    start(lab, account, &["perl", "-e", FORKS, &count.to_string(), account, &room]);
    wait_for(lab, "pgrep -x circleci-runner", count);
}

/// Starts this many processes with command lines of 1.8 MB.
pub fn long_commands(lab: &Lab, account: &str, count: usize) {
    const FORKS: &str = "for (1..$ARGV[0]) { next if fork; \
        exec 'sh', '-c', 'sleep 900; :', ('x' x 130000) x 14 } sleep 900";
    start(lab, account, &["perl", "-e", FORKS, &count.to_string()]);
    wait_for(lab, &format!("pgrep -x sleep -u {account}"), count);
}

/// Starts a program as an account, outside of any session.
pub fn start(lab: &Lab, account: &str, argv: &[&str]) {
    let runner = ["runuser", "-u", account, "--", "setsid", "--fork"];
    let words: Vec<&str> = ["sh", "-c", "cd /; exec \"$@\" </dev/null >/dev/null 2>&1", "sh"]
        .into_iter()
        .chain(runner)
        .chain(argv.iter().copied())
        .collect();
    lab.host.ok(&words);
}

/// Waits until a command of the host prints this many lines.
pub fn wait_for(lab: &Lab, command: &str, lines: usize) {
    let begun = Instant::now();
    loop {
        let output = lab.host.run(&["sh", "-c", command]);
        let text = String::from_utf8_lossy(&output.stdout);
        if text.lines().count() >= lines {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{command}: {text}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Starts this many processes that end at once and that nobody fetches.
pub fn ended(lab: &Lab, account: &str, count: usize) {
    const FORKS: &str = "for (1..$ARGV[0]) { my $pid = fork; exit 0 if defined $pid && !$pid } \
        $0 = 'all-ended'; sleep 900";
    start(lab, account, &["perl", "-e", FORKS, &count.to_string()]);
    wait_for(lab, "pgrep -x all-ended", 1);
}

/// Starts this many processes with command lines of 1900 words.
pub fn many_words(lab: &Lab, account: &str, count: usize) {
    const FORKS: &str = "for (1..$ARGV[0]) { next if fork; \
        exec 'sh', '-c', 'sleep 900; :', ('a') x 1900 } sleep 900";
    start(lab, account, &["perl", "-e", FORKS, &count.to_string()]);
    wait_for(lab, &format!("pgrep -x sleep -u {account}"), count);
}

/// Starts this many instances of a template unit, each an agent with a configuration of its own.
pub fn instances(lab: &Lab, count: usize) {
    const MAKE: &str = "
sed 's|^ExecStart=.*|ExecStart=/opt/circleci/circleci-launch-agent --config /etc/opt/circleci-%i/c.yaml|' \
    /etc/systemd/system/circleci.service >/etc/systemd/system/circleci@.service
for i in $(seq $1); do
    mkdir -p /etc/opt/circleci-$i /var/opt/circleci-$i
    install -d -o circleci -g circleci -m 750 /var/opt/circleci-$i/workdir
    sed -E -e \"s|name: .*|name: lab-$i|\" -e \"s|/var/opt/circleci/|/var/opt/circleci-$i/|\" \
        /etc/opt/circleci/launch-agent-config.yaml >/etc/opt/circleci-$i/c.yaml
    chown circleci: /etc/opt/circleci-$i/c.yaml; chmod 600 /etc/opt/circleci-$i/c.yaml
done
systemctl daemon-reload; systemctl enable -q --now $(seq -f circleci@%.0f $1)";
    lab.host.ok(&["sh", "-ec", MAKE, "sh", &count.to_string()]);
    wait_for(lab, "pgrep circleci-launch", count + 1);
}

/// Starts this many processes that do nothing.
pub fn sleepers(lab: &Lab, account: &str, count: usize) {
    const FORKS: &str = "for (1..$ARGV[0]) { next if fork; exec 'sleep', '900' } sleep 900";
    start(lab, account, &["perl", "-e", FORKS, &count.to_string()]);
    wait_for(lab, &format!("pgrep -x sleep -u {account}"), count);
}
