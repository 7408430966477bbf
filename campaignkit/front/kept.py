"""Modules that may be needed once no file can be opened: read before, run only when something imports them.

To run the number plans of all countries takes longer than to plan a small project, and hardly an audience needs one.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

_ENDING = ".py"


def keep(package: str) -> int:
    """Keep what the modules of a package say, and import the package itself; returns how many there are.

    Args:
        package: Its name; its modules are files in its folder, and import nothing but it, each other and what is loaded by now.
    """
    found: dict[str, bytes] = {}
    for folder in importlib.import_module(package).__path__:
        for file in os.listdir(folder):  # noqa: PTH208 - hundreds of them: what a `Path` each costs is seen
            name = f"{package}.{file.removesuffix(_ENDING)}"
            if file.endswith(_ENDING) and file != "__init__.py" and name not in sys.modules:
                found[name] = Path(folder, file).read_bytes()
    if found:
        sys.meta_path.insert(0, _Kept(found))
    return len(found)


class _Kept(MetaPathFinder, Loader):
    """Finds modules by their text instead of their files; compiled only now, since hardly one is needed."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002 - the import system passes them
        """One of ours, or None."""
        return ModuleSpec(fullname, self) if fullname in self._texts else None

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        text = self._texts[module.__name__]
        exec(compile(text, module.__name__, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - what any import does
