"""Whom the front child names to the operator, in chunks: phones, fingerprints, and what the provider will read of each."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring

from campaignkit.compiler.parts import Part
from campaignkit.protocol.messages import CHUNK_ROWS, FINGERPRINT_BYTES, Chunk

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
        if not self._encode:
            self._phones.extend(part.phones)
            self._digests += b"".join(part.digests)
            while len(self._phones) >= CHUNK_ROWS:
                self._give()
            return
        for phone, digest, element in zip(part.phones, part.digests, self._encoded(part), strict=True):
            encoded = element.encode()
            self._phones.append(phone)
            self._digests += digest
            self._widths.append(len(encoded))
            self._elements += encoded
            if len(self._phones) == CHUNK_ROWS or len(self._elements) > _LARGEST_CHUNK:
                self._give()

    def finish(self) -> None:
        """Give away whom is left."""
        if self._phones:
            self._give()

    def _give(self) -> None:
        """The first so many people; where elements are encoded, there are never more."""
        end = CHUNK_ROWS * FINGERPRINT_BYTES
        self._emit(Chunk(self._phones[:CHUNK_ROWS], bytes(self._digests[:end]), self._widths, bytes(self._elements)))
        del self._phones[:CHUNK_ROWS], self._digests[:end]
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
