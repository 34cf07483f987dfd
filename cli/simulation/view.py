"""How a report looks in a terminal: rich renderables. Names of stages come from a file, and are shown as plain text."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.simulation.report import Report, StageReport
from cli.simulation.words import duration

_NONE = "-"


def render(report: Report) -> Group:
    parts: list[RenderableType] = [Text(_heading(report), style="bold"), _stages(report), *_events(report), *_notes(report)]
    return Group(*parts)


def _heading(report: Report) -> str:
    model = report.model
    plural = "" if model.subscriptions == 1 else "s"
    fleet = f"{model.clusters:,} clusters in {model.subscriptions:,} subscription{plural}, strategy {report.strategy}, seed {model.seed}"
    return f"{fleet}: {report.state}{f' ({report.reason})' if report.reason else ''}"


def _stages(report: Report) -> Table:
    table = Table()
    for name in ("Stage", "Clusters", "Opened", "First update", "Last update", "Closed", "At the earliest", "Outcome"):
        table.add_column(name, justify="left" if name in ("Stage", "Outcome") else "right", overflow="fold")
    for stage in report.stages:
        table.add_row(*map(Text, _cells(stage)))
    return table


def _cells(stage: StageReport) -> tuple[str, ...]:
    times = (stage.opened_at, stage.first_update_at, stage.last_update_at, stage.closed_at, stage.least_closed_at)
    outcome = ", ".join(f"{count:,} {state}" for state, count in stage.counts.items())
    away = f" (up to {stage.most_offline:,} offline at once)" if stage.most_offline else ""
    return stage.name, f"{stage.total:,}", *map(_time, times), f"{outcome or 'no clusters'}{away}"


def _events(report: Report) -> list[Text]:
    return [Text(f"{_time(event.at):>12}  {event.summary}") for event in report.events]


def _notes(report: Report) -> list[Text]:
    lines = [f"makespan {_time(report.makespan_seconds)}, theoretical {_time(report.least_seconds)}{_ratio(report)}"]
    lines += [f"paused from {_time(pause.begin)} to {_time(pause.end) if pause.end else 'the end'}" for pause in report.pauses]
    lines.append(f"{report.updates:,} updates written, {report.throttled:,} refused by ARM as too fast (429)")
    if report.makespan_seconds and report.settled_seconds > report.makespan_seconds + 60:
        lines.append(f"clusters that had been away were done after {duration(report.settled_seconds)}")
    if report.unstaged:
        lines.append(f"{report.unstaged:,} clusters are selected by no stage, and were left alone")
    if report.failed_invocations:
        lines.append(f"{report.failed_invocations:,} invocations failed and were repeated by the host")
    return [Text(line) for line in lines]


def _ratio(report: Report) -> str:
    return f", ratio {report.ratio:.3f}" if report.ratio else ""


def _time(seconds: float | None) -> str:
    return _NONE if seconds is None else duration(seconds)
