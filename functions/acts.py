"""People act on rollouts, and answer at their gates."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import azure.functions as func

from functions import people
from functions.paths import rollout_id
from functions.principal import asked_by
from shared import bootstrap

if TYPE_CHECKING:
    from shared.domain.asks import Ask

blueprint = func.Blueprint()


@people.route(blueprint, "rollouts/{id}/{act}", "POST")
async def act_on_rollout(req: func.HttpRequest) -> Mapping[str, object]:
    """Acts: pause, resume, abort, rollback, retry. Body: `reason`, and for a rollback perhaps `stage`."""
    from shared.domain.acts import Act, act_kind
    from shared.services.report import summary

    person = asked_by(req, "Operator")
    kind = act_kind(req.route_params.get("act") or "")
    ask = _ask(req, may_name_stage=kind == "rollback")
    act = Act(kind=kind, by=person.actor, reason=ask.reason, stage=ask.stage or "")
    return summary(await bootstrap.app().act()(rollout_id(req), act))


@people.route(blueprint, "rollouts/{id}/gates/{stage}/{gate}/{answer}", "POST")
async def answer_at_gate(req: func.HttpRequest) -> Mapping[str, object]:
    """Answers: approve, reject. Body: `reason`."""
    from shared.domain.errors import NotFound
    from shared.services.report import summary

    person = asked_by(req)
    said = req.route_params.get("answer")
    if said not in ("approve", "reject"):
        raise NotFound("there is no such answer: approve or reject")
    ask = _ask(req, may_name_stage=False)
    stage, gate = (req.route_params.get(name) or "" for name in ("stage", "gate"))
    answer = bootstrap.app().person_answers()
    return summary(await answer(rollout_id(req), stage, gate, person, approved=said == "approve", reason=ask.reason))


def _ask(req: func.HttpRequest, *, may_name_stage: bool) -> "Ask":
    from shared.domain.asks import read_ask
    from shared.domain.errors import Refused

    content_type, site = (req.headers.get(name) or "" for name in ("Content-Type", "Sec-Fetch-Site"))
    ask = read_ask(content_type, site, req.get_body())
    if ask.stage and not may_name_stage:
        raise Refused(400, "only a rollback takes a stage", explain=True)
    return ask
