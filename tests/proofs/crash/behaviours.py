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


TAKEN = '{"success":"OK","uuid":"{uuid}"}'


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One way to treat a request.

    Attributes:
        accepts: Whether the people are messaged: then it stands in the log.
        status: HTTP status of the answer.
        body: The body; `{uuid}` stands for the request's own uuid, `{older}` for one that was given before.
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
    "accept_no_uuid": Behaviour(accepts=True, body='{"success":"OK"}'),
    "accept_empty": Behaviour(accepts=True, body=""),
    "accept_page": Behaviour(accepts=True, body="<html>Welcome</html>"),
    "accept_two_uuids": Behaviour(accepts=True, body='{"success":"OK","uuid":"{uuid}","uuid":"{older}"}'),
    "accept_older": Behaviour(accepts=True, body='{"success":"OK","uuid":"{older}"}'),
    "accept_303": Behaviour(accepts=True, status=303, body="", headers=ELSEWHERE),
    "accept_307": Behaviour(accepts=True, status=307, body="", headers=ELSEWHERE),
    "accept_408": Behaviour(accepts=True, status=408, body="<html>Request timeout</html>"),
    "accept_400_uuid": Behaviour(accepts=True, status=400, body='{"error":"odd","uuid":"{uuid}"}'),
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
