"""What the Azure simulator holds before the app starts: a vault, a repository, a fleet that follows it."""

from dataclasses import dataclass
from pathlib import Path

from local.stack import repository
from local.stack.simulator import Simulator

CONFIGURATION = "platform"
#: What the simulated Slack would sign with.
SLACK_SIGNING = "local-signing-secret"


@dataclass(frozen=True)
class Fleet:
    """How many Arc clusters, spread by `seed`; one in ten is a canary."""

    clusters: int = 50
    seed: int = 1
    subscriptions: int = 1
    canary_share: float = 0.1


def vault_secrets(azure: str, github_secret: str, flux_secret: str) -> dict[str, str]:
    """The secrets that local/sluice.yaml refers to."""
    ours = {"github-platform": github_secret, "flux-alerts": flux_secret}
    return ours | {"teams-ops": f"{azure}/teams/ops", "slack-ops": "xoxb-local", "slack-signing": SLACK_SIGNING}


async def send_flux_alerts(simulator: Simulator, host: str, flux_secret: str) -> None:
    """From now on every cluster tells the app at `host` how it fares. Raises SimulatorError."""
    await simulator.put("flux-alerts", {"address": f"{host}/api/receivers/flux", "secret": flux_secret})


async def seed(simulator: Simulator, *, secrets: dict[str, str], path: Path, fleet: Fleet) -> None:
    """Fills the simulator; `path` is the working tree behind the repository's address. Raises SimulatorError."""
    await simulator.put("keys/sluice")
    for name, value in secrets.items():
        await simulator.put(f"secrets/{name}", {"value": value})
    await simulator.post("repositories", {"url": repository.URL, "path": str(path)})
    await simulator.post(
        "fleet",
        {
            "clusters": fleet.clusters,
            "subscriptions": fleet.subscriptions,
            "repository": repository.URL,
            "branch": repository.BRANCH,
            "configuration": CONFIGURATION,
            "resourceGroup": "fleet",
            "seed": fleet.seed,
            "canaryShare": fleet.canary_share,
        },
    )
