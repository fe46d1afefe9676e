//! Texts of an agent's log that are known: docs/agents.md, Log. Of a log these alone enter a survey,
//! so a text that a check looks for stands here.

/// A failure, and what it means. The first that fits counts.
pub const FAILURES: &[(&str, &str)] = &[
    ("invalid bearer token", "the token is wrong, or its resource class was deleted"),
    ("401-unauthorized", "the token is wrong, or its resource class was deleted"),
    ("401 unauthorized", "the token is wrong, or its resource class was deleted"),
    ("status_code=401", "the token is wrong, or its resource class was deleted"),
    ("407 proxy authentication required", "the proxy asks for a user name and a password"),
    ("status_code=407", "the proxy asks for a user name and a password"),
    ("403 forbidden", "the server, or a proxy on the way to it, refuses the request"),
    ("status_code=403", "the server, or a proxy on the way to it, refuses the request"),
    (
        "x509: certificate has expired or is not yet valid",
        "a certificate is out of date, or this host's clock is",
    ),
    (
        "x509:",
        "the server's certificate is not trusted: something intercepts, or an authority is missing",
    ),
    ("no such host", "a name cannot be resolved"),
    ("connection refused", "something refuses the connection: a firewall, or a proxy that is down"),
    ("i/o timeout", "no answer came: a firewall drops the connection"),
    ("no space left", "a disk is full"),
    ("permission denied", "the account lacks a right"),
    ("platform is required", "this agent is too old for the server"),
    ("410-gone", "this agent is too old for the server"),
    ("410 gone", "this agent is too old for the server"),
    ("status_code=410", "this agent is too old for the server"),
    ("password is required", "sudo of the command prefix wants a password"),
    ("you must have a tty", "sudo of the command prefix wants a terminal"),
];

/// A line with one of these tells of an error.
pub const ERRORS: &[&str] = &[
    "erro",
    "error",
    "errors",
    "error=",
    "fatal",
    "result=error",
    "permission denied",
    "sudo:",
    "401 unauthorized",
    "403 forbidden",
    "407 proxy authentication required",
    "410 gone",
    "status_code=401",
    "status_code=403",
    "status_code=407",
    "status_code=410",
];

/// A line with one of these tells of a request that succeeded: an earlier failure has passed.
pub const SUCCESSES: &[&str] =
    &["result=success", "status=\"healthy\"", "status_code=200", "status_code=204"];

/// A line with one of these, in these very letters, is the first of an agent that was started.
pub const STARTS: &[&str] = &["Started", "starting agent"];

/// Levels, as they stand before `[` and the seconds since the start.
pub const LEVELS: &[&str] = &["TRAC", "DEBU", "INFO", "WARN", "ERRO", "FATA"];

/// What else agents, their service managers and systems say, in words that never differ.
const OTHERS: &[&str] = &[
    // Levels in words.
    "trace",
    "debug",
    "info",
    "warn",
    "warning",
    "panic:",
    // The agents.
    "error running task",
    "unexpected error claiming task",
    "server supplied detail",
    "worker loop",
    "get /api/v2/task/config",
    "get /api/v2/tasks/download",
    "post /api/v3/runner/claim",
    "status=\"unhealthy\"",
    "healthy",
    "unhealthy",
    "status_code=400",
    "status_code=404",
    "status_code=408",
    "status_code=429",
    "status_code=500",
    "status_code=502",
    "status_code=503",
    "status_code=504",
    "400 bad request",
    "404 not found",
    "408 request timeout",
    "429 too many requests",
    "500 internal server error",
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway timeout",
    "resource class",
    "concurrency limit",
    super::CLOUD_HOST,
    "unknown flag",
    "yaml:",
    // Their libraries.
    "dial tcp",
    "proxyconnect tcp",
    "lookup",
    "tls:",
    "x509: certificate signed by unknown authority",
    "x509: certificate is valid for",
    "x509: certificate is not valid for any names",
    "tls handshake timeout",
    "context deadline exceeded",
    "context canceled",
    "unexpected eof",
    "proxy authentication required",
    "server misbehaving",
    // Errors of systems.
    "no such file or directory",
    "exec format error",
    "no space left on device",
    "read-only file system",
    "operation not permitted",
    "not a directory",
    "is a directory",
    "text file busy",
    "argument list too long",
    "too many open files",
    "cannot allocate memory",
    "resource temporarily unavailable",
    "input/output error",
    "disk quota exceeded",
    "network is unreachable",
    "no route to host",
    "connection reset by peer",
    "broken pipe",
    "address already in use",
    "connection timed out",
    "access is denied",
    "command not found",
    "signal: killed",
    "signal: terminated",
    // sudo.
    "sudo: a password is required",
    "sudo: a terminal is required to read the password",
    "sudo: sorry, you must have a tty to run sudo",
    "sudo: no tty present and no askpass program specified",
    // systemd.
    "starting",
    "stopping",
    "stopped",
    "circleci.service",
    "circleci-runner.service",
    "main process exited",
    "code=exited",
    "code=killed",
    "code=dumped",
    "status=1/failure",
    "status=2/invalidargument",
    "status=6/abrt",
    "status=9/kill",
    "status=11/segv",
    "status=15/term",
    "status=200/chdir",
    "status=203/exec",
    "status=217/user",
    "status=226/namespace",
    "failed with result 'exit-code'",
    "failed with result 'signal'",
    "failed with result 'timeout'",
    "failed with result 'start-limit-hit'",
    "failed with result 'oom-kill'",
    "scheduled restart job",
    "start request repeated too quickly",
];

/// What a log tells of the last start in it, by the lines from there on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// There is none in it.
    No,
    /// There is one, and no known failure after it that no request has succeeded after.
    Well,
    /// A known failure, and what it means.
    Failing(&'static str),
}

/// What the last lines of a log tell of the last start, of which it has the text `start`.
pub fn started(lines: &str, start: &str) -> Started {
    let lines: Vec<&str> = lines.lines().collect();
    let Some(at) = lines.iter().rposition(|line| line.contains(start)) else { return Started::No };
    let mut found = Started::Well;
    for line in lines.iter().skip(at) {
        let small = line.to_lowercase();
        let has = |texts: &[&str]| texts.iter().any(|text| small.contains(text));
        let failure = FAILURES.iter().find(|(text, _)| small.contains(text));
        match failure.filter(|_| has(ERRORS)) {
            Some((_, meaning)) => found = Started::Failing(meaning),
            None if has(SUCCESSES) => found = Started::Well,
            None => {}
        }
    }
    found
}

/// Every known text. Large and small letters are the same.
pub fn all() -> impl Iterator<Item = &'static str> {
    let others = [ERRORS, SUCCESSES, STARTS, OTHERS].into_iter().flatten().copied();
    FAILURES.iter().map(|(text, _)| *text).chain(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_judged_by_what_follows_it() {
        let start = "20:04:58 f0666 0.004ms starting agent app.version=3.1.4-7421-b48991f";
        let refused = "20:04:59 f0666 9ms GET /api/v2/tasks/download error=x \
                       http.response.status_code=401 result=error";
        let good = "20:05:09 f0666 9ms POST /api/v3/runner/claim http.response.status_code=204";
        for (lines, expected) in [
            (vec![], Started::No),
            (vec![good, refused], Started::No),
            (vec![refused, start], Started::Well),
            (vec![start, refused, good], Started::Well),
            (vec![start, good, refused], Started::Failing(FAILURES[3].1)),
            (vec![start, refused, start], Started::Well),
        ] {
            assert_eq!(started(&lines.join("\n"), "starting agent"), expected, "{lines:?}");
        }
    }
}
