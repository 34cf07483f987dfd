"""Section digests of sluice.yaml."""

import pytest

from shared.config.loader import load_text
from shared.domain.errors import Malformed
from shared.domain.periods import Schedule

CONFIG = """apiVersion: sluice/v1
providers:
  - {{name: ops, type: msteams, addressRef: kv://sluice/teams}}
  - {{name: git, type: github, tokenRef: kv://sluice/github}}
  - {{name: pager, type: pagerduty, tokenRef: kv://v/pager}}
digests:
  - {digest}
"""


def when(digest: str) -> Schedule:
    config = load_text(CONFIG.format(digest=f"{{name: fleet, provider: ops, {digest}}}"))
    found = config.digest("fleet")
    assert found is not None
    assert config.digest("other") is None
    return found.when()


def test_a_schedule_has_a_time_a_zone_and_of_a_week_a_day() -> None:
    assert when("schedule: daily") == Schedule(at="08:00", time_zone="UTC")
    assert when("schedule: weekly") == Schedule(at="08:00", time_zone="UTC", weekday=0)
    given = "schedule: weekly, at: 17:30, day: friday, timeZone: Europe/Berlin"
    assert when(given) == Schedule(at="17:30", time_zone="Europe/Berlin", weekday=4)


@pytest.mark.parametrize(
    ("digest", "reason"),
    [
        ("{name: fleet, provider: none, schedule: daily}", "provider: there is no provider named none"),
        ("{name: fleet, provider: git, schedule: daily}", "provider: git is a Git host: a digest goes to a chat"),
        ("{name: fleet, provider: pager, schedule: daily}", "provider: pager calls people for trouble: a digest goes to a chat"),
        ("{name: fleet, provider: ops, schedule: daily, day: monday}", "day: a daily digest has no day: it comes every day"),
        ("{name: fleet, provider: ops, schedule: daily, timeZone: Mars/Olympus}", "timeZone: there is no time zone named Mars/Olympus"),
        ("{name: fleet, provider: ops, schedule: hourly}", "schedule"),
        ("{name: fleet, provider: ops}", "schedule"),
        ("{name: fleet, provider: ops, schedule: daily, at: '24:00'}", "at"),
        ("{name: fleet, provider: ops, schedule: weekly, day: someday}", "day"),
        ("{name: fleet, provider: ops, schedule: daily, selector: {tag: {a: b}}}", "tag"),
    ],
)
def test_what_it_cannot_mean_is_refused_by_its_line(digest: str, reason: str) -> None:
    with pytest.raises(Malformed, match=rf"sluice.yaml:7: .*{reason}"):
        load_text(CONFIG.format(digest=digest))


def test_two_of_one_name_are_refused() -> None:
    one = "{name: fleet, provider: ops, schedule: daily}"
    with pytest.raises(Malformed, match=r"sluice.yaml:8: .*the name fleet is used twice"):
        load_text(CONFIG.format(digest=f"{one}\n  - {one}"))
