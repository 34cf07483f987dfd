"""Section drift of sluice.yaml."""

import pytest

from shared.config.loader import load_text
from shared.domain.drift import DriftPolicy, DriftRule
from shared.domain.errors import Malformed
from shared.domain.selectors import Selector


def policy(drift: str) -> DriftPolicy:
    return load_text(f"apiVersion: sluice/v1\n{drift}").drift.policy()


def test_without_it_drift_is_only_reported() -> None:
    assert policy("") == DriftPolicy(rules=(DriftRule(mode="report", budget=1),), settle_seconds=300)


def test_rules_come_first_and_take_what_they_do_not_say_from_the_section() -> None:
    text = """
drift:
  mode: remediate
  budget: 3
  resumeSuspended: true
  settle: 90s
  rules:
    - {routes: [platform], selector: {tags: {env: prod}}, budget: 0}
    - {mode: report, resumeSuspended: false}
"""
    prod = DriftRule(mode="remediate", budget=0, resume_suspended=True, routes=("platform",), selector=Selector(tags={"env": "prod"}))
    others = DriftRule(mode="report", budget=3)
    default = DriftRule(mode="remediate", budget=3, resume_suspended=True)
    assert policy(text) == DriftPolicy(rules=(prod, others, default), settle_seconds=90)


@pytest.mark.parametrize(
    ("drift", "reason"),
    [
        ("{mode: ignore}", "mode"),
        ("{budget: -1}", "budget"),
        ("{budget: 101}", "budget"),
        ("{budget: 1.5}", "budget"),
        ("{settle: soon}", "settle"),
        ("{rules: [{budgets: 1}]}", "budgets"),
        ("{rules: [{selector: {tag: {a: b}}}]}", "tag"),
    ],
)
def test_what_it_cannot_mean_is_refused_by_its_line(drift: str, reason: str) -> None:
    with pytest.raises(Malformed, match=rf"sluice.yaml:2: .*{reason}"):
        policy(f"drift: {drift}")
