"""How a plan looks: rich renderables. What names clusters, branches and values comes from outside, and is shown as plain text."""

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from shared.domain.revisions import parse_revision

if TYPE_CHECKING:
    from shared.config.strategies import Stage
    from shared.domain.changes import Change
    from shared.domain.pins import Pin
    from shared.services.preview import LeftAlone, Preview, RoutePreview, StagePreview, Update

_SHORT = 10
_MAX_UPDATES = 50  #: lines a stage; --json has them all
_MAX_NAMED = 5


def render(preview: "Preview") -> Group:
    change = preview.change
    what = f"{change.ref}: {_revision(change)}"
    parts: list[RenderableType] = [_text(f"{change.url} {what} {change.title}".rstrip(), "bold")]
    if not preview.routes:
        parts.append(_text("no route moves anything"))
    for route in preview.routes:
        parts += _route(route)
    if preview.left_alone:
        parts.append(_left_alone(preview.left_alone))
    return Group(*parts)


def _revision(change: "Change") -> str:
    if change.kind == "deleted":
        return "deleted, so nothing moves"
    return change.revision[:_SHORT] or "to the digest that the registry tells when the push arrives"


def _route(route: "RoutePreview") -> list[RenderableType]:
    total = sum(len(stage.updates) for stage in route.stages)
    heading = f"\nroute {route.route}: {'only observes' if route.action == 'observe' else f'{total} to update'}"
    return [_text(f"{heading}{_requires(route)}", "bold"), *(_stage(stage) for stage in route.stages)]


def _requires(route: "RoutePreview") -> str:
    if route.requires is None:
        return ""
    names = ", ".join(route.requires.checks)
    return f", once {names} {'have' if len(route.requires.checks) > 1 else 'has'} succeeded, within {route.requires.within}"


def _stage(preview: "StagePreview") -> Table:
    total = len(preview.updates)
    title = f"stage {preview.stage.name}: {total}, {preview.max_concurrency} at once, not before {_moment(preview.opens_seconds)}"
    table = Table(title=_text(f"{title}{_rules(preview.stage)}"), title_justify="left")
    for column in ("Not before", "Cluster", "Configuration", "Has", "Gets", "Values"):
        table.add_column(column, justify="right" if column == "Not before" else "left")
    for update in preview.updates[:_MAX_UPDATES]:
        table.add_row(*map(_text, _cells(update)))
    if total > _MAX_UPDATES:
        table.add_row("", _text(f"and {total - _MAX_UPDATES} more: --json has them all"))
    return table


def _cells(update: "Update") -> tuple[str, ...]:
    synced = parse_revision(update.synced)
    has = _reference(synced.name, synced.hash) if synced else "nothing"
    gets = _reference(update.pin.tag or update.pin.branch or "", update.pin.revision) if update.pin else ""
    state = "" if update.compliance == "Compliant" else f" ({update.compliance})"
    return _moment(update.earliest_seconds), update.cluster, update.configuration, f"{has}{state}", gets, _values(update.pin)


def _values(pin: "Pin | None") -> str:
    """Every kustomization of one fluxConfiguration is given the same values."""
    values = pin.substitutions.values() if pin else ()
    return ", ".join(f"{name}={value}" for name, value in sorted({pair for each in values for pair in each.items()}))


def _rules(stage: "Stage") -> str:
    """What the stage says beside its clusters and their number."""
    usual = msgspec.to_builtins(type(stage)(name=stage.name))
    rules = {name: value for name, value in msgspec.to_builtins(stage).items() if value != usual[name]}
    return "".join(f", {name} {value}" for name, value in rules.items() if name not in ("selector", "maxConcurrency"))


def _left_alone(items: "tuple[LeftAlone, ...]") -> Table:
    groups: dict[tuple[str, str], list[LeftAlone]] = defaultdict(list)
    for item in items:
        groups[item.route, item.reason].append(item)
    table = Table(title="\nLeft alone", title_justify="left")
    for column in ("Route", "Why", "How many", "Which"):
        table.add_column(column, justify="right" if column == "How many" else "left")
    for (route, reason), members in groups.items():
        named = ", ".join(f"{item.cluster}/{item.configuration}" for item in members[:_MAX_NAMED])
        more = ", ..." if len(members) > _MAX_NAMED else ""
        table.add_row(_text(route or "any"), _text(reason), str(len(members)), _text(f"{named}{more}"))
    return table


def _moment(seconds: float) -> str:
    return f"+{seconds:.1f} s" if seconds % 1 else f"+{seconds:.0f} s"


def _reference(name: str, revision: str) -> str:
    return "@".join(part for part in (name, revision[:_SHORT]) if part)


def _text(text: str, style: str = "") -> Text:
    """Without what a terminal would take for a command."""
    return Text("".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text), style=style)
