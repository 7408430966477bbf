"""The one token of the tests, and where it must never stand: a scanner of files, outputs and exceptions for its many forms."""

from __future__ import annotations

import base64
import json
import subprocess
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

TOKEN = "canary-token-eyJpdiI6+tests/only=IjJzOFl"

SLICE = 12
"""Characters in a row that are a leak."""

HOLDER = "canary.token"
"""The name of a file in which a test gives the token to the program."""

_TESTS = Path(__file__).resolve().parent


def forms(token: str = TOKEN) -> dict[str, bytes]:
    """The token in every form in which it might get away, by name."""
    raw = token.encode()
    found = {
        "raw": raw,
        "reversed": raw[::-1],
        "URL": quote(token, safe="").encode(),
        "URL, small digits": quote(token, safe="").replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d").encode(),
        "URL path": quote(token).encode(),
        "double URL": quote(quote(token, safe=""), safe="").encode(),
        "JSON, escaped slashes": json.dumps(token)[1:-1].replace("/", "\\/").encode(),
        "JSON, escaped signs": "".join(c if c.isalnum() or c == "-" else f"\\u{ord(c):04x}" for c in token).encode(),
        "JSON, all escaped": "".join(f"\\u{ord(c):04x}" for c in token).encode(),
        "HTML": "".join(c if c.isalnum() or c == "-" else f"&#{ord(c)};" for c in token).encode(),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "UTF-16": token.encode("utf-16-le"),
    }
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw)
        sure = whole[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]  # the ends depend on the neighbours
        found[f"base64 at {shift}"] = sure
        found[f"base64 of URLs at {shift}"] = sure.translate(bytes.maketrans(b"+/", b"-_"))
    return found | {f"piece from {at}": raw[at : at + SLICE] for at in range(len(raw) - SLICE + 1)}


_FORMS = forms()


def leaks(data: bytes) -> list[str]:
    """The names of the forms in which the token stands in some bytes."""
    return [name for name, form in _FORMS.items() if form in data]


_LARGEST = 1 << 30


def leaking_files(folder: Path) -> Iterator[str]:
    """Every file below a folder in which the token stands in any form, also in its name, but for those that hold it on purpose."""
    for path in sorted(folder.rglob("*")):
        if found := leaks(str(path.relative_to(folder)).encode(errors="surrogateescape")):
            yield f"{path} (its name): {', '.join(found)}"
        if path.name == HOLDER or path.is_symlink() or not path.is_file():
            continue
        if path.stat().st_size > _LARGEST:
            yield f"{path}: too large to be looked through; the test must remove it"
        elif found := leaks(path.read_bytes()):
            yield f"{path}: {', '.join(found)}"


def assert_hidden(*texts: str | bytes) -> None:
    """No output holds the token."""
    for text in texts:
        found = leaks(text if isinstance(text, bytes) else text.encode(errors="surrogateescape"))
        assert not found, f"the token leaks: {found}"


class Watched(subprocess.Popen[str]):
    """A command whose outputs are looked through when it ends."""

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str, str]:  # noqa: A002 - its name
        out, err = super().communicate(input, timeout)
        assert_hidden(out or "", err or "")
        return out, err


def shown(error: BaseException) -> str:
    """Everything a tool could show of an exception: its words, those it came from, and the variables of our own frames."""
    return "\n".join(_shown(error, set()))


def _shown(error: BaseException | None, seen: set[int]) -> Iterator[str]:
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield f"{error!r} {error} {error.args!r} {getattr(error, '__notes__', '')}"
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if not Path(frame.f_code.co_filename).is_relative_to(_TESTS):  # a test's own variables may hold it
            yield from _variables(frame.f_locals.items(), frame.f_code.co_qualname)
    for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
        yield from _shown(other, seen)


def _variables(pairs: Iterable[tuple[str, object]], where: str) -> Iterator[str]:
    for name, value in pairs:
        yield f"{where}: {name} = {value!r}"
        if hasattr(value, "__dict__") and not isinstance(value, type | TracebackType):
            yield f"{where}: {name} holds {vars(value)!r}"
