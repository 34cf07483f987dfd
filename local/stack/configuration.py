"""The local sluice.yaml, with the one address that differs a run filled in."""

from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "sluice.yaml"
SLACK_IN_PRODUCTION = "https://slack.com/api/chat.postMessage"


def write_filled(destination: Path, azure: str) -> Path:
    """Copies local/sluice.yaml to `destination` with Slack's address at the Azure simulator."""
    text = SAMPLE.read_text()
    if SLACK_IN_PRODUCTION not in text:
        raise ValueError(f"{SAMPLE} no longer names {SLACK_IN_PRODUCTION}")
    destination.write_text(text.replace(SLACK_IN_PRODUCTION, f"{azure}/slack/api/chat.postMessage"))
    return destination
