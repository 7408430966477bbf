"""Whom the front child names to the operator, in chunks: phones, fingerprints, and what the provider will read of each."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring

from campaignkit.compiler.parts import Part
from campaignkit.protocol.messages import CHUNK_ROWS, Chunk

_LARGEST_CHUNK = 4 * 1024 * 1024


class Chunks:
    """Gathers people and gives them away, a full chunk at a time.

    Args:
        emit: Takes each chunk.
        encode: Whether the elements of the delivery list are encoded, beside fingerprints.
        personal: Whether an element is an object, or the phone alone.
        fields: What is different in each element: `text`, `button_link`.
    """

    def __init__(self, emit: Callable[[Chunk], None], *, encode: bool, personal: bool, fields: Sequence[str]) -> None:
        self._emit, self._encode, self._personal = emit, encode, personal
        self._has_text, self._has_link = "text" in fields, "button_link" in fields
        self._phones, self._digests = array("q"), bytearray()
        self._widths, self._elements = array("I"), bytearray()

    def take(self, part: Part) -> None:
        """Add the people of a part."""
        encoded = [element.encode() for element in self._encoded(part)] if self._encode else []
        step = CHUNK_ROWS if sum(map(len, encoded)) <= _LARGEST_CHUNK // 4 else 1
        at, many = 0, len(part.phones)
        while at < many:
            end = min(at + step, at + CHUNK_ROWS - len(self._phones), many)
            self._phones.extend(part.phones[at:end])
            self._digests += b"".join(part.digests[at:end])
            self._widths.extend(map(len, encoded[at:end]))
            self._elements += b"".join(encoded[at:end])
            if len(self._phones) == CHUNK_ROWS or len(self._elements) > _LARGEST_CHUNK:
                self._give()
            at = end

    def finish(self) -> None:
        """Give away whom is left."""
        if self._phones:
            self._give()

    def _give(self) -> None:
        self._emit(Chunk(self._phones, bytes(self._digests), self._widths, bytes(self._elements)))
        self._phones, self._digests = array("q"), bytearray()
        self._widths, self._elements = array("I"), bytearray()

    def _encoded(self, part: Part) -> list[str]:
        if not self._personal:
            return [f'"{phone}"' for phone in part.phones]
        if self._has_text and self._has_link:
            return [
                f'{{"phone":"{phone}","text":{encode_basestring(text)},"button_link":{encode_basestring(link)}}}'
                for phone, text, link in zip(part.phones, part.texts, part.links, strict=True)
            ]
        if self._has_link:
            return [
                f'{{"phone":"{phone}","button_link":{encode_basestring(link)}}}'
                for phone, link in zip(part.phones, part.links, strict=True)
            ]
        if self._has_text:
            return [f'{{"phone":"{phone}","text":{encode_basestring(text)}}}' for phone, text in zip(part.phones, part.texts, strict=True)]
        return [f'{{"phone":"{phone}"}}' for phone in part.phones]
