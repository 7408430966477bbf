"""Reads from the provider, through requests: they change nothing, so they are repeated, a few times and politely."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import requests
from requests.adapters import HTTPAdapter

from campaignkit import __version__
from campaignkit.errors import ProviderError
from campaignkit.provider.connection import TransportError, mute_library, time_answers, tls_context
from campaignkit.provider.origin import parse_origin
from campaignkit.provider.port import NotVisibleError
from campaignkit.provider.secrets import Redactor
from campaignkit.wire.outcomes import error_text, parse_retry_after
from campaignkit.wire.statuses import LARGEST_ANSWER, NotStatusesError, decode_statuses
from campaignkit.wire.strict_json import BadJSONError, parse

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from campaignkit.wire.statuses import StatusAnswer

PATH = "/api/v1/statusBulkViber"
"""As documented."""

TRIES = 3
LONGEST_WAIT = 30.0
"""Seconds between two tries at most, whatever `Retry-After` asks for."""

_FIRST_WAIT = 1.0
_PIECE = 1 << 16


class StatusClient:
    """Implements `provider.port.StatusReader`; a context manager, for one thread.

    Args:
        base_url: Of the provider; https, or http to loopback.
        token: The API key; left out of the request when empty.
        token_in: `documented`: token and uuid in the query, as the documentation's table says; `body`: as a form.
        connect_timeout: Seconds for the connection.
        read_timeout: Seconds without any byte; a whole answer may take ten times as long.
        sleep: Waits between tries.
        now: The present, for a `Retry-After` that is a date.

    Raises:
        RefusedError: The base URL cannot be sent to safely.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        token_in: str,
        connect_timeout: float,
        read_timeout: float,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        origin = parse_origin(base_url)
        self._url = origin.url(PATH)
        self._token = token
        self._place = "data" if token_in == "body" else "params"  # noqa: S105 - the place of a token, not a token
        self._timeout = (connect_timeout, read_timeout)
        self._redactor = Redactor(token)
        self._sleep = sleep
        self._now = now
        self._session = requests.Session()
        # No proxy, no netrc and no other authorities from the environment: it could carry the token elsewhere.
        self._session.trust_env = False
        self._session.headers.update(
            {
                "User-Agent": f"campaignkit/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            }
        )
        self._session.mount(f"{origin.scheme}://", _Adapter(tls_context() if origin.scheme == "https" else None))
        mute_library()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def bulk_status(self, uuid: str) -> StatusAnswer:
        """The statuses of one accepted request; see `provider.port.StatusReader`.

        Broken connections, 429 and 5xx are tried three times in all, with waits of 1 and 2 seconds or what
        `Retry-After` asks for, at most 30.

        Raises:
            NotVisibleError: 404, or 200 or 400 with an `error`: the provider does not know this uuid, or not yet.
            ProviderError: It could not be asked, or its answer is no status answer.
        """
        trouble, refused, wait = "", False, 0.0
        for attempt in range(TRIES):
            if attempt:
                self._sleep(wait)
            wait = _FIRST_WAIT * 2**attempt
            try:
                status, retry_after, body = self._ask(uuid)
            except requests.exceptions.SSLError:
                refused = True
                break
            except (requests.RequestException, TransportError, OSError) as error:
                trouble = _described(error)
                continue
            if status != 429 and status < 500:
                return self._answer(status, body)
            trouble = f"HTTP {status}{_words(body)}"
            asked = parse_retry_after(retry_after, self._now())
            wait = min(wait if asked is None else asked, LONGEST_WAIT)
        # Raised here and not where it was caught: the exceptions of the library quote the URL, and go no further.
        if refused:
            raise ProviderError("the provider's TLS certificate or protocol was refused")
        raise ProviderError(f"the provider could not be asked for statuses, {TRIES} times in a row: {trouble}")

    def _ask(self, uuid: str) -> tuple[int, str | None, bytes]:
        """One POST: status, `Retry-After`, and the body without our token."""
        values = {"token": self._token, "uuid": uuid} if self._token else {"uuid": uuid}
        place: dict[str, Any] = {self._place: values}
        with self._session.post(self._url, timeout=self._timeout, allow_redirects=False, stream=True, **place) as response:
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise ProviderError("the status answer is compressed, which was not asked for")
            body = self._body(response)
            return response.status_code, response.headers.get("Retry-After"), self._redactor.blot(body)

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        while piece := response.raw.read1(_PIECE, decode_content=False):
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise ProviderError(f"the status answer has more than {LARGEST_ANSWER >> 20} MiB")
        return bytes(body)

    def _answer(self, status: int, body: bytes) -> StatusAnswer:
        words = _words(body)
        if status == 404 or (status in {200, 400} and words):
            raise NotVisibleError(f"the provider does not know this request, or not yet: HTTP {status}{words}")
        if status != 200:
            raise ProviderError(f"the provider refused to give statuses: HTTP {status}{words}")
        try:
            return decode_statuses(body)
        except NotStatusesError as error:
            raise ProviderError(str(error)) from None


class _Adapter(HTTPAdapter):
    """TLS with the same context as the send path, what one trusts, the other trusts; and answers under a deadline."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._tls)
        time_answers(self.poolmanager)

    def cert_verify(self, *_: Any) -> None:
        """Nothing: the library would add a bundle of authorities of its own, or of the environment."""


def _words(body: bytes) -> str:
    """What an answer's `error` says, ready to be appended; empty for an array, a page or nothing."""
    if not body.lstrip().startswith(b"{"):
        return ""
    try:
        text = error_text(parse(body, limit=LARGEST_ANSWER).get("error"))
    except BadJSONError:
        return ""
    return f": {text}" if text else ""


def _described(error: Exception) -> str:
    """What broke a read, in words; the texts of these exceptions hold the URL, and with it the token."""
    if isinstance(error, requests.Timeout | TimeoutError) or "Timeout" in type(error).__name__:
        return "no answer in time"
    return "the connection broke" if isinstance(error, OSError) else "the answer broke off"
