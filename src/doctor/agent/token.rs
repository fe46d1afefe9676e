//! Whether the server accepts the token.

use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict, config::RENEW, lookup::edit_config},
    host::{Install, Survey, Unseen},
};

pub(super) const ACCEPTED: Check = Check {
    name: "agent/token-accepted",
    holds: "The server accepts the token",
    why: "The agent runs, but never claims a job. The server refuses the token with 401 if the \
          token or its resource class was deleted.",
    found: "The doctor sends the request that machine runner 3 sends at its start, which claims no \
            job. Only the responses 200 and 401 give a result.",
    cure: "Create a token for the resource class and write it to the configuration.",
    after: &[
        "config/token-set",
        "connectivity/names-resolve",
        "connectivity/reachable",
        "connectivity/proxy-works",
        "connectivity/tls-trusted",
        "connectivity/api-answers",
    ],
    judge: Judge::Agent(accepted),
};

fn accepted(survey: &Survey, install: &Install) -> Judged {
    let network = survey.network.known()?;
    let api = network.of(&install.name).find(|endpoint| endpoint.name == "api");
    let answer = api.and_then(|api| api.answer.as_ref()?.outcome.as_ref().ok());
    let answer = answer.filter(|answer| answer.with_token);
    let answer = answer
        .ok_or_else(|| Unseen::not_examined("no request with the token was sent to the server"))?;
    match answer.status {
        200 | 204 => Ok(Verdict::Holds(format!("the server answers {}", answer.status))),
        401 => Ok(Problem::fail("the server refuses the token")
            .seen("the server answers 401 to a request with this token")
            .cure(Remedy::by_hand(RENEW).command(edit_config(survey, install)))
            .into()),
        other => Err(Unseen::not_examined(format!(
            "the server answers {other}, which says nothing about the token"
        ))),
    }
}
