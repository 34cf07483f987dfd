"""The section alerts of sluice.yaml."""

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from shared.config.alerts import Alert, Group, QuietHours
from shared.config.loader import load_text
from shared.domain.errors import Malformed
from shared.domain.event_fields import FIELDS

HEAD = """apiVersion: sluice/v1
providers:
  - {name: ops, type: msteams, addressRef: kv://sluice/teams}
alerts:
  - name: prod
    provider: ops
"""


def rule(*lines: str) -> object:
    (found,) = load_text(HEAD + "".join(f"    {line}\n" for line in lines)).rules()
    return found


def problem(*lines: str) -> str:
    with pytest.raises(Malformed) as refused:
        rule(*lines)
    return str(refused.value)


def test_an_alert_becomes_a_rule() -> None:
    found = load_text(
        HEAD
        + """    include: event.tags.ring == "prod"
    exclude: event.type == "rollout.started"
    selector: {location: westeurope}
    group: {by: [route], interval: 30s, maximum: 10}
    quietHours: {windows: [{days: daily, from: "22:00", to: "06:00", timeZone: Europe/Berlin}], errors: tell}
    repeat: 4h
"""
    )
    assert found.asks_of_clusters
    (made,) = found.rules()
    assert (made.include, made.by, made.interval, made.maximum) == ('event.tags.ring == "prod"', ("route",), timedelta(seconds=30), 10)
    assert (made.repeat, made.holds_errors, made.quiet[0].start) == (timedelta(hours=4), False, "22:00")
    assert not load_text(HEAD).asks_of_clusters


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("include: event.type ==", "sluice.yaml:7: alerts[0].include: not valid CEL: line 1, column 12"),
        ("exclude: event.tpye == 'x'", "sluice.yaml:7: alerts[0].exclude: an event has no tpye"),
        ("repeat: 5m", "alerts[0].repeat: what lasts is told again every 15m at most"),
        ("repeat: 8d", "alerts[0].repeat: what lasts is told again"),
        ("group: {maximum: 0}", "sluice.yaml:7: alerts[0].group.maximum"),
        ("group: {maximum: 51}", "sluice.yaml:7: alerts[0].group.maximum"),
        ("quietHours: {windows: []}", "sluice.yaml:7: alerts[0].quietHours.windows"),
        ("quietHours: {windows: [{days: daily, from: 22:00, to: 06:00, timeZone: Mars}]}", "there is no time zone named Mars"),
        (
            "quietHours: {windows: [{days: daily, from: 22:00, to: 06:00, timeZone: UTC, selector: {location: x}}]}",
            "alerts[0].quietHours.windows[0].selector",
        ),
        ("quietHours: {windows: [{days: daily, from: 00:00, to: 24:00, timeZone: UTC}]}", "these hours never end"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(line: str, reason: str) -> None:
    assert reason in problem(line)


def test_dated_quiet_hours_are_a_holiday() -> None:
    window = "{from: 2026-12-24T00:00, to: 2027-01-02T00:00, timeZone: Europe/Berlin}"
    assert rule(f"quietHours: {{windows: [{window}]}}")


def test_without_an_expression_its_interpreter_is_not_loaded() -> None:
    """It takes a fifth of a second of every cold start."""
    code = f"import sys; from shared.config.loader import load_text; load_text({HEAD!r}); sys.exit('celpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


DOCS = Path(__file__).parents[3] / "docs"


def test_what_the_guide_shows_loads() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (DOCS / "alerts.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert load_text(f"apiVersion: sluice/v1\n{block}").rules()


def test_the_guide_names_every_field_of_an_event_and_the_reference_every_field_of_an_alert() -> None:
    guide = (DOCS / "alerts.md").read_text()
    assert re.findall(r"^\| `event\.(\w+)` \| \w+ \| (.*) \|$", guide, re.MULTILINE) == [
        (name, described.meaning) for name, described in FIELDS.items()
    ]
    reference = (DOCS / "configuration.md").read_text()
    for section in (Alert, Group, QuietHours):
        assert all(
            f"`{name}`" in reference or f"`alerts[].{name}`" in reference for name in section.__struct_encode_fields__ if name != "name"
        )
