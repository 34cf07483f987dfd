"""What became of targets in one step, as it is told."""

import pytest
from builders import a_target, an_observation

from shared.domain.endings import endings, kinds

UNWELL = an_observation(compliance="Non-Compliant")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"state": "failed", "has_failed": True}, ["target.failed"]),
        ({"state": "compliant"}, ["target.compliant"]),
        ({"state": "compliant", "has_failed": True}, ["target.recovered", "target.compliant"]),
        ({"state": "compliant", "before": UNWELL}, ["target.recovered", "target.compliant"]),
        ({"state": "rolled-back"}, []),
        ({"state": "rolled-back", "before": UNWELL}, []),
        ({"state": "rolled-back", "has_failed": True}, ["target.recovered"]),
        ({"state": "skipped"}, []),
        ({"state": "superseded"}, []),
    ],
)
def test_an_end_is_told_as_what_it_means_to_people(fields: dict[str, object], told: list[str]) -> None:
    assert [kind for ended in endings([a_target(1, **fields)]) for kind in kinds(ended)] == told


def test_they_come_in_the_order_of_the_rollout() -> None:
    ended = endings([a_target(number, state="failed") for number in (3, 1, 2)])
    assert [each.target_id for each in ended] == ["target-001", "target-002", "target-003"]
