"""The token: from the environment or a file that only its owner reads; never an argument, never in any output.

Once read it is gone from the environment, so that no program we start could inherit it, and no crash of this one leaves it
in a core file.
"""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

from campaignkit.errors import RefusedError
from campaignkit.model.secret import Secret
from campaignkit.model.settings import Environment

SANDBOX_TOKEN = "sandbox"  # noqa: S105 - the embedded sandbox takes any token
_LONGEST = 4096
_ROOT = 0


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
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    names = token_names(environment.name)
    given = {name: Secret(os.environ.pop(name, "")) for name in names}
    for name in names:
        if given[name]:
            return _checked(given[name], name)
        if path := os.environ.get(f"{name}_FILE"):
            return _checked(_from_file(Path(path), f"{name}_FILE"), f"{name}_FILE")
    raise RefusedError(
        f"no token for {environment.name}: set {names[0]} or {names[1]} (or the same with _FILE naming a file). Nothing was sent."
    )


def _from_file(path: Path, name: str) -> Secret:
    """The content of a token file; a link is followed, what counts is the file it leads to."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        raise RefusedError(f"the file that {name} names can't be read. Nothing was sent.") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LONGEST:
            raise RefusedError(f"{name} names no small regular file. Nothing was sent.")
        if problem := _exposed(found):
            way_out = "" if found.st_uid not in {os.geteuid(), _ROOT} else f'chmod 600 "${name}"'
            raise RefusedError(f"the file that {name} names {problem}. Nothing was sent.", next_command=way_out)
        return Secret(os.read(descriptor, _LONGEST + 1).decode("utf-8", "replace").strip())
    finally:
        os.close(descriptor)


def _exposed(found: os.stat_result) -> str:
    """Why a file is no place for a token, or nothing; root's files (mounted by orchestrators) have modes we can't choose."""
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "can be changed by others"
    if found.st_uid not in {os.geteuid(), _ROOT}:
        return "belongs to somebody else"
    if found.st_uid == os.geteuid() != _ROOT and found.st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return "can be read by others"
    return ""


def _checked(value: Secret, name: str) -> Secret:
    token = Secret(value.strip())
    if not token or len(token) > _LONGEST or any(not 33 <= ord(character) <= 126 or character in "\"'`" for character in token):
        raise RefusedError(f"{name} holds no token: empty, or with spaces, quotes or other characters no token has. Nothing was sent.")
    return token
