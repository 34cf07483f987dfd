"""What has to be written, compared with what Azure has in its own ways."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_arm import merge

from shared.domain.differences import difference

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"suspend": False}, {}),
        ({"syncIntervalInSeconds": 600}, {"syncIntervalInSeconds": None}),
        ({"dependsOn": []}, {"dependsOn": None}),
        ({"dependsOn": ["a", "b"]}, {"dependsOn": ["b", "a"]}),
        ({"path": "./infra"}, {"path": "infra/"}),
        ({"path": "./"}, {"path": ""}),
        ({"path": "."}, {}),
        ({"sourceKind": "GitRepository"}, {"sourceKind": "gitrepository"}),
        ({"releaseTrain": "Stable"}, {"releaseTrain": "stable"}),
        ({"configurationSettings": {"a": "true"}}, {"configurationSettings": {"a": "True", "b": "kept"}}),
        ({"gitRepository": None}, {}),
        ({"localAuthRef": None}, {"localAuthRef": ""}),
        (
            {"postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "a", "optional": False}]}},
            {"postBuild": {"substituteFrom": [{"kind": "configmap", "name": "a"}]}},
        ),
        ({"gitRepository": {"url": "u"}}, {"gitRepository": {"url": "u", "repositoryRef": {"commit": "pinned"}}}),
        (
            {"kustomizations": {"a": {"prune": False}}},
            {"kustomizations": {"a": {"prune": False, "postBuild": {"substitute": {"X": "routes"}}}}},
        ),
    ],
)
def test_what_says_the_same_is_not_written(asked: Json, found: Json) -> None:
    assert difference(asked, {}, found) == {}
    assert difference(asked, asked, found) == {}


@pytest.mark.parametrize(
    ("asked", "last", "found", "patch"),
    [
        ({"suspend": True}, {}, {}, {"suspend": True}),
        ({"prune": True}, {}, {"prune": False}, {"prune": True}),
        ({"url": "https://A"}, {}, {"url": "https://a"}, {"url": "https://A"}),
        ({"dependsOn": ["a"]}, {}, {"dependsOn": ["a", "b"]}, {"dependsOn": ["a"]}),
        ({"dependsOn": ["a"]}, {}, {"dependsOn": "a"}, {"dependsOn": ["a"]}),
        ({"substituteFrom": [{"name": "a"}]}, {}, {"substituteFrom": [{"name": "b"}]}, {"substituteFrom": [{"name": "a"}]}),
        ({"substituteFrom": [{"name": "a"}]}, {}, {"substituteFrom": []}, {"substituteFrom": [{"name": "a"}]}),
        ({"bucket": None}, {}, {"bucket": {"url": "u"}}, {"bucket": None}),
        ({"kustomizations": {"a": {}}}, {}, {}, {"kustomizations": {"a": {}}}),
        ({"kustomizations": {"a": {"prune": False}}}, {}, {"kustomizations": {"b": {}}}, {"kustomizations": {"a": {"prune": False}}}),
        ({"kustomizations": {}}, {"kustomizations": {"a": {}}}, {"kustomizations": {"a": {}, "b": {}}}, {"kustomizations": {"a": None}}),
        (
            {"kustomizations": {"a": {"path": "./x"}}},
            {},
            {"kustomizations": {"a": {"path": "y"}}},
            {"kustomizations": {"a": {"path": "./x"}}},
        ),
        ({}, {"localAuthRef": "a"}, {"localAuthRef": "a"}, {"localAuthRef": None}),
        ({}, {"localAuthRef": "a"}, {"localAuthRef": None}, {}),
        ({"gitRepository": {"url": "u"}}, {}, {"gitRepository": None}, {"gitRepository": {"url": "u"}}),
    ],
)
def test_the_patch_holds_what_differs_and_takes_away_what_was_ours(asked: Json, last: Json, found: Json, patch: Json) -> None:
    assert difference(asked, last, found) == patch


names = st.sampled_from(["a", "b", "path", "prune", "kustomizations", "dependsOn", "gitRepository"])
texts = st.sampled_from(["x", "y", "true", "True"])
leaves = st.one_of(texts, st.booleans(), st.integers(1, 3), st.lists(texts, max_size=2))
trees = st.dictionaries(names, st.recursive(leaves, lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=6), max_size=4)


@given(trees, trees, trees)
def test_once_it_is_written_nothing_differs(asked: Json, last: Json, found: Json) -> None:
    patch = difference(asked, last, found)
    written = merge(found, patch)
    assert difference(asked, asked, written) == {}
    assert difference(asked, last, written) == {}


@given(trees, trees)
def test_what_nobody_asked_for_stays(asked: Json, found: Json) -> None:
    written = merge(found, difference(asked, {}, found))
    assert {name: written[name] for name in found if name not in asked} == {name: found[name] for name in found if name not in asked}
