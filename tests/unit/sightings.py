"""A fleet as a sweep sees it: whole values, of which a test names only what it is about."""

from datetime import datetime
from typing import Any

from builders import NOW, URL, resource_id, sha

from shared.domain.drift import DriftPolicy, DriftRule
from shared.domain.fleet import Asked, Cluster, Extension, Page, Seen, Sighting, page_id, page_number
from shared.domain.fleet_changes import Look, gather, renew
from shared.domain.pins import Pin
from shared.domain.sources import source_id

HEALTHY = Extension(state="Succeeded", version="1.24.1", release_train="Stable")
REPORT = DriftPolicy(rules=(DriftRule(mode="report", budget=1),), settle_seconds=300)


def remediate(budget: int = 1, **fields: Any) -> DriftPolicy:
    return DriftPolicy(rules=(DriftRule(mode="remediate", budget=budget, **fields),), settle_seconds=300)


def a_cluster(number: int = 0, **fields: Any) -> Cluster:
    values: dict[str, Any] = {
        "id": resource_id(number).partition("/providers/microsoft.kubernetesconfiguration/")[0],
        "name": f"cluster-{number:03}",
        "subscription": "sub-1",
        "resource_group": "edge",
        "location": "westeurope",
        "distribution": "k3s",
        "kubernetes_version": "1.33.4",
        "tags": {"ring": "canary"},
        "connectivity": "Connected",
        "agent_version": "1.28.2",
        "extension": HEALTHY,
    }
    return Cluster(**values | fields)


def seen(number: int = 0, **fields: Any) -> Seen:
    """Pinned to commit 1 of main, and compliant with it."""
    values: dict[str, Any] = {
        "id": resource_id(number),
        "name": "platform",
        "url": URL,
        "source_kind": "GitRepository",
        "branch": "main",
        "tag": "",
        "semver": "",
        "commit": sha(1),
        "digest": "",
        "suspended": False,
        "compliance": "Compliant",
        "revision": f"main@sha1:{sha(1)}",
        "provisioning": "Succeeded",
    }
    return Seen(**values | fields)


def asked(**fields: Any) -> Asked:
    """Commit 1 of main, an hour before NOW."""
    values: dict[str, Any] = {
        "pin": Pin(revision=sha(1), branch="main"),
        "applied_at": datetime(2026, 11, 23, 11, 0, tzinfo=NOW.tzinfo),
        "rollout_id": "rollout-1",
        "dispatch": 1,
        "retry": 0,
        "route": "platform",
        "source": source_id(URL),
    }
    return Asked(**values | fields)


def a_look(number: int = 2, **fields: Any) -> Look:
    values: dict[str, Any] = {"number": number, "now": NOW, "policy": REPORT, "newest_flux": (1, 24)}
    return Look(**values | fields)


def page_of(number: int = 0) -> str:
    return page_id(page_number(a_cluster(number).id))


def looked(page: Page, *sightings: Sighting, look: Look | None = None) -> Page:
    """The page after a look that showed these."""
    return renew(page, gather(sightings), look or a_look())


def a_page(*sightings: Sighting, **look: Any) -> Page:
    """A page that knows these since the sweep before, without anything to tell."""
    first = renew(Page(id="00"), gather(sightings), a_look(1, is_first=True, **look))
    return Page(id="00", sweep=1, members=first.members)


def told(page: Page) -> list[tuple[str, str]]:
    return [(transition.kind, transition.reason) for transition in page.news]


def kinds(page: Page) -> list[str]:
    return [transition.kind for transition in page.news]
