"""What was never delivered, over HTTP."""

import base64
import json
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest
from builders import NOW
from calling import call, told
from worlds import World

from shared import bootstrap
from shared.domain.announcements import Announcement
from shared.domain.deliveries import Delivery, give_up
from shared.domain.messages import Deliver
from shared.domain.record import digest

CHANNEL, ID = digest("channel", "ops"), digest("delivery")
WHY = b'{"reason": "the webhook is back"}'


def a_request(
    method: str = "GET", *, body: bytes = b"", headers: dict[str, str] | None = None, path: dict[str, str] | None = None, **params: str
) -> func.HttpRequest:
    given = {"Content-Type": "application/json", **(headers or {})}
    return func.HttpRequest(
        method, "https://sluice.example/api", headers=given, params=params, route_params=path or {"channel": CHANNEL, "id": ID}, body=body
    )


def as_(*roles: str) -> dict[str, str]:
    claims = [{"typ": "preferred_username", "val": "alex"}, *({"typ": "roles", "val": role} for role in roles)]
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps({"claims": claims}).encode()).decode()}


async def asked(name: str, request: func.HttpRequest) -> tuple[int, Any]:
    response = await call(name, request)
    return response.status_code, told(response)


@pytest.fixture(autouse=True)
def failed(world: World) -> Delivery:
    told = Announcement(id="a", kind="stage.failed", severity="error", title="Stage failed", summary="")
    made = Delivery(id=ID, channel=CHANNEL, provider="ops", due_at=NOW, created_at=NOW, announcements=(told,))
    made = give_up(made, "Rejected 404", NOW)
    world.deliveries.kept.put((CHANNEL, ID), made)
    return made


async def test_it_is_listed_and_sent_again(world: World) -> None:
    status, page = await asked("list_notifications", a_request())
    assert (status, page["continuation"]) == (200, None)
    assert [(each["id"], each["titles"], each["error"]) for each in page["notifications"]] == [(ID, ["Stage failed"], "Rejected 404")]
    assert (await asked("list_notifications", a_request(state="collecting")))[1]["notifications"] == []
    status, shown = await asked("resend_notification", a_request("POST", body=WHY))
    assert (status, shown["state"]) == (200, "collecting")
    assert world.queue.messages("notifications")[-1] == Deliver(channel=CHANNEL, delivery_id=ID)
    assert await asked("resend_notification", a_request("POST", body=WHY)) == (
        409,
        {"error": "it is on its way, and tried again by itself"},
    )
    (link,) = world.audit.streams[CHANNEL]
    assert link.entry is not None
    assert (link.entry.action, link.entry.actor, link.entry.detail["reason"]) == ("notification.resend", "key", "the webhook is back")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (a_request(state="lost"), 400),
        (a_request(limit="many"), 400),
    ],
)
async def test_a_list_that_makes_no_sense_is_refused(request_: func.HttpRequest, status: int) -> None:
    assert (await asked("list_notifications", request_))[0] == status


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (a_request("POST", body=b"{}"), 400),
        (a_request("POST", body=b'{"reason": "x", "stage": "prod"}'), 400),
        (a_request("POST", body=WHY, headers={"Content-Type": "text/plain"}), 415),
        (a_request("POST", body=WHY, headers={"Sec-Fetch-Site": "cross-site"}), 403),
        (a_request("POST", body=WHY, path={"channel": CHANNEL, "id": "../etc"}), 404),
        (a_request("POST", body=WHY, path={"channel": CHANNEL, "id": "G" * 32}), 404),
        (a_request("POST", body=WHY, path={"channel": CHANNEL, "id": "0" * 32}), 404),
    ],
)
async def test_what_is_not_asked_properly_changes_nothing(world: World, request_: func.HttpRequest, status: int) -> None:
    assert (await asked("resend_notification", request_))[0] == status
    assert world.faults.writes == 0


async def test_who_reads_may_not_send(app: bootstrap.App) -> None:
    app.settings = replace(app.settings, signs_in=True)
    assert (await asked("list_notifications", a_request(headers=as_("Reader"))))[0] == 200
    assert (await asked("list_notifications", a_request(headers=as_("Other"))))[0] == 403
    assert (await asked("resend_notification", a_request("POST", body=WHY, headers=as_("Reader", "Approver"))))[0] == 403
    assert (await asked("resend_notification", a_request("POST", body=WHY, headers=as_("Operator"))))[0] == 200
