"""Takes what the provider posts to `callback_url`, and keeps it: nothing else. It holds no token and settles nothing.

`server` listens, `incoming` reads one request within bounds, `inbox` keeps it, `dump` reads what a webhook elsewhere
wrote down.
"""
