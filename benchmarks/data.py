"""An invented project of one personal mailing, and an audience as untidy as real ones."""

from __future__ import annotations

import csv
import random
from collections import Counter
from pathlib import Path

TOKEN = "benchmark-token"

_PROJECT = """\
version: 1
campaigns: campaigns
timezone: Europe/Minsk
default_environment: bench
senders: {{shop: {{alphaname_id: 444}}}}
defaults: {{batch_size: {batch}, first_batch: 10, batches_per_request: 1}}
environments:
  bench:
    base_url: http://127.0.0.1:{port}
    state: state/bench.db
    rate: 100000/s
    max_recipients: 10000000
"""

# The two templates stand in floors/plan.py too; a run begins by comparing every message of both.
_CAMPAIGN = """\
campaign: big
sender: shop
variables: {shop_url: "https://shop.example.by"}
mailings:
  - name: invitation
    message_type: personal
    audience: {file: big.csv, on_invalid: skip}
    content:
      type: button
      text: "{{ first_name }}, у вас {{ points }} баллов{% if tier == 'gold' %} и подарок{% endif %}: ждём вас до воскресенья."
      image_url: https://shop.example.by/spring.jpg
      caption: Выбрать подарок
      button_link: "{{ shop_url }}/gift?c={{ customer_id | urlencode }}"
"""

_NAMES = ("Анна", "Ольга", "Мария", "Екатерина", "Наталья", "Иван", "Пётр", "Александр", "Алексей", "Дмитрий")
_WRITINGS = ("+375 {0} {1}-{2}-{3}", "8 (0{0}) {1}-{2}-{3}", "+375({0}){1}{2}{3}", "80{0}{1}{2}{3}")
_OTHERWISE_WRITTEN = 0.20
_DUPLICATE = 0.02
_INVALID = 0.005


def write_project(folder: Path, *, rows: int, port: int, batch: int = 100) -> Path:
    """Write the project; returns the path of its audience. The same rows each time."""
    (folder / "campaigns").mkdir(parents=True)
    (folder / "campaignkit.yaml").write_text(_PROJECT.format(port=port, batch=batch), encoding="utf-8")
    (folder / "campaigns" / "big.yaml").write_text(_CAMPAIGN, encoding="utf-8")
    audience = folder / "campaigns" / "big.csv"
    _write_audience(audience, rows)
    return audience


def _write_audience(path: Path, rows: int) -> None:
    chance = random.Random(1)
    recent: list[list[str]] = []
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["phone", "first_name", "points", "tier", "customer_id"])
        for number in range(rows):
            if recent and chance.random() < _DUPLICATE:
                table.writerow(chance.choice(recent))
                continue
            row = [
                "12345" if chance.random() < _INVALID else _phone(chance, number),
                chance.choice(_NAMES),
                str(chance.randrange(1000)),
                chance.choice(("gold", "silver")),
                f"C-{number:07}",
            ]
            table.writerow(row)
            if row[0] != "12345":
                recent = [*recent[-99:], row]


def append_rows(path: Path, rows: int, first: int) -> None:
    """New people at the end of an audience of `first` rows."""
    chance = random.Random(2)
    with path.open("a", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        for number in range(first, first + rows):
            table.writerow([_phone(chance, number), chance.choice(_NAMES), "7", "gold", f"C-{number:07}"])


def scatter_changes(path: Path, rows: int) -> None:
    """Other points for every so many people, so that `rows` lines change all over the file."""
    with path.open(encoding="utf-8") as stream:
        step = max(2, sum(1 for _ in stream) // rows)
    with path.open(encoding="utf-8") as stream:
        chosen = {line for at, line in enumerate(stream) if at % step == 1}
    with path.open(encoding="utf-8") as stream:
        times = Counter(line for line in stream if line in chosen)  # a person who stands there twice must not get two contents
    changed = path.with_name("changed.csv")
    with path.open(encoding="utf-8") as stream, changed.open("w", encoding="utf-8") as target:
        for line in stream:
            cells = line.rstrip().rsplit(",", 3)
            target.write(f"{cells[0]},1001,{cells[2]},{cells[3]}\n" if times[line] == 1 and len(cells) == 4 else line)
    changed.replace(path)


def _phone(chance: random.Random, number: int) -> str:
    operator = ("29", "33", "44")[number % 3]
    # An odd multiplier that is no multiple of 5 visits every number of the operator once, in no order.
    digits = f"{number // 3 * 7_368_787 % 7_000_000 + 3_000_000:07}"
    if chance.random() < _OTHERWISE_WRITTEN:
        return chance.choice(_WRITINGS).format(operator, digits[:3], digits[3:5], digits[5:])
    return f"375{operator}{digits}"
