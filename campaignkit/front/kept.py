"""Modules that may be needed once no file can be opened: read before, run only when something imports them.

To run the number plans of all countries takes longer than to plan a small project, and hardly an audience needs one.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import SOURCE_SUFFIXES, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType


def keep(package: str) -> int:
    """Keep what the modules of a package say, and import the package itself; returns how many there are.

    Args:
        package: Its name; its modules are files in its folder, and import nothing but it, each other and what is loaded by now.
    """
    found: dict[str, CodeType] = {}
    for folder in importlib.import_module(package).__path__:
        for file in Path(folder).iterdir():
            name = f"{package}.{file.stem}"
            if file.suffix in SOURCE_SUFFIXES and file.stem != "__init__" and name not in sys.modules:
                code = SourceFileLoader(name, str(file)).get_code(name)
                assert code is not None  # a file has code
                found[name] = code
    if found:
        sys.meta_path.insert(0, _Kept(found))
    return len(found)


class _Kept(MetaPathFinder, Loader):
    """Finds modules by their code instead of their files."""

    def __init__(self, codes: Mapping[str, CodeType]) -> None:
        self._codes = codes

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002 - the import system passes them
        """One of ours, or None."""
        return ModuleSpec(fullname, self) if fullname in self._codes else None

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        exec(self._codes[module.__name__], module.__dict__)  # noqa: S102 - what the import system does with any module
