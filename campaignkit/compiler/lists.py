"""A mailing to a list of the provider as the front child tells it: one delivery, whose people the provider alone knows."""

from __future__ import annotations

from array import array
from collections import Counter

from campaignkit.compiler.content import hosts_in, link_host
from campaignkit.compiler.definitions import MailingDefinition
from campaignkit.compiler.fingerprints import fingerprints_of
from campaignkit.model.mailings import LIST_PHONE
from campaignkit.protocol.messages import LIST_ELEMENT, Chunk, MailingEnd


def list_chunk(mailing: MailingDefinition, *, elements: bool) -> Chunk:
    """The one delivery; its element is a word that stands for the list."""
    text, link = mailing.once.get("text", ""), mailing.once.get("button_link", "")
    element = LIST_ELEMENT if elements else b""
    [print_] = fingerprints_of(mailing)([text], [link])
    widths = array("I", [len(element)] if elements else [])
    return Chunk(array("q", [LIST_PHONE]), print_, widths, element)


def list_end(mailing: MailingDefinition, outline: str) -> MailingEnd:
    """Figures about the one text that all get."""
    text, link = mailing.once.get("text", ""), mailing.once.get("button_link", "")
    hosts = Counter(hosts_in(text))
    if link:
        hosts[link_host(link) or ""] += 1
    return MailingEnd(
        rows=1, filtered=0, invalid=0, duplicate=0, suppressed=0, live=1, audience="", shortest=len(text), longest=len(text),
        characters=len(text), hosts=dict(hosts.most_common(50)), sample=text, sample_link=link, sample_phone=LIST_PHONE, outline=outline,
    )  # fmt: skip
