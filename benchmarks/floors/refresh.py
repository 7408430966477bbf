"""The least that asks for the statuses of every request and keeps them: ask, parse, compare, store in one durable step each.

Usage: python refresh.py STATE PORT, where STATE is one that campaignkit has sent with; only read for uuids and phones.
"""

import http.client
import json
import sqlite3
import sys
import tempfile
from array import array
from pathlib import Path

source = sqlite3.connect(sys.argv[1])
port = int(sys.argv[2])
requests = source.execute(
    "SELECT r.id, r.uuid, b.phones, b.statuses FROM request r JOIN batch b ON b.request_id = r.id WHERE r.state = 'accepted'"
).fetchall()
with tempfile.TemporaryDirectory(dir=Path(sys.argv[1]).parent) as folder:
    sql = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
    sql.execute("PRAGMA journal_mode = WAL")
    sql.execute("PRAGMA synchronous = FULL")
    sql.execute("CREATE TABLE request (id INTEGER PRIMARY KEY, statuses BLOB)")
    sql.execute("BEGIN")
    sql.executemany("INSERT INTO request VALUES (?, ?)", [(number, statuses) for number, _, _, statuses in requests])
    sql.execute("COMMIT")
    words: dict[str, int] = {}
    for number, uuid, packed, before in requests:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", f"/api/v1/statusBulkViber?token=t&uuid={uuid}", b"", {"Connection": "close"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        phones = array("q")
        phones.frombytes(packed)
        at = {phone: position for position, phone in enumerate(phones)}
        statuses = bytearray(before)
        for entry in answer:
            for person in entry["success"]:
                statuses[at[int(person["phone"])]] = words.setdefault(person["status"], len(words) + 1)
        if statuses != before:
            sql.execute("UPDATE request SET statuses = ? WHERE id = ?", (bytes(statuses), number))
    sql.close()
