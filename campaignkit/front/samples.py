"""What a mailing looks like where no value of a person may stand."""

from __future__ import annotations

import re

from campaignkit.compiler.definitions import MailingDefinition

_PRINTED = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)?[^}]*\}\}")
_CONTROL = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def outline(mailing: MailingDefinition) -> str:
    """The text with ‹name› for every value, and conditions left out."""
    once = mailing.once
    source = mailing.each.get("text") or once.get("text") or once.get("caption") or once.get("image_url") or mailing.image[0]

    def shown(match: re.Match[str]) -> str:
        name = match[1] or "…"
        return mailing.constants.get(name) or f"‹{name}›"

    # The search begins anew at every brace: what is never shown is not searched.
    return _CONTROL.sub("", _PRINTED.sub(shown, source[:2_000])).strip()[:500]
