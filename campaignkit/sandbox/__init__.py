"""A stand-in for the provider, written from its documentation alone: nobody is messaged, everything is remembered.

It shares no code with the client it checks, so that a misreading of the document can't be right on both sides.
`server` runs it, `ledger` says what it truly accepted, `scenario` makes it misbehave.
"""
