"""`sluice audit verify`: checks that no record of the audit trail was changed, removed or inserted."""

import argparse
from collections import Counter

from cli import app_settings
from cli.options import Verbs, add_state, fail


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("audit", help="check the audit trail")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    verify = acts.add_parser("verify", help="follow every chain of records from its beginning")
    verify.add_argument("--stream", metavar="ID", help="one chain only (default: all)")
    add_state(verify)
    app_settings.add_to(verify)
    verify.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from local.stack.errors import NoStack
    from shared.domain.errors import SluiceError

    try:
        app_settings.use(options)
        counts, shredded, findings = asyncio.run(_verify(options.stream))
    except (app_settings.BadSettings, NoStack, SluiceError) as error:
        return fail(error)
    for finding in findings:
        print(finding)
    what = f"{counts.total()} records in {len(counts)} streams"
    if findings:
        return fail(f"{what}: {len(findings)} do not fit their chain")
    print(f"{what}: every record fits its chain")
    if shredded:
        print(f"{shredded} of them cannot be read, since their data key was destroyed: only their hashes were checked")
    return 0


async def _verify(stream: str | None) -> tuple[Counter[str], int, list[str]]:
    from shared import bootstrap
    from shared.domain.audit import verify

    app = bootstrap.app()
    try:
        links = [link async for link in app.audit.read(stream)]
    finally:
        await app.close()
    return Counter(link.stream for link in links), sum(link.entry is None for link in links), list(verify(links))
