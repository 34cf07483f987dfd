"""The local sluice.yaml, with what differs from run to run filled in."""

from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "sluice.yaml"
SLACK_IN_PRODUCTION = "https://slack.com/api/chat.postMessage"


_RECEIVERS = "receivers:\n"
_FLUX = "  - {name: flux, type: flux, secretRef: kv://sluice/flux-alerts}\n"


def write_filled(destination: Path, azure: str, *, flux_alerts: bool = False) -> Path:
    """Copies local/sluice.yaml to `destination` with Slack's address at the Azure simulator, and a receiver for the clusters' alerts."""
    text = SAMPLE.read_text()
    if SLACK_IN_PRODUCTION not in text:
        raise ValueError(f"{SAMPLE} no longer names {SLACK_IN_PRODUCTION}")
    if flux_alerts:
        text = text.replace(_RECEIVERS, _RECEIVERS + _FLUX, 1)
    destination.write_text(text.replace(SLACK_IN_PRODUCTION, f"{azure}/slack/api/chat.postMessage"))
    return destination
