"""One message as one person gets it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Rendered content for one phone, or for a list of the provider; empty where the message has no such part."""

    campaign: str
    mailing: str
    phone: int
    type: str
    text: str
    image_url: str
    caption: str
    button_link: str
    at: str
    list_id: str = ""
