"""What starts the libraries that a plan needs and renders the example project's messages.

Usage: python example.py PROJECT
"""

import csv
import json
import sys
from pathlib import Path

import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from jsonschema import Draft202012Validator

root = Path(sys.argv[1])
schema = json.loads((root / "schemas" / "campaign.schema.json").read_text("utf-8"))
validator = Draft202012Validator(schema)
templates = SandboxedEnvironment(undefined=StrictUndefined)
templates.filters["plural"] = lambda _number, *forms: forms[0]
for path in sorted((root / "campaigns").glob("*.yaml")):
    document = yaml.safe_load(path.read_text("utf-8"))
    list(validator.iter_errors(document))
    for mailing in document["mailings"]:
        file = mailing["audience"].get("file")
        rows = list(csv.DictReader((root / "campaigns" / file).open(encoding="utf-8"))) if file else [{}]
        text = templates.from_string(mailing["content"]["text"])
        for row in rows:
            text.render({**document.get("variables", {}), **row})
