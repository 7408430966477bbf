"""Loading for the tests of schemas/: YAML 1.2 scalars, no cleverness."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]


class Core(yaml.SafeLoader):
    """`22:56`, `no` and dates stay text; integers, floats, true, false and null are what they look like."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", "-0123456789"),
):
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def parse(text: str) -> Any:
    return yaml.load(text, Core)  # a SafeLoader with fewer types


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")))


def problems(name: str, document: Any) -> list[tuple[str, str]]:
    """Path and keyword of each error: messages are the library's and may change."""
    return sorted((error.json_path, str(error.validator)) for error in validator(name).iter_errors(document))
