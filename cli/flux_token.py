"""`sluice flux-token`: what one cluster signs its Flux alerts with (docs/flux-alerts.md)."""

import argparse
import re
from typing import TYPE_CHECKING

from cli import app_settings
from cli.options import Verbs, add_state, fail

if TYPE_CHECKING:
    from shared.config.models import Config, Receiver

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # kubernetes.io, RFC 1123 label names
_MANIFEST = """\
apiVersion: v1
kind: Secret
metadata:
  name: sluice
  namespace: {namespace}
stringData:
  token: {token}"""


class NoToken(Exception):
    """There is no token to print; the text is for people."""


def add_to(verbs: Verbs) -> None:
    parser = verbs.add_parser("flux-token", help="print the token that one cluster signs its Flux alerts with")
    parser.add_argument("--cluster", required=True, metavar="ID", help="the ARM id of the cluster")
    parser.add_argument("--receiver", metavar="NAME", help="a receiver of type flux (default: the only one)")
    parser.add_argument("--namespace", metavar="NAME", help="print a Secret for this namespace, ready for `kubectl apply -f -`")
    add_state(parser)
    app_settings.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio

    from local.stack.errors import NoStack
    from shared.domain.errors import SluiceError

    if options.namespace is not None and not _NAMESPACE.fullmatch(options.namespace):
        return fail("--namespace must be the name of a Kubernetes namespace")
    try:
        app_settings.use(options)
        token = asyncio.run(_token(options.receiver, options.cluster))
    except (app_settings.BadSettings, NoStack, NoToken, SluiceError) as error:
        return fail(error)
    print(_MANIFEST.format(namespace=options.namespace, token=token) if options.namespace else token)
    return 0


async def _token(name: str | None, cluster: str) -> str:
    from shared import bootstrap
    from shared.receivers.flux import cluster_token

    app = bootstrap.app()
    try:
        receiver = _receiver(await app.config.latest(), name)
        return cluster_token(await app.secrets.get(receiver.secret_ref), cluster)
    except ValueError as error:
        raise NoToken(f"--cluster: {error}") from None
    finally:
        await app.close()


def _receiver(config: "Config", name: str | None) -> "Receiver":
    """The receiver whose clusters have tokens of their own. Raises NoToken."""
    found = [receiver for receiver in config.receivers if receiver.type == "flux" and name in (None, receiver.name)]
    if len(found) != 1:
        known = ", ".join(receiver.name for receiver in config.receivers if receiver.type == "flux") or "none"
        raise NoToken(f"--receiver must name one receiver of type flux (sluice.yaml has: {known})")
    if found[0].identity == "shared":
        raise NoToken(f"the clusters of receiver {found[0].name} share its secret: its identity is shared")
    return found[0]
