//! A stand-in for CircleCI's launch-agent, for rehearsals and tests. Not the agent: it runs no
//! jobs but `sleep`, and calls nothing but plain HTTP on loopback. See [`agent`].

mod agent;
mod job;

fn main() -> std::process::ExitCode {
    agent::run(std::env::args().skip(1))
}
