"""The one Azure credential: MSAL behind azure-core's token protocols, for managed identity and for service principals."""

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

from shared.azure.token_http import TokenHttp

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

REFRESH_SECONDS = 5 * 60  # before expiry; MSAL itself serves no token with less left
UNUSABLE_SECONDS = 30  # before expiry: too late to be worth sending
RETRY_SECONDS = 30  # after a failed early refresh, while the held token still serves

# The clouds whose sign-in hosts answer instance discovery. Any other host (a disconnected region, AD FS, a local stand-in) must not be
# looked up at login.microsoftonline.com, which does not know it.
DISCOVERABLE_HOSTS = frozenset({"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"})


@dataclass(frozen=True)
class CredentialSettings:
    """Who the app is. All empty: the system-assigned managed identity; only `client_id`: a user-assigned one.

    `certificate_path` is a PEM file with the private key and the certificate, leaf first; `federated_token_file` holds the assertion
    of a workload identity and is read at every request, since it rotates. `instance_discovery` None means: only for known clouds.
    """

    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = ""
    certificate_path: str = ""
    federated_token_file: str = ""
    authority_host: str = "https://login.microsoftonline.com"
    instance_discovery: bool | None = None

    @property
    def is_managed_identity(self) -> bool:
        return not (self.client_secret or self.certificate_path or self.federated_token_file)

    @property
    def discovers_instance(self) -> bool:
        if self.instance_discovery is not None:
            return self.instance_discovery
        return urlsplit(self.authority_host).hostname in DISCOVERABLE_HOSTS

    def __repr__(self) -> str:
        return f"CredentialSettings(tenant_id={self.tenant_id!r}, client_id={self.client_id!r})"


class _Request(NamedTuple):
    """What a token is asked for; equal requests share one flight."""

    scopes: tuple[str, ...]
    cae: bool
    claims: str

    @property
    def holds(self) -> tuple[tuple[str, ...], bool]:
        """Where its token is kept: one won by a claims challenge replaces the one that was refused."""
        return (self.scopes, self.cae)


class Credential:
    """Tokens, kept in memory and refreshed early, one request at a time however many callers wait.

    Safe for threads. The `tenant_id` that some SDKs pass is ignored: the app acts in its own tenant only.
    Raises azure.core's ClientAuthenticationError when the identity is refused and ServiceRequestError, which SDKs retry, when the
    token endpoint cannot be reached or fails; neither carries more than MSAL's error codes and correlation id.
    """

    def __init__(self, settings: CredentialSettings) -> None:
        self._settings = settings
        self._http = TokenHttp()
        self._lock = Lock()
        self._tokens: dict[tuple[tuple[str, ...], bool], AccessTokenInfo] = {}
        self._flights: dict[_Request, Future[AccessTokenInfo]] = {}
        self._refresh_after: dict[tuple[tuple[str, ...], bool], float] = {}
        self._clients: dict[bool, Callable[[_Request], dict[str, Any]]] = {}

    def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, enable_cae: bool = False, **kwargs: Any
    ) -> "AccessToken":
        return _plain(_wait(self._begin(_Request(scopes, enable_cae, claims or ""))))

    def get_token_info(self, *scopes: str, options: "TokenRequestOptions | None" = None) -> "AccessTokenInfo":
        return _wait(self._begin(_request(scopes, options)))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def _begin(self, request: _Request) -> "AccessTokenInfo | Future[AccessTokenInfo]":
        """The held token while it serves, else a flight that will bring one. Starts a flight when none is under way and one is due."""
        with self._lock:
            held = None if request.claims else self._tokens.get(request.holds)
            if held is not None and time.time() >= held.expires_on - UNUSABLE_SECONDS:
                held = None
            if held is not None and time.time() < self._refresh_after[request.holds]:
                return held
            flight = self._flights.get(request) or self._start(request)
            return flight if held is None else held

    def _start(self, request: _Request) -> "Future[AccessTokenInfo]":
        flight: Future[AccessTokenInfo] = Future()
        self._flights[request] = flight
        # A thread of its own: in a shared pool, callers that wait for the flight could fill every thread before it gets one.
        Thread(target=self._fly, args=(request, flight), name="token", daemon=True).start()
        return flight

    def _fly(self, request: _Request, flight: "Future[AccessTokenInfo]") -> None:
        try:
            token = self._acquire(request)
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs to those who wait for the flight
            self._land(request, None)
            flight.set_exception(error)
        else:
            self._land(request, token)
            flight.set_result(token)

    def _land(self, request: _Request, token: "AccessTokenInfo | None") -> None:
        with self._lock:
            self._flights.pop(request, None)
            if token is None:
                # The next try builds the client anew, so that a certificate that was replaced on disk is read again.
                self._clients.pop(request.cae, None)
                self._refresh_after[request.holds] = time.time() + RETRY_SECONDS
                return
            early = token.expires_on - REFRESH_SECONDS
            self._tokens[request.holds] = token
            self._refresh_after[request.holds] = min(early, token.refresh_on or early)

    def _acquire(self, request: _Request) -> "AccessTokenInfo":
        from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
        from msal.exceptions import MsalServiceError  # type: ignore[import-untyped]  # msal ships no types
        from requests import RequestException

        try:
            client = self._clients.get(request.cae) or self._clients.setdefault(
                request.cae, _client(self._settings, self._http, cae=request.cae)
            )
            answer = client(request)
        except (RequestException, MsalServiceError) as error:
            raise ServiceRequestError(f"the token endpoint did not answer ({type(error).__name__})") from None
        except (OSError, ValueError) as error:
            # MSAL and cryptography quote their input in such errors, so only the type goes on.
            raise ClientAuthenticationError(f"the credential cannot be used ({type(error).__name__})") from None
        return _token(answer)


class AsyncCredential:
    """The same credential for aio clients: it shares the inner one's tokens and flights, and never blocks the event loop."""

    def __init__(self, inner: Credential) -> None:
        self._inner = inner

    async def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, enable_cae: bool = False, **kwargs: Any
    ) -> "AccessToken":
        return _plain(await self._token(_Request(scopes, enable_cae, claims or "")))

    async def get_token_info(self, *scopes: str, options: "TokenRequestOptions | None" = None) -> "AccessTokenInfo":
        return await self._token(_request(scopes, options))

    async def close(self) -> None:
        """Nothing of its own to close: the inner credential may serve others."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    async def _token(self, request: _Request) -> "AccessTokenInfo":
        begun = self._inner._begin(request)  # noqa: SLF001  the two are one credential in two calling styles
        if not isinstance(begun, Future):
            return begun
        # Shielded: one caller that gives up must not cancel the flight for the others.
        return await asyncio.shield(asyncio.wrap_future(begun))


def _client(settings: CredentialSettings, http: TokenHttp, *, cae: bool) -> Callable[[_Request], dict[str, Any]]:
    """A function that asks MSAL. CP1 declares that claims challenges are understood; such tokens live longer, so they are kept apart."""
    capabilities = ["CP1"] if cae else None
    if settings.is_managed_identity:
        return _managed_identity(settings, http, capabilities)
    from msal import ConfidentialClientApplication  # type: ignore[import-untyped]  # msal ships no types

    application = ConfidentialClientApplication(
        settings.client_id,
        client_credential=_proof(settings),
        authority=f"{settings.authority_host.rstrip('/')}/{settings.tenant_id}",
        http_client=http,
        instance_discovery=settings.discovers_instance,
        client_capabilities=capabilities,
    )

    def ask(request: _Request) -> dict[str, Any]:
        answer = application.acquire_token_for_client(list(request.scopes), claims_challenge=request.claims or None)
        return dict(answer or {})

    return ask


def _managed_identity(
    settings: CredentialSettings, http: TokenHttp, capabilities: list[str] | None
) -> Callable[[_Request], dict[str, Any]]:
    from msal import ManagedIdentityClient, SystemAssignedManagedIdentity, UserAssignedManagedIdentity

    identity = UserAssignedManagedIdentity(client_id=settings.client_id) if settings.client_id else SystemAssignedManagedIdentity()
    client = ManagedIdentityClient(identity, http_client=http, client_capabilities=capabilities)

    def ask(request: _Request) -> dict[str, Any]:
        (scope,) = request.scopes  # the endpoint takes one resource
        answer = client.acquire_token_for_client(resource=scope.removesuffix("/.default"), claims_challenge=request.claims or None)
        return dict(answer or {})

    return ask


def _proof(settings: CredentialSettings) -> str | dict[str, Any]:
    """What MSAL calls the client credential."""
    if settings.client_secret:
        return settings.client_secret
    if settings.certificate_path:
        pem = Path(settings.certificate_path).read_text("ascii")
        key = re.search(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", pem, re.DOTALL)
        if key is None:
            raise ValueError("the certificate file has no private key")
        # MSAL derives the SHA-256 thumbprint and sends the leaf as x5c, which subject name + issuer authentication needs.
        return {"private_key": key[0], "public_certificate": pem.replace(key[0], "")}
    return {"client_assertion": Path(settings.federated_token_file).read_text}


def _token(answer: dict[str, Any]) -> "AccessTokenInfo":
    from azure.core.credentials import AccessTokenInfo
    from azure.core.exceptions import ClientAuthenticationError

    if "access_token" not in answer:
        codes = " ".join(str(code) for code in answer.get("error_codes", ()))
        told = [str(answer.get("error", "no token")), codes, f"correlation id {answer.get('correlation_id') or 'unknown'}"]
        raise ClientAuthenticationError(f"the identity was refused: {', '.join(part for part in told if part)}")
    now = int(time.time())
    refresh_on = answer.get("refresh_on") or (now + int(answer["refresh_in"]) if "refresh_in" in answer else None)
    return AccessTokenInfo(
        answer["access_token"],
        now + int(answer["expires_in"]),
        token_type=answer.get("token_type", "Bearer"),
        refresh_on=int(refresh_on) if refresh_on else None,
    )


def _request(scopes: tuple[str, ...], options: "TokenRequestOptions | None") -> _Request:
    asked = options or {}
    return _Request(scopes, bool(asked.get("enable_cae")), asked.get("claims") or "")


def _wait(begun: "AccessTokenInfo | Future[AccessTokenInfo]") -> "AccessTokenInfo":
    return begun.result() if isinstance(begun, Future) else begun


def _plain(token: "AccessTokenInfo") -> "AccessToken":
    from azure.core.credentials import AccessToken

    return AccessToken(token.token, token.expires_on)
