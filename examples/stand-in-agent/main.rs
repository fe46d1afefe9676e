//! A stand-in for CircleCI's launch-agent, and for machine runner 3 where it is called
//! `circleci-runner`, for rehearsals and tests. Not the agent: it runs no
//! jobs but `sleep`, and calls nothing but plain HTTP on loopback. See [`agent`].

mod agent;
mod form;
mod job;

fn main() -> std::process::ExitCode {
    agent::run(std::env::args().skip(1))
}
