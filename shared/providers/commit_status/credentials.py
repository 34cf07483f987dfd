"""Who calls a Git host: a token, in the header that the host wants it in."""

from collections.abc import Awaitable, Callable, Mapping

from shared.providers.commit_status.api import Authorize, basic


def headers_for(host: str, token: str) -> Mapping[str, str]:
    """The header of a token from sluice.yaml, for a provider type. Bitbucket also takes `user:password`."""
    match host:
        case "gitlab":
            return {"PRIVATE-TOKEN": token}
        case "gitea":
            return {"Authorization": f"token {token}"}
        case "azure-devops":
            return {"Authorization": basic(f":{token}")}
        case "bitbucket-cloud" | "bitbucket-data-center" if ":" in token:
            return {"Authorization": basic(token)}
        case _:
            return {"Authorization": f"Bearer {token}"}


def with_token(host: str, token: Callable[[], Awaitable[str]]) -> Authorize:
    """Reads the token anew for each call, so that one that was replaced is used."""

    async def authorize() -> Mapping[str, str]:
        return headers_for(host, (await token()).strip())

    return authorize


def as_identity(token: Callable[[], Awaitable[str]]) -> Authorize:
    """With a token of Microsoft Entra, which the app's own identity is given."""

    async def authorize() -> Mapping[str, str]:
        return {"Authorization": f"Bearer {await token()}"}

    return authorize
