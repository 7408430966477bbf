"""Reads from the provider, through requests: they change nothing, so they are repeated, a few times and politely."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

import requests
from requests.adapters import HTTPAdapter

from campaignkit import __version__
from campaignkit.errors import ProviderError
from campaignkit.model.secret import Secret
from campaignkit.provider.connection import TransportError, mute_library, time_answers, tls_context
from campaignkit.provider.origin import parse_origin
from campaignkit.provider.port import NotVisibleError
from campaignkit.provider.secrets import Redactor
from campaignkit.wire.outcomes import parse_retry_after
from campaignkit.wire.statuses import LARGEST_ANSWER, NotStatusesError, decode_statuses
from campaignkit.wire.strict_json import BadJSONError, parse
from campaignkit.wire.v2 import stated_error

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from campaignkit.wire.statuses import StatusAnswer

TRIES = 3
LONGEST_WAIT = 30.0
"""Seconds between two tries at most, whatever `Retry-After` asks for."""

_FIRST_WAIT = 1.0
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method that is read from.

    Attributes:
        path: As documented.
        wanted: What is asked for, in words.
        answer: What its answer is called.
        subject: What is asked about, where an error may mean that the provider does not know it.
        token_in_query: Whether the documentation puts the token there.
        fields_in_query: Whether it puts everything else there, too.
    """

    path: str
    wanted: str
    answer: str
    subject: str = ""
    token_in_query: bool = False
    fields_in_query: bool = False


STATUSES = Endpoint(
    path="/api/v1/statusBulkViber", wanted="statuses", answer="status answer", subject="request", token_in_query=True, fields_in_query=True
)


class Asker:
    """Asks the provider for something, as often as it takes; a context manager, for one thread.

    Args:
        base_url: Of the provider; https, or http to loopback.
        token: The API key; left out of the request when empty.
        token_in: `documented`: the token where the documentation's table has it; `body`: all in a form.
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
        self._origin = origin = parse_origin(base_url)
        self._token = Secret(token)
        self._all_in_body = token_in == "body"  # noqa: S105 - the place of a token, not a token
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
        self._adapter = _Adapter(tls_context() if origin.scheme == "https" else None)
        self._session.mount(f"{origin.scheme}://", self._adapter)
        self._prepared: dict[Endpoint, requests.PreparedRequest] = {}
        mute_library()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def ask(self, endpoint: Endpoint, fields: Mapping[str, str]) -> bytes:
        """The answer of one method, without our token in it.

        Broken connections, 429 and 5xx are tried three times in all, with waits of 1 and 2 seconds or what
        `Retry-After` asks for, at most 30.

        Raises:
            NotVisibleError: 404, or 200 or 400 with an error: the provider does not know what is asked about, or not yet.
            ProviderError: It could not be asked, or it refused.
        """
        trouble, refused, wait = "", False, 0.0
        for attempt in range(TRIES):
            if attempt:
                self._sleep(wait)
            wait = _FIRST_WAIT * 2**attempt
            try:
                status, retry_after, body = self._ask(endpoint, fields)
            except requests.exceptions.SSLError:
                refused = True
                break
            except (requests.RequestException, TransportError, OSError) as error:
                trouble = _described(error)
                continue
            if status != 429 and status < 500:
                return _accepted(endpoint, status, body)
            trouble = f"HTTP {status}{_words(body)}"
            asked = parse_retry_after(retry_after, self._now())
            wait = min(wait if asked is None else asked, LONGEST_WAIT)
        # Raised here and not where it was caught: the exceptions of the library quote the URL, and go no further.
        if refused:
            raise ProviderError("the provider's TLS certificate or protocol was refused")
        raise ProviderError(f"the provider could not be asked for {endpoint.wanted}, {TRIES} times in a row: {trouble}")

    def _ask(self, endpoint: Endpoint, fields: Mapping[str, str]) -> tuple[int, str | None, bytes]:
        """One POST: status, `Retry-After`, and the body without our token."""
        secret = {"token": self._token} if self._token else {}
        query: dict[str, str] = {}
        if not self._all_in_body:
            query = {**(secret if endpoint.token_in_query else {}), **(fields if endpoint.fields_in_query else {})}
        form = {name: value for name, value in {**secret, **fields}.items() if name not in query}
        request = self._request(endpoint)
        request.prepare_body(form, None)
        request.url = self._origin.url(endpoint.path) + ("?" + urlencode(query) if query else "")
        # Past the session: it would prepare each of a thousand requests anew, keep cookies and look for redirects.
        with self._adapter.send(request, stream=True, timeout=self._timeout) as response:
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise ProviderError(f"the {endpoint.answer} is compressed, which was not asked for")
            body = _body(endpoint, response)
            return response.status_code, response.headers.get("Retry-After"), self._redactor.blot(body)

    def _request(self, endpoint: Endpoint) -> requests.PreparedRequest:
        """The request of one method with all that stays the same, prepared once."""
        prepared = self._prepared.get(endpoint)
        if prepared is None:
            prepared = self._session.prepare_request(requests.Request("POST", self._origin.url(endpoint.path)))
            self._prepared[endpoint] = prepared
        return prepared


class StatusClient(Asker):
    """Implements `provider.port.StatusReader`; a context manager, for one thread. See `Asker` for the arguments."""

    def bulk_status(self, uuid: str) -> StatusAnswer:
        """The statuses of one accepted request; see `provider.port.StatusReader` and, for what is raised, `Asker.ask`."""
        body = self.ask(STATUSES, {"uuid": uuid})
        try:
            return decode_statuses(body)
        except NotStatusesError as error:
            raise ProviderError(str(error)) from None


def _body(endpoint: Endpoint, response: requests.Response) -> bytes:
    body = bytearray()
    while piece := response.raw.read1(_PIECE, decode_content=False):
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise ProviderError(f"the {endpoint.answer} has more than {LARGEST_ANSWER >> 20} MiB")
    return bytes(body)


def _accepted(endpoint: Endpoint, status: int, body: bytes) -> bytes:
    """The body of a 200 that states no error."""
    words = _words(body)
    if endpoint.subject and (status == 404 or (status in {200, 400} and words)):
        raise NotVisibleError(f"the provider does not know this {endpoint.subject}, or not yet: HTTP {status}{words}")
    if status != 200 or words:
        raise ProviderError(f"the provider refused to give {endpoint.wanted}: HTTP {status}{words}")
    return body


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
    """What an answer says to be wrong, ready to be appended; empty for an array, a page or nothing."""
    if not body.lstrip().startswith(b"{"):
        return ""
    try:
        text = stated_error(parse(body, limit=LARGEST_ANSWER))
    except BadJSONError:
        return ""
    return f": {text}" if text else ""


def _described(error: Exception) -> str:
    """What broke a read, in words; the texts of these exceptions hold the URL, and with it the token."""
    if isinstance(error, requests.Timeout | TimeoutError) or "Timeout" in type(error).__name__:
        return "no answer in time"
    return "the connection broke" if isinstance(error, OSError) else "the answer broke off"
