"""The chart is well-formed whatever the names are."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.simulation.chart import svg
from cli.simulation.model import Model
from cli.simulation.report import STATES, Moment, Report, StageReport
from cli.simulation.words import duration

_NAMES = st.text(max_size=80) | st.sampled_from(["</title><script>alert(1)</script>", "\"&<>'", "]]>", "\x00\x1b\ufffe", "\ud800"])


def a_stage(name: str, **fields: Any) -> StageReport:
    values: dict[str, Any] = {
        "name": name,
        "total": 10,
        "state": "succeeded",
        "opened_at": 0.0,
        "first_update_at": 1.0,
        "last_update_at": 2.0,
        "done_at": None,
        "closed_at": 60.0,
        "least_opened_at": 0.0,
        "least_closed_at": 59.0,
        "counts": {"compliant": 10},
        "most_offline": 0,
    }
    return StageReport(**values | fields)


def a_report(*stages: StageReport, **fields: Any) -> Report:
    none = dict.fromkeys(STATES, 0)
    values: dict[str, Any] = {
        "api_version": "sluice.simulation/v1",
        "strategy": "rings",
        "model": Model(clusters=10),
        "state": "succeeded",
        "reason": "",
        "makespan_seconds": 60.0,
        "least_seconds": 59.0,
        "ratio": 1.017,
        "settled_seconds": 60.0,
        "targets": 10,
        "unstaged": 0,
        "updates": 10,
        "throttled": 0,
        "counts": {"compliant": 10},
        "stages": stages,
        "pauses": (),
        "events": (),
        "messages": {},
        "audit_entries": 0,
        "failed_invocations": 0,
        "series": (Moment(at=0.0, counts=none | {"pending": 10}), Moment(at=60.0, counts=none | {"compliant": 10})),
    }
    return Report(**values | fields)


def shown(document: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(document).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 -- our own


@given(names=st.lists(_NAMES, max_size=5), strategy=_NAMES, span=st.floats(0, 1e7))
def test_it_is_well_formed_for_any_names_and_holds_no_element_of_theirs(names: list[str], strategy: str, span: float) -> None:
    report = a_report(*(a_stage(name, closed_at=span) for name in names), strategy=strategy, makespan_seconds=span)
    elements = {element.tag.rpartition("}")[2] for element in ET.fromstring(svg(report)).iter()}  # noqa: S314 -- our own
    assert elements <= {"svg", "title", "desc", "style", "rect", "text", "line", "polygon"}


def test_it_says_how_long_it_took_and_how_long_it_could_have_taken() -> None:
    texts = shown(svg(a_report(a_stage("canary"))))
    assert "Simulated rollout: 1 min, 101.7% of the theoretical time" in texts
    assert "theoretical 59 s" in texts
    assert "canary" in texts


def test_only_states_that_there_were_are_in_the_legend() -> None:
    texts = shown(svg(a_report(a_stage("canary"))))
    assert "compliant" in texts
    assert "offline" not in texts


def test_a_name_that_does_not_fit_is_cut_in_the_band_and_whole_beside_it() -> None:
    name = "a-very-long-name-of-a-stage"
    document = svg(a_report(a_stage(name, closed_at=6.0)))
    assert name not in shown(document)
    assert f"stage {name}, 10 compliant" in document


@pytest.mark.parametrize("state", ["paused", "superseded"])
def test_a_rollout_that_did_not_end_well_says_so(state: str) -> None:
    report = a_report(a_stage("canary", closed_at=None), state=state, makespan_seconds=None, least_seconds=None, ratio=None, series=())
    assert f"Simulated rollout: {state}" in shown(svg(report))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (90, "1 min 30 s"), (3600, "1 h"), (5369.9, "1 h 29 min"), (86_520, "1 d"), (90_000, "1 d 1 h")],
)
def test_times_are_told_in_at_most_two_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words
