"""How MSAL reaches the token endpoint."""

from typing import Any

TIMEOUT_SECONDS = 10  # of one request


class TokenHttp:
    """requests as MSAL wants it (get, post, close), with a time-out, which MSAL's managed identity client does not set by itself."""

    def __init__(self) -> None:
        self._session: Any = None

    def get(self, url: str, **kwargs: Any) -> Any:
        answer = self._open().get(url, timeout=TIMEOUT_SECONDS, **kwargs)
        if answer.status_code == 429 or answer.status_code >= 500:
            answer.raise_for_status()  # MSAL would tell a passing failure of a managed identity's endpoint as a wrong scope
        return answer

    def post(self, url: str, **kwargs: Any) -> Any:
        return self._open().post(url, timeout=TIMEOUT_SECONDS, **kwargs)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _open(self) -> Any:
        if self._session is None:
            import requests
            from requests.adapters import HTTPAdapter
            from urllib3.util import Retry

            # A worker that has just started may ask before its identity endpoint is ready. POSTs are not in Retry's default methods.
            retries = Retry(
                total=2,
                backoff_factor=0.2,
                status_forcelist=(429, 500, 502, 503, 504),
                raise_on_status=False,
                respect_retry_after_header=False,
            )
            self._session = requests.Session()
            self._session.mount("https://", HTTPAdapter(max_retries=retries))
            self._session.mount("http://", HTTPAdapter(max_retries=retries))
        return self._session
