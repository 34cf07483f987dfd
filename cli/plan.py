"""`sluice plan`: what a push would do, without doing it. It reads the fleet, and writes nothing of it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cli import app_settings
from cli.deliveries import NoDelivery, find_receiver, read_config, received
from cli.options import Verbs, add_state, fail

if TYPE_CHECKING:
    from shared.config.models import Config, Receiver
    from shared.domain.changes import Change
    from shared.domain.observations import FluxConfiguration

_MAX_FLEET_BYTES = 512 * 1024 * 1024


class NoPlan(Exception):
    """There is nothing that could be planned; the text is for people."""


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("plan", help="show who a push would update, when, and why nobody else; changes nothing")
    parser.add_argument("--event", type=Path, required=True, metavar="FILE", help="the body of a push, as the receiver's sender sends it")
    parser.add_argument("--event-name", metavar="NAME", help="as the sender spells it (default: that of a push)")
    parser.add_argument("--receiver", metavar="NAME", help="the receiver of sluice.yaml that it would come to (default: the only one)")
    parser.add_argument("--config", type=Path, default=Path("sluice.yaml"), metavar="FILE", help="default: sluice.yaml")
    fleet = parser.add_mutually_exclusive_group()
    fleet.add_argument("--fleet", type=Path, metavar="FILE", help="the fleet as --save-fleet wrote it (default: ask Resource Graph)")
    fleet.add_argument("--save-fleet", type=Path, metavar="FILE", help="also write the whole fleet there, for later plans")
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")
    add_state(parser)
    app_settings.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from local.stack.errors import NoStack
    from shared.domain.errors import SluiceError

    try:
        config = read_config(options.config)
        receiver = find_receiver(config, options.receiver)
        changes = _changes(receiver, _read(options.event, receiver.max_body_bytes), options.event_name)
        fleet = _fleet(options)
        if options.save_fleet:
            _save(options.save_fleet, fleet)
    except (app_settings.BadSettings, NoDelivery, NoPlan, NoStack, SluiceError, OSError) as error:
        return fail(error)
    _show(config, changes, fleet, as_json=options.json)
    return 0


def _read(file: Path, limit: int) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise NoPlan(f"{file} is larger than {limit} bytes")
    return content


def _changes(receiver: "Receiver", body: bytes, event: str | None) -> "tuple[Change, ...]":
    """The changes in the body. Raises NoPlan where the app would find none."""
    told = received(receiver, body, event)
    if not receiver.accepts(told.event):
        raise NoPlan(f"receiver {receiver.name} ignores the event {told.event}: its `events` do not name it")
    if not told.changes:
        checks = ", ".join(check.name for check in told.checks)
        raise NoPlan(f"the event {told.event} moves nothing{f', it tells of checks: {checks}' if checks else ''}")
    return told.changes


def _fleet(options: argparse.Namespace) -> "list[FluxConfiguration]":
    """The whole fleet, so that whoever is missing in the plan is explained too."""
    if options.fleet:
        return _saved(options.fleet)
    import asyncio

    app_settings.use(options)
    return asyncio.run(_ask())


async def _ask() -> "list[FluxConfiguration]":
    from shared import bootstrap

    app = bootstrap.app()
    try:
        return [found async for found in app.fleet.configurations("")]
    finally:
        await app.close()


def _saved(file: Path) -> "list[FluxConfiguration]":
    import msgspec

    from shared.services.preview import SavedFleet

    content = _read(file, _MAX_FLEET_BYTES)
    try:
        return list(msgspec.json.decode(content, type=SavedFleet).configurations)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoPlan(f"{file} is not a fleet as --save-fleet writes it: {error}") from None


def _save(file: Path, fleet: "list[FluxConfiguration]") -> None:
    import msgspec

    from shared.services.preview import SavedFleet

    file.touch(mode=0o600)  # names, tags and addresses of a whole fleet
    file.write_bytes(msgspec.json.encode(SavedFleet(version=1, configurations=tuple(fleet))))


def _show(config: "Config", changes: "tuple[Change, ...]", fleet: "list[FluxConfiguration]", *, as_json: bool) -> None:
    from shared.adapters import now
    from shared.services.preview import preview

    previews = [preview(config, change, fleet, now()) for change in changes]
    if as_json:
        import json

        import msgspec

        print(json.dumps({"plans": msgspec.to_builtins(previews)}, indent=2))
        return
    from rich.console import Console

    from cli import plan_view

    console = Console()
    for each in previews:
        console.print(plan_view.render(each))
