"""The least that sends with the same promise: a durable key for each delivery in one transaction, keys in order; then for each request
connect, commit the intent, post, read, commit the outcome; one request at a time.

Usage: python send.py BODIES PORT DATABASE, where BODIES holds one request body a line.
"""

import http.client
import json
import sqlite3
import sys

bodies_path, port, database = sys.argv[1:]
with open(bodies_path, "rb") as stream:  # noqa: PTH123
    bodies = stream.read().splitlines()

sql = sqlite3.connect(database, isolation_level=None)
sql.execute("PRAGMA journal_mode = WAL")
sql.execute("PRAGMA synchronous = FULL")
sql.execute("CREATE TABLE request (id INTEGER PRIMARY KEY, state TEXT NOT NULL, uuid TEXT)")
sql.execute("CREATE TABLE claim (phone INTEGER PRIMARY KEY, request INTEGER NOT NULL) WITHOUT ROWID")
phones = [
    (int(person["phone"]), number)
    for number, body in enumerate(bodies)
    for message in json.loads(body)["messages"]
    for person in message["delivery_list"]
]

print(json.dumps({"type": "begin"}), flush=True)
sql.execute("BEGIN")
sql.executemany("INSERT INTO request VALUES (?, 'planned', NULL)", [(number,) for number in range(len(bodies))])
phones.sort()
sql.executemany("INSERT INTO claim VALUES (?, ?)", phones)
sql.execute("COMMIT")
for number, body in enumerate(bodies):
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    connection.connect()
    sql.execute("UPDATE request SET state = 'intent' WHERE id = ?", (number,))
    connection.request("POST", "/api/v1/sendBulkViber", body, {"Content-Type": "application/json", "Connection": "close"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    sql.execute("UPDATE request SET state = 'accepted', uuid = ? WHERE id = ?", (answer["uuid"], number))
print(json.dumps({"type": "end", "requests": len(bodies)}), flush=True)
