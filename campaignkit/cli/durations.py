"""Durations as options take them."""

from __future__ import annotations

import re

import click

_SHAPE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h)", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType[float]):
    """Seconds, written with their unit: 500ms, 30s, 2m, 1h."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds; wrong usage for anything else."""
        if isinstance(value, float):
            return value
        match = _SHAPE.fullmatch(str(value))
        if match is None:
            self.fail(f"a duration is a number with its unit, as 30s or 2m, not {value!r}.", param, ctx)
        return float(match[1]) * _UNITS[match[2]]
