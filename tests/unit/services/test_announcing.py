"""What is said of a rollout's event: where to answer, what to do, and how far it is."""

import pytest
from builders import NOW, a_gate, a_rollout, a_stage

from shared.domain.announcements import Announcement
from shared.domain.rollouts import Rollout, RolloutEvent
from shared.services.announce import announce

URL = "https://sluice.example"


def waiting_at(gate_type: str = "approval", name: str = "go", url: str = URL, kind: str = "gate.waiting") -> Announcement:
    rollout = a_rollout(a_stage(), a_stage("ring 1", gates=(a_gate(type=gate_type), a_gate(name="go-on"))))
    event = RolloutEvent(id=f"rollout-1.{kind}.{name}.{NOW.isoformat()}.1", kind=kind, at=NOW, summary="", stage=1)
    return announce(rollout, event, [], url)


def told(rollout: Rollout, stage: int | None) -> Announcement:
    return announce(rollout, RolloutEvent(id="e", kind="rollout.paused", at=NOW, summary="", stage=stage), [])


def test_an_approval_links_to_its_page_first() -> None:
    assert waiting_at().links == (
        ("Approve or reject", f"{URL}/api/dashboard?rollout=rollout-1&stage=ring+1&gate=go"),
        ("Open the rollout", f"{URL}/api/dashboard?rollout=rollout-1"),
    )
    assert "gate=go-on" in waiting_at(name="go-on").links[0][1]


@pytest.mark.parametrize("asked", [waiting_at("checks"), waiting_at("webhook"), waiting_at(kind="gate.approved"), waiting_at(name="gone")])
def test_what_people_do_not_answer_links_to_the_rollout_alone(asked: Announcement) -> None:
    assert [text for text, _ in asked.links] == ["Open the rollout"]
    assert "Answer" not in dict(asked.facts)


def test_without_an_address_of_the_app_there_are_no_links_but_the_command() -> None:
    asked = waiting_at(url="")
    assert asked.links == ()
    assert dict(asked.facts)["Answer"] == "sluice approve rollout-1 go --stage ring 1 --reason TEXT (or reject)"


def test_the_numbers_are_of_the_stage_or_of_all_stages() -> None:
    one = a_stage(total=4, counts={"compliant": 3, "failed": 1, "pending": 0})
    two = a_stage("prod", total=6, counts={"rolled-back": 4, "offline": 2})
    rollout = a_rollout(one, two)
    names = ("total", "compliant", "failed", "offline", "rolledBack")
    assert [[told(rollout, stage).fields[name] for name in names] for stage in (0, 1, None)] == [
        [4, 3, 1, 0, 0],
        [6, 0, 0, 2, 4],
        [10, 3, 1, 2, 4],
    ]
    assert dict(told(rollout, 0).facts)["Clusters"] == "3 compliant, 1 failed"


@pytest.mark.parametrize(("kind", "asks"), [("stage.failed", True), ("rollout.rolled-back", True), ("rollout.succeeded", False)])
def test_what_is_wrong_says_what_to_do(kind: str, asks: bool) -> None:
    event = RolloutEvent(id="e", kind=kind, at=NOW, summary="")
    assert bool(announce(a_rollout(), event, []).next_step) is asks


def test_who_is_asked_is_told_so_and_who_waits_for_a_machine_is_not() -> None:
    assert "approve" in waiting_at().next_step
    assert waiting_at("checks").next_step == ""
