"""Values that are used and never shown.

Python shows values in places nobody thinks of: representations of objects that hold them, tracebacks with local variables,
debuggers. There, these stand as `[secret]`. Whoever formats one on purpose still gets it.
"""

from __future__ import annotations


class Secret(str):
    """A text, such as the token."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[secret]"


class SecretBytes(bytes):
    """Bytes with a secret somewhere in them, such as a request's body."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"[{len(self)} bytes with a secret]"
