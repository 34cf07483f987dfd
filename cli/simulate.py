"""`sluice simulate`: a rollout tried out before it is done, in virtual time and against a model of Azure and of the clusters."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cli.options import Verbs, fail

if TYPE_CHECKING:
    from cli.simulation.model import Model
    from cli.simulation.report import Report
    from cli.simulation.simulate import Progress
    from shared.config.models import Config
    from shared.config.requires import Requires

_MOST_CLUSTERS, _MOST_SUBSCRIPTIONS, _MOST_INSTANCES = 100_000, 1_000, 1_000
_WIDTH_WITHOUT_TERMINAL = 140


class BadStrategy(Exception):
    """The file has no such strategy or route; the text is for people."""


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("simulate", help="try a rollout out on a simulated fleet, in virtual time")
    parser.add_argument("--clusters", type=_count(_MOST_CLUSTERS), default=1_000, metavar="N", help="default: 1000")
    parser.add_argument("--subscriptions", type=_count(_MOST_SUBSCRIPTIONS), default=1, metavar="N", help="default: 1")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--strategy", metavar="NAME", help="of the file, or without one `all` (default) or `rings`")
    chosen.add_argument("--route", metavar="NAME", help="of the file: its strategy, after the checks that it requires")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the sluice.yaml that has the strategy or route")
    parser.add_argument("--failure-rate", type=_share, default=0.0, metavar="P%", help="clusters that fail (default: 0%%)")
    parser.add_argument("--offline-rate", type=_share, default=0.0, metavar="P%", help="clusters that are away at first (default: 0%%)")
    parser.add_argument("--offline-for", type=_seconds, default=3600.0, metavar="TIME", help="how long, about (default: 1h)")
    parser.add_argument("--agent-poll", type=_seconds, default=60.0, metavar="TIME", help="how often agents ask Azure (default: 1m)")
    parser.add_argument("--approve-after", type=_seconds, default=600.0, metavar="TIME", help="when gates are answered (default: 10m)")
    parser.add_argument("--resume-after", type=_seconds, metavar="TIME", help="when a paused rollout is resumed (default: never)")
    parser.add_argument("--instances", type=_count(_MOST_INSTANCES), default=8, metavar="N", help="of the app, a queue (default: 8)")
    parser.add_argument("--start", type=_moment, metavar="TIME", help="of the push, for windows (default: 2026-01-05T08:00Z, a Monday)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed gives the same simulation (default: 1)")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="also draw a chart there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 when the simulated rollout succeeded, 1 when it did not, as with a paused one."""
    from cli.simulation.simulate import START, NothingPlanned, simulate
    from shared.domain.errors import Malformed

    try:
        if options.svg and not options.svg.parent.is_dir():
            raise NotADirectoryError(f"{options.svg.parent} is no folder")
        config, name, requires = _chosen(_config(options.config), options)
        with _progress(options.clusters) as progress:
            report = simulate(_model(options), config, name, requires=requires, start=options.start or START, progress=progress)
        _show(report, options)
    except (BadStrategy, Malformed, NothingPlanned, OSError) as error:
        return fail(error)
    return 0 if report.state == "succeeded" else 1


def _config(file: Path | None) -> "Config":
    from cli.simulation.strategies import BUILT_IN
    from shared.config.loader import load_text
    from shared.domain.errors import Malformed

    if file is None:
        return BUILT_IN
    try:
        return load_text(file.read_text("utf-8"), str(file))
    except UnicodeDecodeError:
        raise Malformed(f"{file} is not UTF-8 text") from None


def _chosen(config: "Config", options: argparse.Namespace) -> "tuple[Config, str, Requires | None]":
    """The configuration, the strategy's name in it, and what is required before its first stage."""
    if options.route is None:
        return config, _strategy(config, options), None
    from msgspec.structs import replace

    routes = {route.name: route for route in config.routes}
    if options.route not in routes:
        where = options.config or "without --config"
        raise BadStrategy(f"{where}: there is no route {options.route}; there is {', '.join(routes) or 'none'}")
    route = routes[options.route]
    strategy = config.strategy(route.strategy)
    return replace(config, strategies=(strategy,)), strategy.name, route.requires


def _strategy(config: "Config", options: argparse.Namespace) -> str:
    """The name of the asked strategy; without a name the only one of the file, or the first of the built-in ones."""
    names = [strategy.name for strategy in config.strategies]
    if options.strategy in names:
        return str(options.strategy)
    where = options.config or "without --config"
    if options.strategy:
        raise BadStrategy(f"{where}: there is no strategy {options.strategy}; there is {', '.join(names) or 'none'}")
    if options.config and len(names) != 1:
        raise BadStrategy(f"{where}: name a strategy with --strategy; there is {', '.join(names) or 'none'}")
    return names[0]


def _model(options: argparse.Namespace) -> "Model":
    from cli.simulation.model import Model

    return Model(
        clusters=options.clusters,
        subscriptions=options.subscriptions,
        seed=options.seed,
        failure_rate=options.failure_rate,
        offline_rate=options.offline_rate,
        offline_seconds=options.offline_for,
        agent_poll_seconds=options.agent_poll,
        approve_after_seconds=options.approve_after,
        resume_after_seconds=options.resume_after,
        instances=options.instances,
    )


@contextmanager
def _progress(clusters: int) -> Iterator["Progress"]:
    """A bar on stderr, where that is a terminal: what is done, and the virtual time."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from cli.simulation.words import duration

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("clusters done, {task.fields[at]} of virtual time"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=clusters, at="0 s")
        yield lambda at, done, total: bar.update(task, completed=done, total=total, at=duration(at))


def _show(report: "Report", options: argparse.Namespace) -> None:
    if options.svg:
        from cli.simulation.chart import svg

        options.svg.write_text(svg(report), "utf-8")
    if options.json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
        return
    from rich.console import Console

    from cli.simulation.view import render

    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_WITHOUT_TERMINAL)
    console.print(render(report))


def _count(most: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        number = int(text) if text.isdecimal() else 0
        if not 1 <= number <= most:
            raise argparse.ArgumentTypeError(f"must be a number from 1 to {most}")
        return number

    return count


def _share(text: str) -> float:
    """A percentage as a share of 1."""
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not text.endswith("%") or not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage: write 1%, or 0.5%")
    return share


def _seconds(text: str) -> float:
    import msgspec

    from shared.config.fields import Duration, seconds

    try:
        return seconds(msgspec.convert(text, Duration))
    except msgspec.ValidationError:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write 90s, 10m or 1h30m") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no date and time: write 2026-12-24T18:00+01:00") from None
