"""What anyone would write to prepare the same messages: read, tidy phones, drop repetitions, render, hash. Nothing is checked.

Usage: python plan.py AUDIENCE.csv
"""

import csv
import hashlib
import json
import re
import sys

from jinja2 import Environment, StrictUndefined

TEXT = "{{ first_name }}, у вас {{ points }} баллов{% if tier == 'gold' %} и подарок{% endif %}: ждём вас до воскресенья."
LINK = "{{ shop_url }}/gift?c={{ customer_id | urlencode }}"

templates = Environment(undefined=StrictUndefined)
templates.globals["shop_url"] = "https://shop.example.by"
text = templates.from_string(TEXT)
link = templates.from_string(LINK)
not_digit = re.compile("[^0-9]+")
belarusian = re.compile("(?:375|80)((?:25|29|33|44)[0-9]{7})")

seen = set()
digests = []
with open(sys.argv[1], encoding="utf-8", newline="") as stream:  # noqa: PTH123
    rows = csv.reader(stream)
    header = next(rows)
    for cells in rows:
        row = dict(zip(header, cells, strict=True))
        digits = belarusian.fullmatch(not_digit.sub("", row["phone"]))
        if not digits:
            continue
        phone = "375" + digits[1]
        if phone in seen:
            continue
        seen.add(phone)
        message = f"{phone}\0{text.render(row)}\0{link.render(row)}"
        digests.append(hashlib.blake2b(message.encode(), digest_size=16).digest())

print(json.dumps({"messages": len(digests), "digest": hashlib.blake2b(b"".join(digests), digest_size=16).hexdigest()}))
