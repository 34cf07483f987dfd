"""What becomes of every fluxConfiguration of a large fleet when one change arrives."""

from datetime import UTC, datetime
from statistics import median
from time import process_time

from shared.config.loader import load_text
from shared.domain.changes import Change
from shared.domain.observations import FluxConfiguration, Observation
from shared.domain.sources import canonical_url, source_id
from shared.services.matching import explain
from tests.bench.table import table

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_URL = "https://github.com/contoso/platform"
_CONFIG = f"""
apiVersion: sluice/v1
strategies:
  - name: rings
    stages: [{{name: canary, selector: {{tags: {{ring: canary}}}}}}, {{name: prod, selector: {{tags: {{ring: prod}}}}}}]
routes:
  - {{name: apps, source: {{url: {_URL}}}, configurations: [apps], action: pin, strategy: rings}}
  - {{name: all, source: {{url: {_URL}}}, action: pin, strategy: rings, substitute: {{SITE: "{{tags.site}}", NAME: "{{cluster}}"}}}}
"""


def measure() -> str:
    config, change = load_text(_CONFIG), _change()
    rows = []
    for count in (300, 3_000, 30_000):
        fleet = [_configuration(number) for number in range(count)]
        samples = []
        for _ in range(3):
            start = process_time()
            explain(config, change, fleet)
            samples.append(process_time() - start)
        rows.append([f"{count:,}", f"{median(samples) * 1e3:.0f}", f"{median(samples) / count * 1e6:.0f}"])
    note = "A verdict for every fluxConfiguration: two routes, two stages, two values."
    return table("Plan", note, ["fluxConfigurations", "ms", "µs each"], rows)


def _change() -> Change:
    return Change(
        id="c",
        source=source_id(_URL),
        url=canonical_url(_URL),
        ref="refs/heads/main",
        kind="updated",
        before="a" * 40,
        revision="b" * 40,
        forced=False,
        pushed_at=_NOW,
        received_at=_NOW,
        receiver="bench",
        delivery="d",
        paths=None,
        author="bench",
        title="Bench",
    )


def _configuration(number: int) -> FluxConfiguration:
    seen = {"compliance": "Compliant", "revision": f"main@sha1:{'a' * 40}", "provisioning": "Succeeded", "connectivity": "Connected"}
    return FluxConfiguration(
        id=f"/c/{number}",
        name=("platform", "apps", "infra")[number % 3],
        cluster_id=f"/cluster/{number}",
        cluster_name=f"cluster-{number}",
        subscription="s",
        resource_group="edge",
        location="westeurope",
        distribution="k3s",
        kubernetes_version="1.31.2",
        tags={"ring": "prod" if number % 10 else "canary", "site": f"site-{number % 100}"},
        url=(_URL, f"{_URL}.git", "git@github.com:contoso/platform")[number % 3],
        branch="main",
        tag="",
        commit="",
        observation=Observation(observed_at=_NOW, **seen),
        kustomizations={"apps": {}, "infra": {}},
    )
