"""A front child that only says what a test gives it: files and templates are read elsewhere."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from campaignkit.diagnostics import Diagnostic, has_errors
from campaignkit.intake.talk import Front, Word
from campaignkit.model.mailings import FINGERPRINT_BYTES, LIST_PHONE
from campaignkit.protocol.messages import LIST_ELEMENT, Chunk, MailingEnd


class PlayedFront:
    """What the engine asks of `campaignkit.intake.talk.Front`: says these words, and has found `problems` when they are said."""

    def __init__(self, *words: Word, problems: Iterable[Diagnostic] = ()) -> None:
        self._words = words
        self._problems = tuple(problems)
        self.diagnostics: list[Diagnostic] = []
        self.asked: list[tuple[str, ...]] = []

    def run(self, paths: Sequence[str], *, environment: str, check: bool = False, elements: bool = False) -> Iterator[Word]:
        self.asked.append((environment, *paths))
        for word in self._words:
            yield replace(word, lengths=array("I"), elements=b"") if isinstance(word, Chunk) and not elements else word
        self.diagnostics += self._problems

    @property
    def failed(self) -> bool:
        return has_errors(self.diagnostics)

    def as_front(self) -> Front:
        """Itself, for those who ask for the one that starts a process."""
        return cast("Front", self)


def people(phones: Iterable[int], text: int = 0) -> Chunk:
    """Recipients of a bulk mailing; `text` stands for the content they get, so that another one makes other fingerprints."""
    column = array("q", phones)
    elements = [f'"{phone}"'.encode() for phone in column]
    prints = b"".join((phone * 64 + text).to_bytes(FINGERPRINT_BYTES, "little") for phone in column)
    return Chunk(column, prints, array("I", map(len, elements)), b"".join(elements))


def listed(text: int = 0) -> Chunk:
    """The one delivery of a mailing to a list of the provider."""
    prints = text.to_bytes(FINGERPRINT_BYTES, "little")
    return Chunk(array("q", [LIST_PHONE]), prints, array("I", [len(LIST_ELEMENT)]), LIST_ELEMENT)


def ended(live: int, *, audience: str = "", filtered: int = 0, invalid: int = 0, duplicate: int = 0, suppressed: int = 0) -> MailingEnd:
    """The end of a mailing with so many live recipients beside those who are out."""
    return MailingEnd(
        rows=live + filtered + invalid + duplicate + suppressed, filtered=filtered, invalid=invalid, duplicate=duplicate,
        suppressed=suppressed, live=live, audience=audience, shortest=2, longest=2, characters=2 * live, hosts={}, sample="Hi",
        sample_link="", sample_phone=0, outline="Hi",
    )  # fmt: skip
