"""What the simulated provider can do with one request: whether it takes it, and what the client gets to hear."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """How the connection ends beside the bytes of the answer."""

    WHOLE = "whole"
    CUT = "cut"
    """In the middle of the body, by a close."""
    HEAD_CUT = "head_cut"
    """In the middle of the headers."""
    CLOSE = "close"
    RESET = "reset"
    SILENT = "silent"
    """Nothing, until the client gives up."""
    DRIP = "drip"
    """A byte now and then, until the client gives up."""


BULK, QUICK, LIST, CONFIRM = "bulk", "quick", "list", "confirm"
"""What is asked for: the three ways to send, and the second step of a list mailing."""

TAKEN, BARE, TWO, OLDER, ODD = "{taken}", "{bare}", "{two}", "{older}", "{odd}"
"""Bodies that each method words in its own way: a plain yes, one without its sign, one said twice, that of another one, a yes within
a no."""

_CREATED = '{"status":"OK","result":{"message_id":{id},"count_subscribers":4}}'
SHAPES = {
    BULK: {
        TAKEN: '{"success":"OK","uuid":"{id}"}',
        BARE: '{"success":"OK"}',
        TWO: '{"success":"OK","uuid":"{id}","uuid":"{other}"}',
        OLDER: '{"success":"OK","uuid":"{other}"}',
        ODD: '{"error":"odd","uuid":"{id}"}',
    },
    QUICK: {
        TAKEN: '{"status":"OK","result":{"message_id":{id}}}',
        BARE: '{"status":"OK","result":{}}',
        TWO: '{"status":"OK","result":{"message_id":{id},"viber_id":{other}0}}',
        OLDER: '{"status":"OK","result":{"message_id":"{other}"}}',
        ODD: '{"error":"odd","message_id":{id}}',
    },
    LIST: {
        TAKEN: _CREATED,
        BARE: '{"status":"OK","result":{"count_subscribers":4}}',
        TWO: '{"status":"OK","result":{"message_id":{id},"viber_id":{other}0}}',
        OLDER: '{"status":"OK","result":{"message_id":"{other}"}}',
        ODD: '{"error":"odd","message_id":{id}}',
    },
    CONFIRM: {
        TAKEN: '{"status":"OK"}',
        BARE: '{"status":"TAKEN"}',
        TWO: '{"status":"OK","status":"ERROR"}',
        OLDER: '{"status":"OK","result":{"message_id":{other}}}',
        ODD: '{"error":"odd","status":"OK"}',
    },
}
"""The bodies, by method; `{id}` stands for what this request's thing is called, `{other}` for one that was made before."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One way to treat a request.

    Attributes:
        accepts: Whether the people are messaged, or a draft is made: then it stands in the log.
        status: HTTP status of the answer.
        body: The body, or which of `SHAPES` it has.
        headers: More lines of the head.
        ending: How the connection ends.
        early: Answers once it has the head, before the body came.
        delay: Seconds before the answer.
    """

    accepts: bool
    status: int = 200
    body: str = TAKEN
    headers: str = ""
    ending: Ending = Ending.WHOLE
    early: bool = False
    delay: float = 0.0

    @property
    def heard(self) -> bool:
        """Whether the client hears a plain acceptance, whole and at once."""
        return self.accepts and self.ending is Ending.WHOLE and self.body == TAKEN and self.status < 300


ELSEWHERE = "Location: {path}\r\n"

BEHAVIOURS = {
    "accept": Behaviour(accepts=True),
    "accept_slow": Behaviour(accepts=True, delay=0.03),
    "accept_202": Behaviour(accepts=True, status=202),
    "accept_close": Behaviour(accepts=True, ending=Ending.CLOSE),
    "accept_reset": Behaviour(accepts=True, ending=Ending.RESET),
    "accept_silent": Behaviour(accepts=True, ending=Ending.SILENT),
    "accept_drip": Behaviour(accepts=True, ending=Ending.DRIP),
    "accept_cut": Behaviour(accepts=True, ending=Ending.CUT),
    "accept_head_cut": Behaviour(accepts=True, ending=Ending.HEAD_CUT),
    "accept_500": Behaviour(accepts=True, status=500, body='{"error":"Server unavailable"}'),
    "accept_502": Behaviour(accepts=True, status=502, body="<html>Bad gateway</html>"),
    "accept_no_uuid": Behaviour(accepts=True, body=BARE),
    "accept_empty": Behaviour(accepts=True, body=""),
    "accept_page": Behaviour(accepts=True, body="<html>Welcome</html>"),
    "accept_two_uuids": Behaviour(accepts=True, body=TWO),
    "accept_older": Behaviour(accepts=True, body=OLDER),
    "accept_303": Behaviour(accepts=True, status=303, body="", headers=ELSEWHERE),
    "accept_307": Behaviour(accepts=True, status=307, body="", headers=ELSEWHERE),
    "accept_408": Behaviour(accepts=True, status=408, body="<html>Request timeout</html>"),
    "accept_400_uuid": Behaviour(accepts=True, status=400, body=ODD),
    "refuse_400": Behaviour(accepts=False, status=400, body='{"error":"Content url is not valid"}'),
    "refuse_413_early": Behaviour(accepts=False, status=413, body='{"error":"too large"}', early=True),
    "refuse_200": Behaviour(accepts=False, body='{"error":"alphaname is not yours"}'),
    "refuse_403": Behaviour(accepts=False, status=403, body='{"error":"token is not valid"}'),
    "refuse_404": Behaviour(accepts=False, status=404, body='{"error":"not found"}'),
    "throttle_429": Behaviour(accepts=False, status=429, body='{"error":"Request limit exceeded"}', headers="Retry-After: 1\r\n"),
    "throttle_403": Behaviour(accepts=False, status=403, body='{"error":"limit excided"}'),
    "lose_500": Behaviour(accepts=False, status=500, body='{"error":"Server unavailable"}'),
    "lose_close": Behaviour(accepts=False, ending=Ending.CLOSE),
    "lose_reset_early": Behaviour(accepts=False, ending=Ending.RESET, early=True),
}

READS = ("plain", "lag", "odd", "no_status", "error_500", "page", "not_found", "close", "cut", "silent")
"""What can be answered to one question about a message: the truth; what stood there before the last confirm of this run; a word that
nobody knows; none; and the ways in which an answer gets lost."""
