"""How a rollout looks: as lines of text, and as rich renderables. Nothing here reads or waits."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

Rollout = Mapping[str, Any]  #: as GET /api/rollouts gives it
_COLOURS = {
    "running": "cyan",
    "succeeded": "green",
    "compliant": "green",
    "rolled-back": "yellow",
    "rolling-back": "yellow",
    "paused": "yellow",
    "offline": "yellow",
    "failed": "red",
    "aborted": "red",
}
_BAR_WIDTH = 32
_SHORT = 10
NOTABLE = ("failed", "offline")  #: states of targets that are worth a line each


def stage_line(stage: Mapping[str, Any]) -> str:
    """One stage in words, for example "canary: running, 3 of 5 compliant, 2 applied"."""
    compliant = stage["counts"].get("compliant", 0)
    return ", ".join(filter(None, [f"{stage['name']}: {stage['state']}", f"{compliant} of {stage['total']} compliant", _others(stage)]))


def is_compliant(rollout: Rollout) -> bool:
    """Whether every target of every stage is compliant."""
    return all(stage["counts"].get("compliant", 0) == stage["total"] for stage in rollout["stages"])


def live(rollout: Rollout) -> "Group":
    """The rollout with a bar a stage."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    heading = Text.assemble(("Rollout ", "bold"), rollout["route"], "  ", rollout["revision"], "  ", _state(rollout["state"]))
    stages = Table(box=None, pad_edge=False, expand=False)
    for title in ("Stage", "State", "Progress", "Compliant", "Others"):
        stages.add_column(title, justify="right" if title == "Compliant" else "left")
    for stage in rollout["stages"]:
        compliant = stage["counts"].get("compliant", 0)
        bar = ProgressBar(total=max(stage["total"], 1), completed=compliant, width=_BAR_WIDTH)
        stages.add_row(stage["name"], _state(stage["state"]), bar, f"{compliant}/{stage['total']}", _others(stage))
    return Group(heading, stages, *([Text(rollout["reason"], style="yellow")] if rollout.get("reason") else []))


def table(rollouts: Sequence[Rollout]) -> "Table":
    """One line a stage of every rollout. Ids and commits are cut to what tells them apart: --json has them whole."""
    from rich.table import Table

    shown = Table(title="Rollouts, newest first", title_justify="left")
    for title in ("Rollout", "Route", "Commit", "State", "Stage", "Stage state", "Compliant", "Others"):
        shown.add_column(title, no_wrap=title in ("Rollout", "Commit"), justify="right" if title == "Compliant" else "left")
    for rollout in rollouts:
        first = [rollout["id"][:_SHORT], rollout["route"], rollout["revision"][:_SHORT], _state(rollout["state"])]
        for stage in rollout["stages"]:
            compliant = f"{stage['counts'].get('compliant', 0)}/{stage['total']}"
            shown.add_row(*first, stage["name"], _state(stage["state"]), compliant, _others(stage))
            first = [""] * len(first)
        shown.add_section()
    return shown


def waits(rollout: Rollout) -> list[str]:
    """Why the rollout does not move, and how the gates at which people are asked are answered."""
    reason = [f"{rollout['state']}: {rollout['reason']}"] if rollout.get("reason") else []
    lines = reason + ([f"waits for {rollout['waitingFor']}"] if rollout.get("waitingFor") else [])
    if rollout["state"] not in ("running", "paused"):
        return lines
    asking = [(stage["name"], gate["name"]) for stage in rollout["stages"] for gate in stage.get("gates", ()) if _asks_people(gate)]
    return lines + [f"sluice approve {rollout['id']} {gate} --stage {stage} --reason TEXT (or: reject)" for stage, gate in asking]


def _asks_people(gate: Mapping[str, Any]) -> bool:
    return bool(gate["type"] == "approval" and gate["state"] == "waiting" and gate["askedAt"])


def notable_targets(rollout: Rollout) -> list[str]:
    """One line a target that failed or cannot be reached."""
    targets = (target for target in rollout["targets"] if target["state"] in NOTABLE)
    return [f"{target['cluster']} / {target['configuration']}: {target['state']}: {target['reason']}" for target in targets]


def _others(stage: Mapping[str, Any]) -> str:
    return ", ".join(f"{count} {state}" for state, count in stage["counts"].items() if count and state != "compliant")


def _state(state: str) -> Any:
    from rich.text import Text

    return Text(state, style=_COLOURS.get(state, "default"))
