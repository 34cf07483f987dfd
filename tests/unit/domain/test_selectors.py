"""Which clusters and fluxConfigurations a rule means."""

import pytest
from builders import a_flux_configuration
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.selectors import Selector, matches_name, matches_paths, matches_ref


@pytest.mark.parametrize(
    "selector",
    [
        Selector(),
        Selector(tags={"ring": "prod"}),
        Selector(tags={"RING": "PROD"}),
        Selector(tags={"ring": "p*"}),
        Selector(location="West*"),
        Selector(resource_group="edge"),
        Selector(subscription="SUB-1"),
        Selector(distribution="k?s"),
        Selector(kubernetes_version="1.31.*"),
        Selector(cluster="cluster-00[1-3]"),
        Selector(configuration="platform"),
        Selector(tags={"ring": "prod"}, location="westeurope", cluster="cluster-*"),
    ],
)
def test_every_named_condition_holds(selector: Selector) -> None:
    assert selector.matches(a_flux_configuration(1))


@pytest.mark.parametrize(
    "selector",
    [
        Selector(tags={"ring": "canary"}),
        Selector(tags={"ring": "prod", "site": "*"}),
        Selector(location="northeurope"),
        Selector(resource_group="core"),
        Selector(subscription="sub"),
        Selector(distribution="aks*"),
        Selector(kubernetes_version="1.30.*"),
        Selector(cluster="cluster-00[4-9]"),
        Selector(configuration="apps"),
        Selector(tags={"ring": "prod"}, location="northeurope"),
    ],
)
def test_one_condition_that_fails_is_enough(selector: Selector) -> None:
    assert not selector.matches(a_flux_configuration(1))


def test_refs_keep_their_case_and_take_patterns() -> None:
    assert matches_ref("refs/tags/v1.2.3", "refs/tags/v*")
    assert matches_ref("refs/heads/release/1.2", "refs/heads/release/*")
    assert not matches_ref("refs/heads/Main", "refs/heads/main")
    assert not matches_ref("refs/heads/main-2", "refs/heads/main")


@pytest.mark.parametrize(
    ("touched", "patterns", "expected"),
    [
        (None, ["clusters/**"], True),
        (("docs/a.md",), [], True),
        (("docs/a.md", "clusters/prod/apps.yaml"), ["clusters/**"], True),
        (("docs/a.md",), ["clusters/**", "docs/*"], True),
        (("docs/a.md",), ["clusters/**"], False),
        ((), ["clusters/**"], False),
        (("Clusters/a",), ["clusters/*"], False),
    ],
)
def test_a_change_concerns_the_paths_that_it_touches(touched: tuple[str, ...] | None, patterns: list[str], expected: bool) -> None:
    assert matches_paths(touched, iter(patterns)) is expected


def test_names_take_patterns_without_case() -> None:
    assert matches_name("Platform", ["plat*"])
    assert matches_name("anything", [])
    assert not matches_name("apps", ["platform", "infra"])


@given(st.text(), st.text())
def test_any_pattern_is_only_a_pattern(value: str, pattern: str) -> None:
    assert matches_name(value, [pattern]) in (True, False)
    assert matches_ref(value, "*")
