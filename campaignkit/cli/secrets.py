"""The token: from the environment or a file that only its owner reads; never an argument, never in any output."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from campaignkit.errors import RefusedError
from campaignkit.model.settings import Environment

SANDBOX_TOKEN = "sandbox"  # noqa: S105 - the embedded sandbox takes any token
_LONGEST = 4096


def token_names(environment: str) -> tuple[str, str]:
    """The variables that may hold the token of an environment, in the order they are asked."""
    return f"CAMPAIGNKIT_TOKEN_{environment.upper().replace('-', '_')}", "CAMPAIGNKIT_TOKEN"


def read_token(environment: Environment) -> str:
    """The token of an environment.

    Raises:
        RefusedError: There is none, or it can't be one; the message never holds it.
    """
    if environment.is_sandbox:
        return SANDBOX_TOKEN
    names = token_names(environment.name)
    for name in names:
        if value := os.environ.get(name):
            return _checked(value, name)
        if path := os.environ.get(f"{name}_FILE"):
            return _checked(_from_file(Path(path), f"{name}_FILE"), f"{name}_FILE")
    raise RefusedError(
        f"no token for {environment.name}: set {names[0]} or {names[1]} (or the same with _FILE naming a file). Nothing was sent."
    )


def _from_file(path: Path, name: str) -> str:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LONGEST:
            raise RefusedError(f"{name} names no small regular file. Nothing was sent.")
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise RefusedError(f"the file that {name} names can't be read. Nothing was sent.") from None


def _checked(value: str, name: str) -> str:
    token = value.strip()
    if not token or len(token) > _LONGEST or any(not 33 <= ord(character) <= 126 for character in token):
        raise RefusedError(f"{name} holds no token: empty, or with spaces, quotes or other characters no token has. Nothing was sent.")
    return token
