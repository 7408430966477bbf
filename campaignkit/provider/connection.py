"""The one door to urllib3: a fresh, verified connection to the provider, and nothing else.

urllib3's bare connection has no pool, no retries, no redirects, no cookies, no netrc and no proxies of the environment.
Up to here nothing has been sent, so every failure is a certain "not sent".
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NameResolutionError

if TYPE_CHECKING:
    import socket

    from campaignkit.provider.origin import Origin

TransportError = HTTPError
"""Whatever urllib3 raises while a body is read; for the reads, which catch it."""

_ENDED_HANDSHAKE = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


class ConnectError(Exception):
    """No connection came about; not one byte of a request was sent.

    Attributes:
        untrusted: Whether TLS itself failed (a bad certificate, no TLS at all): then the run must stop.
    """

    def __init__(self, reason: str, *, untrusted: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.untrusted = untrusted


def tls_context() -> ssl.SSLContext:
    """TLS as we demand it: verified against the system's authorities, with the host's name, 1.2 or newer.

    Made by hand and not by `ssl.create_default_context`, which would write session keys to a file that the environment
    names.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs()
    return context


class Connection:
    """One connection for one request.

    Args:
        origin: Where to.
        timeout: Seconds for the connection, and again for the TLS handshake as a whole.
        tls: A verifying context; needed for https.

    Raises:
        ValueError: The context would not verify.
    """

    def __init__(self, origin: Origin, *, timeout: float, tls: ssl.SSLContext | None) -> None:
        self._connection: HTTPConnection
        if origin.scheme == "http":
            self._connection = HTTPConnection(origin.host, origin.port, timeout=timeout)
            return
        if tls is None or tls.verify_mode is not ssl.CERT_REQUIRED or not tls.check_hostname:
            raise ValueError("https needs a TLS context that verifies the certificate and the host's name")
        self._connection = HTTPSConnection(origin.host, origin.port, timeout=timeout, ssl_context=tls)

    def open(self) -> socket.socket:
        """Connect, and for https finish the handshake.

        Returns:
            The connected socket, owned by this connection.

        Raises:
            ConnectError: It did not succeed, for whatever reason.
        """
        try:
            self._connection.connect()
        except NameResolutionError:
            raise ConnectError("the host's name could not be resolved") from None
        except _ENDED_HANDSHAKE:
            raise ConnectError("the connection was closed during the TLS handshake") from None
        except ssl.SSLCertVerificationError as error:
            raise ConnectError(f"the certificate was refused: {error.verify_message}", untrusted=True) from None
        except ssl.SSLError as error:
            raise ConnectError(f"no TLS could be agreed: {error.reason or 'unknown reason'}", untrusted=True) from None
        except TimeoutError:
            raise ConnectError("the TLS handshake did not end in time") from None
        except (HTTPError, OSError, ValueError) as error:
            raise ConnectError(f"no connection: {_cause(error)}") from None
        sock = self._connection.sock
        if sock is None:
            raise ConnectError("no connection: it was closed at once")
        return sock

    def close(self) -> None:
        """Close the socket, if there is one; never raises for the network."""
        try:
            self._connection.close()
        except OSError:
            # A peer's reset may surface here; the descriptor is free all the same.
            return


def _cause(error: BaseException) -> str:
    """What the system said, without the host and URL that urllib3 puts into its texts."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
