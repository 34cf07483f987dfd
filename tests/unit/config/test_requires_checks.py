"""What a route requires, as sluice.yaml says it."""

from textwrap import dedent

import pytest

from shared.config.loader import load_text
from shared.domain.errors import Malformed
from shared.domain.gates import Gate

WHOLE = dedent("""\
    apiVersion: sluice/v1
    receivers:
      - {name: pushes, type: github, secretRef: kv://sluice/github}
      - {name: ci, type: github, secretRef: kv://sluice/github, events: [check_run]}
    strategies:
      - name: rings
        stages:
          - {name: canary, selector: {tags: {ring: canary}}}
          - {name: prod, gates: [{type: checks, name: again, checks: [ci/build]}]}
    routes:
      - name: platform
        source: {url: https://github.com/contoso/platform}
        action: pin
        strategy: rings
        requires: {checks: [ci/build, ci/test], within: 90m}
""")
#: What is put in place of what, and the line and reason that must be told.
WRONG = {
    "no checks": ("[ci/build, ci/test]", "[]", 15, "routes[0].requires.checks: Expected `array` of length >= 1"),
    "none named": ("checks: [ci/build, ci/test], ", "", 15, "routes[0].requires: Object missing required field `checks`"),
    "one twice": ("[ci/build, ci/test]", "[ci/build, ci/build]", 15, "routes[0].requires.checks[1]: ci/build stands here twice"),
    "a name of nothing": ("[ci/build, ci/test]", '[""]', 15, "Expected `str` of length >= 1"),
    "one alone": ("[ci/build, ci/test]", "ci/build", 15, "Expected `array`, got `str`"),
    "no time": ("within: 90m", "within: 0s", 15, "routes[0].requires.within: the rollout would give up before any check could succeed"),
    "no duration": ("within: 90m", "within: soon", 15, "routes[0].requires.within: Expected `str` matching regex"),
    "a misspelt field": ("within: 90m", "with: 90m", 15, "routes[0].requires.with: Object contains unknown field `with`"),
    "an artifact": (
        "url: https://github.com/contoso/platform",
        'url: "oci://contoso.azurecr.io/platform", ref: refs/tags/*',
        15,
        "routes[0].requires: checks are told of commits, and an artifact has none",
    ),
    "nobody who tells": (", events: [check_run]", "", 15, "routes[0].requires: no receiver accepts an event that tells of checks"),
    "a gate of its name": ("name: again", "name: requires", 15, "routes[0].requires: stage prod has a gate named requires already"),
}


def test_what_is_required_is_a_gate_of_its_own() -> None:
    requires = load_text(WHOLE).routes[0].requires
    assert requires is not None
    assert requires.as_gate() == Gate(name="requires", type="checks", checks=("ci/build", "ci/test"), expires_after_seconds=5400)


def test_without_a_time_it_is_two_hours_and_without_checks_nothing_is_required() -> None:
    requires = load_text(WHOLE.replace(", within: 90m", "")).routes[0].requires
    assert requires is not None
    assert requires.as_gate().expires_after_seconds == 7200
    assert load_text(WHOLE[: WHOLE.index("    requires:")]).routes[0].requires is None


@pytest.mark.parametrize("case", WRONG)
def test_every_mistake_is_told_with_its_line_and_reason(case: str) -> None:
    old, new, line, reason = WRONG[case]
    assert WHOLE.count(old) == 1
    with pytest.raises(Malformed) as malformed:
        load_text(WHOLE.replace(old, new))
    (told,) = str(malformed.value).splitlines()
    assert told.startswith(f"sluice.yaml:{line}: ")
    assert reason in told


def test_a_receiver_of_no_known_type_is_the_one_mistake_that_is_told_of_it() -> None:
    with pytest.raises(Malformed) as malformed:
        load_text(WHOLE.replace("name: pushes, type: github", "name: pushes, type: githib"))
    assert "there is no sender named githib" in str(malformed.value)
    assert len(str(malformed.value).splitlines()) == 1
