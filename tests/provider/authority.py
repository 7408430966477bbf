"""A certificate authority made when the tests run, and peers that speak TLS with what it issues."""

from __future__ import annotations

import ssl
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    import socket

    from .peers import Peer, Script

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


class Authority:
    """Issues certificates for `localhost`; `file` is what a client must trust."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.file = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def trusted(self) -> ssl.SSLContext:
        """A verifying client that trusts this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.file)
        return context

    def server(self, name: str = "localhost", *, expired: bool = False) -> ssl.SSLContext:
        """A server with a certificate for a name."""
        valid = (LONG_AGO, datetime(2002, 1, 1, tzinfo=UTC)) if expired else (None, None)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(name, not_before=valid[0], not_after=valid[1]).configure_cert(context)
        return context

    def self_signed(self) -> ssl.SSLContext:
        """A server whose certificate is an authority's own."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        stranger = trustme.CA()
        with self.file.with_name("self-signed.pem").open("wb") as both:
            both.write(stranger.cert_pem.bytes() + stranger.private_key_pem.bytes())
        context.load_cert_chain(self.file.with_name("self-signed.pem"))
        return context

    def outdated(self) -> ssl.SSLContext:
        """A server that speaks TLS 1.0 and 1.1 only."""
        context = self.server()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the point
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        return context

    def asking_for_a_certificate(self) -> ssl.SSLContext:
        """A server that turns clients without a certificate away; with TLS 1.3 they hear of it after the handshake."""
        context = self.server()
        context.verify_mode = ssl.CERT_REQUIRED
        self._ca.configure_trust(context)
        return context

    def over_tls(self, script: Script, context: ssl.SSLContext | None = None) -> Script:
        """The same behaviour of a peer, spoken over TLS."""
        speaking = context or self.server()

        def wrapped(conn: socket.socket, peer: Peer) -> None:
            conn.settimeout(5)
            with speaking.wrap_socket(conn.dup(), server_side=True) as secure:
                script(secure, peer)

        return wrapped
