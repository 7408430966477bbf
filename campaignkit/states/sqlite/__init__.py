"""The state as one SQLite file: the only door for `sqlite3`. `opening` has its three entrances."""
