"""What may become of one request, and what is known about one attempt at it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The five ends of one POST of a send."""

    ACCEPTED = "accepted"
    """The provider gave an id; for a confirmation, it said OK."""
    REJECTED = "rejected"
    """The provider definitely refused: nobody of it was messaged."""
    THROTTLED = "throttled"
    """429: not processed."""
    NOT_SENT = "not_sent"
    """No byte of the request was handed to the network."""
    UNKNOWN = "unknown"
    """Anything else: never repeated by the program."""


class Phase(StrEnum):
    """How far one attempt came on the wire; it decides, not the class of an exception."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    WRITING = "writing"
    WAITING = "waiting"
    ANSWERING = "answering"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """Everything known about one attempt to send one request.

    Attributes:
        outcome: One of the five ends.
        phase: How far it came.
        reason: One plain sentence for people; never holds the token.
        uuid: The provider's id, only when accepted: the `message_id` of a quick message or a draft, none of a confirmation.
        count: How many subscribers a draft would go to, where the answer says it.
        http_status: The answer's status, if its first line was read.
        answer: The raw body, bounded, with the token blotted out.
        bytes_written: Bytes of the request handed to the socket.
        retry_after: Seconds that the provider asked to wait, if it did.
        count: How many subscribers a created list mailing goes to, where the answer says so.
        halt: Whether the whole run must stop (401, 403, 404, redirects, a repeated uuid, bad TLS).
    """

    outcome: Outcome
    phase: Phase
    reason: str
    uuid: str = ""
    http_status: int | None = None
    answer: bytes = b""
    bytes_written: int = 0
    retry_after: float | None = None
    halt: bool = False
    count: int | None = None
