"""What checks many campaign files with the same libraries: libyaml, jsonschema compiled once, templates compiled by Jinja.

Usage: python validate.py FOLDER SCHEMA.json
"""

import json
import sys
from pathlib import Path

import yaml
from jinja2 import Environment
from jsonschema import Draft202012Validator

loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
validator = Draft202012Validator(json.loads(Path(sys.argv[2]).read_text("utf-8")))
templates = Environment()
faults = 0
for path in sorted(Path(sys.argv[1]).glob("*.yaml")):
    document = yaml.load(path.read_bytes(), loader)
    faults += sum(1 for _ in validator.iter_errors(document))
    for mailing in document["mailings"]:
        for value in mailing["content"].values():
            templates.compile(value)
print(faults)
