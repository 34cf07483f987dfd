"""`sluice`: one file a verb. What a verb needs it imports when it runs, so that `sluice --help` is fast."""

import argparse
import sys
from collections.abc import Sequence

from cli import (
    act,
    audit,
    clusters,
    cost,
    demo,
    digest,
    events,
    fleet,
    flux_token,
    gate,
    history,
    init,
    keys,
    plan,
    replay,
    schema,
    send,
    simulate,
    status,
    undelivered,
    up,
    validate,
)

VERBS = (
    *(up, demo, send, status, clusters, fleet, history, digest, undelivered, act, gate, plan, simulate, cost),
    *(validate, schema, events, init, audit, replay, keys, flux_token),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; gives the exit status: 0 done, 1 failed, 2 used wrongly."""
    options = _parser().parse_args(arguments)
    return int(options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sluice", description="Moves a fleet of Arc-enabled Kubernetes clusters to a pushed commit, in stages."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        verb.add_to(verbs)
    return parser


if __name__ == "__main__":
    sys.exit(main())
