"""People ask about rollouts."""

from collections.abc import Mapping

import azure.functions as func

from functions import people
from functions.paths import limit, rollout_id
from functions.principal import asked_by
from shared import bootstrap

blueprint = func.Blueprint()

_PAGE = 20
_PAGE_OF_TARGETS = 100


@people.route(blueprint, "rollouts", "GET")
async def list_rollouts(req: func.HttpRequest) -> Mapping[str, object]:
    """Newest first. Query: `limit` (1 to 100, default 20), `continuation` from the page before."""
    _check_reader(req)
    return await bootstrap.app().report().recent(limit(req, _PAGE), req.params.get("continuation") or None)


@people.route(blueprint, "rollouts/{id}", "GET")
async def get_rollout(req: func.HttpRequest) -> Mapping[str, object]:
    """With its events and the first thousand targets. Query: `targets=0` leaves the targets out."""
    _check_reader(req)
    return await bootstrap.app().report().one(rollout_id(req), with_targets=req.params.get("targets") != "0")


@people.route(blueprint, "rollouts/{id}/targets", "GET")
async def list_targets(req: func.HttpRequest) -> Mapping[str, object]:
    """In their order. Query: `stage`, `state`, `limit` (1 to 1000, default 100), `continuation` from the page before."""
    _check_reader(req)
    stage, state, continuation = (req.params.get(name) or "" for name in ("stage", "state", "continuation"))
    most = limit(req, _PAGE_OF_TARGETS)
    return await bootstrap.app().report().targets(rollout_id(req), stage=stage, state=state, limit=most, continuation=continuation)


def _check_reader(req: func.HttpRequest) -> None:
    asked_by(req, "Reader", "Operator", "Approver")
