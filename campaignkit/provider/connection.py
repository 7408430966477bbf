"""The one door to urllib3: a fresh, verified connection to the provider, and nothing else.

urllib3's bare connection has no pool, no retries, no redirects, no cookies, no netrc and no proxies of the environment.
Up to here nothing has been sent, so every failure is a certain "not sent".
"""

from __future__ import annotations

import contextlib
import logging
import ssl
from typing import TYPE_CHECKING, Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from campaignkit.provider.dialing import ConnectError, dial
from campaignkit.provider.timed import TimedResponse

if TYPE_CHECKING:
    import socket

    from urllib3.poolmanager import PoolManager

    from campaignkit.provider.origin import Origin

TransportError = HTTPError
"""Whatever urllib3 raises while a body is read; for the reads, which catch it."""

_ENDED_HANDSHAKE = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def tls_context() -> ssl.SSLContext:
    """TLS as we demand it: verified against the system's authorities, with the host's name, 1.2 or newer.

    Made by hand and not by `ssl.create_default_context`, which would write session keys to a file that the environment
    names.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    return context


def mute_library() -> None:
    """Drop what the libraries log, at every level: their records quote URLs, and a read's URL holds the token.

    Dropped at each logger that exists, so that no level, handler or configuration of loggers brings them back.
    """
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"urllib3", "requests"}:
            logging.getLogger(name).addFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False


class _TimedPlain(HTTPConnection):
    response_class = TimedResponse


class _TimedSecure(HTTPSConnection):
    response_class = TimedResponse


class _TimedPool(HTTPConnectionPool):
    ConnectionCls: Any = _TimedPlain


class _TimedSecurePool(HTTPSConnectionPool):
    ConnectionCls: Any = _TimedSecure


def time_answers(pools: PoolManager) -> None:
    """Put every answer of a pool manager under a deadline of ten times its read timeout."""
    pools.pool_classes_by_scheme = {"http": _TimedPool, "https": _TimedSecurePool}


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return dial(self.host, self.port, timeout=cast("float", self.timeout))


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return dial(self.host, self.port, timeout=cast("float", self.timeout))


class Connection:
    """One connection for one request.

    Args:
        origin: Where to.
        timeout: Seconds for the name and the connection, and again for the TLS handshake as a whole.
        tls: A verifying context; needed for https.

    Raises:
        ValueError: The context would not verify.
    """

    def __init__(self, origin: Origin, *, timeout: float, tls: ssl.SSLContext | None) -> None:
        self._connection: HTTPConnection
        if origin.scheme == "http":
            self._connection = _Plain(origin.host, origin.port, timeout=timeout)
            return
        if tls is None or tls.verify_mode is not ssl.CERT_REQUIRED or not tls.check_hostname:
            raise ValueError("https needs a TLS context that verifies the certificate and the host's name")
        self._connection = _Secure(origin.host, origin.port, timeout=timeout, ssl_context=tls)

    def open(self) -> socket.socket:
        """Connect, and for https finish the handshake.

        Returns:
            The connected socket, owned by this connection.

        Raises:
            ConnectError: It did not succeed, for whatever reason.
        """
        try:
            self._connection.connect()
        except _ENDED_HANDSHAKE:
            raise ConnectError("the connection was closed during the TLS handshake") from None
        except ssl.SSLCertVerificationError as error:
            raise ConnectError(f"the certificate was refused: {error.verify_message}", untrusted=True) from None
        except ssl.SSLError as error:
            raise ConnectError(f"no TLS could be agreed: {error.reason or 'unknown reason'}", untrusted=True) from None
        except TimeoutError:
            raise ConnectError("the TLS handshake did not end in time") from None
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or type(error).__name__
            raise ConnectError(f"the connection broke during the TLS handshake: {words}") from None
        sock = self._connection.sock
        assert sock is not None  # connect() has returned
        return sock

    def close(self) -> None:
        """Close the socket, if there is one; never raises for the network: an outcome that is known must not get lost here."""
        with contextlib.suppress(OSError):  # some systems tell of a peer's reset here; the descriptor is free all the same
            self._connection.close()
