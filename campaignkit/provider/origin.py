"""Where the provider is: a base URL, checked once, in its parts."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from campaignkit.errors import RefusedError

_PATH = re.compile(r"[A-Za-z0-9._~/-]*")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A checked base URL; `path` has no slash at its end."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as a `Host` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def url(self, path: str) -> str:
        """The URL of a path below this origin; the path begins with a slash."""
        return f"{self.scheme}://{self.authority}{self.path}{path}"


def parse_origin(base_url: str) -> Origin:
    """Take a base URL apart.

    Raises:
        RefusedError: It is no http(s) URL of a host, holds a user, a query or a fragment, or is plain http to anything
            but this machine: token and phones never travel unencrypted. The message does not quote the URL.
    """
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise RefusedError("base_url is no URL") from None
    if parts.scheme not in _PORTS or not host or not host.isascii() or not _PATH.fullmatch(parts.path):
        raise RefusedError("base_url must be an ASCII http(s) URL with a host")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise RefusedError("base_url must hold no user, password, query or fragment")
    if parts.scheme == "http" and not _is_loopback(host):
        raise RefusedError("base_url must be https: plain http is allowed to loopback addresses only")
    default = _PORTS[parts.scheme]
    return Origin(
        scheme=parts.scheme,
        host=host,
        port=default if port is None else port,
        path=parts.path.rstrip("/"),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
