"""The published schemas as text: from the wheel, or from the checkout beside the package."""

from __future__ import annotations

from importlib.resources import files


def schema_text(name: str) -> str:
    """One schema by its file name."""
    package = files("campaignkit")
    inside = package / "_schemas" / name
    return (inside if inside.is_file() else package / ".." / "schemas" / name).read_text("utf-8")
