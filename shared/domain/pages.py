"""Where people look: addresses of the pages of this app's dashboard."""

from urllib.parse import urlencode

_DASHBOARD = "/api/dashboard"


def page(public_url: str, **query: str) -> str:
    """The dashboard, opened at what `query` names: rollout, stage, gate, state; view (rollouts, fleet, undelivered). "" where no
    setting tells the app's own address.
    """
    asked = urlencode({name: value for name, value in query.items() if value})
    return f"{public_url}{_DASHBOARD}{f'?{asked}' if asked else ''}" if public_url else ""
