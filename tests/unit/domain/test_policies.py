"""What of a cluster is Azure Policy's."""

import pytest
from builders import a_cluster, a_piece, an_extension_piece

from shared.domain.clusters import Cluster
from shared.domain.policies import CONFIGURATION_DEFINITIONS, EXTENSION_DEFINITION, Governed, Policy, governed
from shared.domain.selectors import Selector

CLUSTER = a_cluster().id
WRITES_ONE = min(CONFIGURATION_DEFINITIONS)


def a_policy(**fields: object) -> Policy:
    values: dict[str, object] = {
        "assignment": "Flux everywhere",
        "definition": WRITES_ONE,
        "scope": "/subscriptions/sub-1",
        "configuration": "infra",
    }
    return Policy(**values | fields)  # type: ignore[arg-type] # passed on as they are


@pytest.mark.parametrize(
    ("scope", "not_scopes", "applies"),
    [
        ("/subscriptions/sub-1", (), True),
        ("/subscriptions/sub-1/", (), True),
        ("/subscriptions/sub-1/resourcegroups/edge", (), True),
        (CLUSTER, (), True),
        ("/subscriptions/sub-11", (), False),
        ("/subscriptions/sub-1/resourcegroups/edg", (), False),
        ("", (), False),
        ("/subscriptions/sub-1", ("/subscriptions/sub-1/resourcegroups/edge",), False),
        ("/subscriptions/sub-1", ("/subscriptions/sub-1/resourcegroups/other", ""), True),
    ],
)
def test_an_assignment_applies_below_its_scope(scope: str, not_scopes: tuple[str, ...], applies: bool) -> None:
    assert a_policy(scope=scope, not_scopes=not_scopes).applies_to(CLUSTER) is applies


def test_what_an_assignment_writes_is_its_own() -> None:
    found = governed([a_policy(), a_policy(definition=EXTENSION_DEFINITION, configuration="", assignment="Flux extension")], CLUSTER)
    assert found.by(an_extension_piece()) == "Flux extension"
    assert found.by(a_piece("infra")) == "Flux everywhere"
    assert found.by(a_piece("apps")) == ""


def test_one_that_does_not_say_which_configuration_it_writes_has_them_all() -> None:
    found = governed([a_policy(configuration="")], CLUSTER)
    assert found.by(a_piece("apps")) == "Flux everywhere"
    assert found.by(an_extension_piece()) == ""
    assert governed([a_policy(definition="another", configuration="")], CLUSTER) == Governed()
    assert governed([a_policy(scope="/subscriptions/sub-2")], CLUSTER) == Governed()


@pytest.mark.parametrize(
    ("kind", "offering"), [("ProvisionedCluster", "AKS on Azure Local"), ("provisionedcluster", "AKS on Azure Local"), ("", "Azure Arc")]
)
def test_a_cluster_is_called_what_people_call_it(kind: str, offering: str) -> None:
    assert a_cluster(kind=kind).offering == offering


@pytest.mark.parametrize(("cluster", "is_away"), [(a_cluster(), False), (a_cluster(connectivity="Offline"), True)])
def test_a_cluster_that_is_not_heard_of_is_away(cluster: Cluster, is_away: bool) -> None:
    assert cluster.is_away is is_away


def test_selectors_select_clusters_too() -> None:
    assert Selector(tags={"site": "ber*"}, cluster="cluster-*").matches(a_cluster())
    assert not Selector(tags={"site": "lyon"}).matches(a_cluster())
