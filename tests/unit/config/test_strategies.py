"""Strategies: what they are in a rollout, and every mistake with its line and reason."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest
from builders import a_flux_configuration
from hypothesis import given
from hypothesis import strategies as st

from shared.config.loader import load_text
from shared.config.models import Config
from shared.config.strategies import Stage, Strategy, Success, Window, place, weekdays
from shared.domain.errors import Malformed
from shared.domain.gates import Gate
from shared.domain.observations import FluxConfiguration
from shared.domain.rollouts import Rules
from shared.domain.selectors import Selector
from shared.domain.windows import Calendar
from shared.domain.windows import Window as Span

WHOLE = dedent("""\
    apiVersion: sluice/v1
    strategies:
      - name: rings
        stages:
          - name: canary
            selector: {tags: {ring: canary}}
            maxConcurrency: 5
            bake: 15m
            success: {grace: 30s, maxFailures: 0}
            windows: []
          - name: early
            selector: {tags: {ring: early}}
            promoteFrom: staging
            gates:
              - {type: approval, approvers: [platform-leads, sre], required: 2, expiresAfter: 2d}
              - {type: checks, checks: [ci/build, ci/scan]}
              - {type: webhook, url: https://change.example/sluice, secretRef: kv://sluice/change}
              - {type: approval, name: site, approvers: [site-owners]}
            afterStageWait: 1h
            freezes:
              - {days: [fri, sat-sun], from: 12:00, to: 24:00, timeZone: Europe/Berlin, name: weekend}
          - name: prod
            success: {onFailure: rollback}
            windows:
              - {days: daily, from: 22:00, to: 04:00, timeZone: America/New_York}
        success: {complianceWithin: 30m, maxFailures: 2%, onFailure: continue}
        windows:
          - days: mon-fri
            from: 08:00
            to: 17:00
            timeZone: Europe/Berlin
          - {days: "mon, wed", from: "01:00", to: "03:00", timeZone: Asia/Kolkata, selector: {tags: {site: pune-*}}}
        freezes:
          - {name: holidays, from: 2026-12-20T00:00, to: 2027-01-02T00:00, timeZone: Europe/Berlin}
    routes:
      - {name: staging, source: {url: https://github.com/contoso/platform}, action: pin}
      - {name: prod, source: {url: git@github.com:contoso/platform.git}, action: pin, strategy: rings}
      - {name: watched, source: {url: https://github.com/contoso/platform}, strategy: rings}
""")
OFFICE = Span(time_zone="Europe/Berlin", days=(0, 1, 2, 3, 4), start="08:00", end="17:00")
PUNE = Span(time_zone="Asia/Kolkata", days=(0, 2), start="01:00", end="03:00")
NIGHT = Span(time_zone="America/New_York", days=(0, 1, 2, 3, 4, 5, 6), start="22:00", end="04:00")
HOLIDAYS = Span(time_zone="Europe/Berlin", first="2026-12-20T00:00", last="2027-01-02T00:00", name="holidays")
WEEKEND = Span(time_zone="Europe/Berlin", days=(4, 5, 6), start="12:00", end="00:00", name="weekend")


def rings() -> Strategy:
    return load_text(WHOLE).strategy("rings")


def refusal(text: str) -> str:
    with pytest.raises(Malformed) as malformed:
        load_text(text)
    return str(malformed.value)


def windows(listed: Sequence[Span], *, selector: Selector | None = None) -> tuple[Window, ...]:
    """Weekly ones, as a file has them."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return tuple(
        Window(
            start=span.start,
            end=span.end,
            time_zone=span.time_zone,
            days=tuple(names[day] for day in span.days),
            selector=selector or Selector(),
        )
        for span in listed
    )


def test_a_stage_has_its_own_rules_over_those_of_its_strategy() -> None:
    canary, early, prod = (rings().planned(index, 250, redispatch_after_seconds=300).rules for index in range(3))
    shared = {"compliance_within_seconds": 1800, "redispatch_after_seconds": 300}
    assert canary == Rules(**shared, grace_seconds=30, max_failures=0, on_failure="continue")
    assert early == Rules(**shared, grace_seconds=120, max_failures=5, on_failure="continue")
    assert prod == Rules(**shared, grace_seconds=120, max_failures=5, on_failure="rollback")


def test_a_planned_stage_is_what_its_strategy_says() -> None:
    stage = rings().planned(0, 12, redispatch_after_seconds=300)
    assert (stage.name, stage.total, stage.max_concurrency, stage.bake_seconds, stage.after_wait_seconds) == ("canary", 12, 5, 900, 0)
    assert (stage.state, stage.counts, stage.gates) == ("pending", {"pending": 12}, ())
    assert rings().planned(1, 0, redispatch_after_seconds=300).counts == {}
    assert rings().planned(1, 0, redispatch_after_seconds=300).after_wait_seconds == 3600


def test_a_stage_waits_at_its_promotion_first_and_gates_without_a_name_have_their_types() -> None:
    assert rings().planned(1, 7, redispatch_after_seconds=300).gates == (
        Gate(name="promotion", type="promotion", route="staging"),
        Gate(name="approval", type="approval", approvers=("platform-leads", "sre"), required=2, expires_after_seconds=172_800),
        Gate(name="checks", type="checks", checks=("ci/build", "ci/scan")),
        Gate(
            name="webhook",
            type="webhook",
            url="https://change.example/sluice",
            secret_ref="kv://sluice/change",
            expires_after_seconds=3600,
        ),
        Gate(name="site", type="approval", approvers=("site-owners",)),
    )


def test_a_gate_of_a_type_that_comes_again_is_numbered() -> None:
    text = WHOLE.replace("name: site, ", "")
    assert [gate.name for gate in load_text(text).strategy("rings").stages[1].named_gates()][-1] == "approval-2"


@given(st.integers(1, 100), st.integers(0, 20_000))
def test_a_percentage_of_failures_is_rounded_down(percent: int, total: int) -> None:
    assert Success(max_failures=f"{percent}%").rules(total, 300).max_failures == total * percent // 100


def test_a_number_of_failures_is_that_many() -> None:
    assert Success(max_failures=3).rules(1, 300).max_failures == 3


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("daily", (0, 1, 2, 3, 4, 5, 6)),
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("mon,wed", (0, 2)),
        ("wed, mon", (0, 2)),
        ("sun", (6,)),
        ("sun-sun", (6,)),
        ("fri-mon", (0, 4, 5, 6)),
        ("tue-mon", (0, 1, 2, 3, 4, 5, 6)),
        ("mon-tue,tue-wed,sun", (0, 1, 2, 6)),
        (("mon", "wed"), (0, 2)),
        (("sat-sun", "wed", "wed"), (2, 5, 6)),
    ],
)
def test_days_are_named_singly_or_from_one_to_the_other(days: str | tuple[str, ...], expected: tuple[int, ...]) -> None:
    assert weekdays(days) == expected


def test_the_example_of_the_documentation_loads() -> None:
    page = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
    example = page.partition("### strategies")[2].partition("```yaml\n")[2].partition("```")[0]
    canary, prod = load_text(example).strategy("rings").stages
    assert canary.windows == ()
    assert [gate.type for gate in prod.named_gates()] == ["promotion", "approval", "checks", "webhook"]


def test_times_and_dates_need_no_quotes() -> None:
    bare = load_text(WHOLE)
    quoted = WHOLE.replace("from: 08:00", 'from: "08:00"').replace("to: 17:00", 'to: "17:00"')
    quoted = quoted.replace("2026-12-20T00:00", '"2026-12-20T00:00"').replace("22:00", "'22:00'")
    assert quoted != WHOLE
    assert load_text(quoted) == bare


def test_every_cluster_has_the_calendar_of_its_stage_and_tags() -> None:
    plain, pune = a_flux_configuration(1), a_flux_configuration(2, tags={"site": "pune-1"})
    calendars, places = place(rings(), [(0, plain), (0, pune), (1, plain), (1, pune), (2, plain), (2, pune), (1, plain)])
    assert calendars == (
        Calendar(freezes=(HOLIDAYS,)),
        Calendar(windows=(OFFICE,), freezes=(HOLIDAYS, WEEKEND)),
        Calendar(windows=(PUNE,), freezes=(HOLIDAYS, WEEKEND)),
        Calendar(windows=(NIGHT,), freezes=(HOLIDAYS,)),
    )
    assert places == [0, 0, 1, 2, 3, 3, 1]


def test_without_windows_there_is_one_calendar_that_is_always_open() -> None:
    strategy = Strategy(name="s", stages=(Stage(name="all"),))
    assert place(strategy, [(0, a_flux_configuration(1)), (0, a_flux_configuration(2))]) == ((Calendar(),), [0, 0])
    assert place(strategy, []) == ((), [])


def only(strategy: Strategy, found: FluxConfiguration) -> Calendar:
    (calendar,), _ = place(strategy, [(0, found)])
    return calendar


def test_a_cluster_that_no_selector_matches_and_that_has_no_common_window_is_not_limited() -> None:
    strategy = Strategy(name="s", stages=(Stage(name="all"),), windows=windows([PUNE], selector=Selector(tags={"site": "pune"})))
    assert only(strategy, a_flux_configuration(1)) == Calendar()
    assert only(strategy, a_flux_configuration(1, tags={"SITE": "Pune"})) == Calendar(windows=(PUNE,))


def test_all_windows_that_match_a_cluster_are_its_own_and_an_empty_selector_is_none() -> None:
    bound = windows([PUNE], selector=Selector(tags={"site": "*"})) + windows([NIGHT], selector=Selector(location="west*"))
    strategy = Strategy(name="s", stages=(Stage(name="all"),), windows=(*windows([OFFICE], selector=Selector()), *bound))
    assert only(strategy, a_flux_configuration(1, tags={"site": "x"})).windows == (PUNE, NIGHT)
    assert only(strategy, a_flux_configuration(1, location="eastus")).windows == (OFFICE,)


def test_freezes_of_strategy_and_stage_add_up_for_the_clusters_that_they_concern() -> None:
    strategy = Strategy(
        name="s",
        stages=(Stage(name="all", freezes=windows([NIGHT], selector=Selector(location="eastus"))),),
        freezes=windows([OFFICE]) + windows([PUNE], selector=Selector(tags={"site": "pune"})),
    )
    assert only(strategy, a_flux_configuration(1)).freezes == (OFFICE,)
    assert only(strategy, a_flux_configuration(1, tags={"site": "pune"})).freezes == (OFFICE, PUNE)
    assert only(strategy, a_flux_configuration(1, location="eastus")).freezes == (OFFICE, NIGHT)


#: What is put in place of what, where the mistake is then, and the reason that must be told.
WRONG = {
    "gate of no type": ("{type: checks, ", "{", "{checks: [ci/build", "missing required field `type`"),
    "gate of an unknown type": ("type: checks", "type: check", "{type: check,", "Invalid value 'check'"),
    "field of another gate": ("{type: checks, ", "{type: checks, required: 2, ", "required: 2, checks", "unknown field `required`"),
    "approval by nobody": ("approvers: [site-owners]", "approvers: []", "approvers: []", "length >= 1"),
    "approval by none": ("required: 2", "required: 0", "required: 0", ">= 1"),
    "approval by a crowd": ("required: 2", "required: 21", "required: 21", "<= 20"),
    "role with a space": ("[site-owners]", "[site owners]", "[site owners]", "matching regex"),
    "the same role again": ("[platform-leads, sre]", "[sre, sre]", "[sre, sre]", "sre stands here twice"),
    "the same check again": ("[ci/build, ci/scan]", "[ci/build, ci/build]", "[ci/build, ci/build]", "ci/build stands here twice"),
    "no checks": ("[ci/build, ci/scan]", "[]", "checks: []", "length >= 1"),
    "webhook without a secret": (", secretRef: kv://sluice/change", "", "{type: webhook", "missing required field `secretRef`"),
    "plain webhook": ("https://change.example", "http://change.example", "http://change", "begins with https://"),
    "webhook without a host": ("https://change.example/sluice", "https:///sluice", "https:///", "has a host"),
    "webhook with a password": ("https://change.example", "https://me:pw@change.example", "https://me", "no user name"),
    "webhook that is no address": ("https://change.example/sluice", '"https://[change"', "https://[change", "begins with https://"),
    "gate that expires at once": ("expiresAfter: 2d", "expiresAfter: 0s", "expiresAfter: 0s", "before anyone could open it"),
    "gate of the same name": ("name: site", "name: approval", "name: approval", "there are two gates named approval"),
    "gate named as the promotion": ("name: site", "name: promotion", "name: promotion", "there are two gates named promotion"),
    "promotion from nowhere": ("promoteFrom: staging", "promoteFrom: stage", "promoteFrom: stage", "there is no route named stage"),
    "promotion from itself": ("promoteFrom: staging", "promoteFrom: prod", "promoteFrom: prod", "would wait for itself"),
    "promotion from a watched route": ("promoteFrom: staging", "promoteFrom: watched", "promoteFrom: watched", "only observes"),
    "promotion from another repository": (
        "git@github.com:contoso/platform.git",
        "git@github.com:contoso/apps.git",
        "promoteFrom",
        "route prod, which has this strategy, follows another repository than route staging",
    ),
    "bake without a unit": ("bake: 15m", "bake: 15", "bake: 15", "Expected `str`, got `int`"),
    "more failures than all": ("maxFailures: 2%", "maxFailures: 200%", "maxFailures: 200%", "matching regex"),
    "fewer failures than none": ("maxFailures: 0}", "maxFailures: -1}", "maxFailures: -1}", ">= 0"),
    "no rule in place of one": ("{grace: 30s, ", "{grace: , ", "{grace: ,", "got `null`"),
    "what is no way on": ("onFailure: continue", "onFailure: stop", "onFailure: stop", "Invalid enum value 'stop'"),
    "what is no way on in a stage": ("onFailure: rollback", "onFailure: undo", "onFailure: undo", "Invalid enum value 'undo'"),
    "unknown zone": ("timeZone: Asia/Kolkata", "timeZone: Asia/Pune", "timeZone: Asia/Pune", "there is no time zone named Asia/Pune"),
    "no zone": (", timeZone: Asia/Kolkata", "", '{days: "mon, wed"', "missing required field `timeZone`"),
    "a window of no time": ("to: 17:00", "to: 08:00", "to: 08:00", "from and to are the same"),
    "a time that is none": ("to: 17:00", "to: 25:00", "to: 25:00", "matching regex"),
    "seconds": ("to: 17:00", "to: 17:00:00", "to: 17:00:00", "matching regex"),
    "a beginning at the end": ("from: 08:00", "from: 24:00", "from: 24:00", "matching regex"),
    "an hour without minutes": ("from: 08:00", "from: 8", "from: 8", "Expected `str`, got `int`"),
    "unknown day": ("mon-fri", "mon-fry", "mon-fry", "there is no day named fry"),
    "unknown day in a list": ("[fri, sat-sun]", "[fri, weekend]", "[fri, weekend]", "there is no day named weekend"),
    "half a range": ("mon-fri", "mon-", "days: mon-", "there is no day named ;"),
    "a number in place of days": ("mon-fri", "5", "days: 5", "Expected `str | array | null`, got `int`"),
    "no days": ("[fri, sat-sun]", "[]", "days: []", "days names no day"),
    "times without days": ("days: daily, ", "", "{from: 22:00", "without days, from and to are dates"),
    "a date and a time": ("to: 2027-01-02T00:00", "to: 08:00", "to: 08:00, timeZone", "without days, from and to are dates"),
    "dates with days": ("{name: holidays, ", "{days: daily, ", "{days: daily, from: 2026", "with days, from and to are times"),
    "a date that ends a day": ("to: 17:00", "to: 2027-01-02T00:00", "to: 2027-01-02T00:00\n", "with days, from and to are times"),
    "a freeze backwards": ("2026-12-20T", "2028-12-20T", "{name: holidays", "to is not after from"),
    "a freeze of no time": ("2027-01-02T00:00", "2026-12-20T00:00", "{name: holidays", "to is not after from"),
    "a day that is none": ("2027-01-02T00:00", "2027-02-30T00:00", "{name: holidays", "there is no day 2027-02-30"),
    "a first day that is none": ("2026-12-20T00:00", "2026-11-31T00:00", "{name: holidays", "there is no day 2026-11-31"),
    "a date alone": ("2026-12-20T00:00", "2026-12-20", "{name: holidays", "matching regex"),
    "an unknown condition": ("selector: {tags: {site: pune-*}}", "selector: {site: pune}", "{site: pune}", "unknown field `site`"),
}


@pytest.mark.parametrize("case", WRONG)
def test_every_mistake_is_told_with_its_line_and_reason(case: str) -> None:
    old, new, marker, reason = WRONG[case]
    assert WHOLE.count(old) >= 1
    text = WHOLE.replace(old, new, 1)
    told = refusal(text)
    assert len(told.splitlines()) == 1
    assert told.startswith(f"sluice.yaml:{text[: text.index(marker)].count(chr(10)) + 1}: ")
    assert reason in told


def test_all_mistakes_are_told_at_once() -> None:
    text = (
        WHOLE.replace("Asia/Kolkata", "Asia/Pune").replace("promoteFrom: staging", "promoteFrom: stage").replace("to: 17:00", "to: 08:00")
    )
    assert len(refusal(text).splitlines()) == 3


ROUTES = """\
apiVersion: sluice/v1
strategies:
  - {{name: a, stages: [{{name: all, promoteFrom: {a}}}]}}
  - {{name: b, stages: [{{name: first}}, {{name: all, promoteFrom: {b}}}]}}
  - {{name: c, stages: [{{name: all, promoteFrom: {c}}}]}}
routes:
  - {{name: one, source: {{url: https://github.com/contoso/platform}}, action: pin, strategy: a}}
  - {{name: two, source: {{url: https://github.com/contoso/platform}}, action: pin, strategy: b}}
  - {{name: three, source: {{url: https://github.com/contoso/platform}}, action: pin, strategy: c}}
  - {{name: first, source: {{url: https://github.com/contoso/platform}}, action: pin}}
"""


def test_routes_may_wait_for_each_other_in_a_line() -> None:
    assert isinstance(load_text(ROUTES.format(a="first", b="one", c="two")), Config)


def test_routes_that_wait_for_each_other_in_a_circle_are_refused_everywhere() -> None:
    told = refusal(ROUTES.format(a="three", b="one", c="two")).splitlines()
    assert [line.split(":")[1] for line in told] == ["3", "4", "5"]
    assert all("each would wait for the other" in line for line in told)


def test_a_route_that_waits_for_a_circle_is_not_itself_to_blame() -> None:
    told = refusal(ROUTES.format(a="two", b="one", c="one")).splitlines()
    assert [line.split(":")[1] for line in told] == ["3", "4"]


def test_a_repository_that_is_none_is_told_once_and_where_it_stands() -> None:
    text = WHOLE.replace("{url: git@github.com:contoso/platform.git}", "{url: https://github.com}")
    told = refusal(text)
    assert len(told.splitlines()) == 1
    assert "routes[1].source.url" in told


@given(st.text(max_size=40))
def test_any_zone_is_one_or_is_refused(name: str) -> None:
    quoted = "".join(f"\\U{ord(letter):08x}" for letter in name)
    text = WHOLE.replace("timeZone: Asia/Kolkata", f'timeZone: "{quoted}"')
    try:
        load_text(text)
    except Malformed as malformed:
        assert "Asia" not in str(malformed)  # noqa: PT017 -- both ways out are right
