"""Everything the operator and the front child say to each other.

The child hands back diagnostics and packed batches, never rows: the operator side trusts only these types and bounds.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass
from enum import IntEnum

from campaignkit.model.mailings import FINGERPRINT_BYTES, LIST_PHONE

LARGEST_IMAGE = 2 << 20
"""Bytes of a local picture; the provider documents no limit, this is ours: an upload goes out once for each person."""
LARGEST_SNAPSHOT = 256 << 20
"""Bytes of what is known of an audience that was read: 20 a row."""
LIST_ELEMENT = b'"list"'
"""Stands for the delivery element of a list of the provider."""
CHUNK_ROWS = 2_000


class Kind(IntEnum):
    """What a frame holds."""

    # operator → child
    START = 1
    FILE = 2
    FILES_END = 3
    SELECT = 4
    OPENED = 5
    REFUSED = 6
    # child → operator
    PROJECT = 16
    INDEX = 17
    DIAGNOSTIC = 18
    OPEN = 19
    MAILING = 20
    CHUNK = 21
    MAILING_END = 22
    PROGRESS = 23
    DONE = 24
    RESUME = 25
    RESUMED = 26
    SNAPSHOT = 27


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first word: what version the operator is. The project file follows as a `FILE`."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHead:
    """An open file comes with this frame; `path` is how diagnostics name it."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """What to do with the campaigns that were indexed.

    `paths` are the selected campaign files; `elements` asks for encoded delivery elements beside fingerprints, `check`
    stops before any of them; `environment` names the one whose provider time zone schedules are sent in. `keep` asks for
    snapshots of the audiences, `resume` names the mailings (campaign/name) of which there are some.
    """

    paths: tuple[str, ...]
    environment: str
    check: bool
    elements: bool
    keep: bool = False
    resume: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a file was not opened."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentMessage:
    """One environment with every default filled in; times in seconds, `rate` in requests a second (0: no pace)."""

    name: str
    base_url: str
    state: str
    provider_timezone: str
    rate: float
    in_flight: int
    connect_timeout: float
    deadline: float
    token_in: str
    max_recipients: int | None
    max_cost: str | None
    callback_url: str | None
    plan_max_age: float
    horizon: float
    release_after: float
    unknown_in_first: int
    unknowns: int
    throttles: int
    refusals: int
    throttled_is: str
    error_in_200_is: str
    settings_digest: str
    drafts_are_inert: bool = False
    test_phones: tuple[int, ...] = ()
    test_limit: int = 20
    inbox_age: float = 14 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectMessage:
    """The project file. `valid` is False where it has errors: then the diagnostics before it say why."""

    valid: bool
    campaigns: str
    timezone: str
    default_environment: str
    suppress: tuple[str, ...]
    price: str | None
    currency: str
    batch_size: int
    first_batch: int
    batches_per_request: int
    environments: tuple[EnvironmentMessage, ...]
    optout_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingHead:
    """A mailing as the index knows it; `moved_from` is empty where the file names none."""

    name: str
    revision: int
    line: int
    moved_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignHead:
    """A campaign file as the index knows it; `campaign` is empty where the file can't be read."""

    path: str
    campaign: str
    lifecycle: str
    revision: int
    moved_from: str
    accept_resend: int | None
    digest: str
    mailings: tuple[MailingHead, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """All campaign files of the project, in order."""

    campaigns: tuple[CampaignHead, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Please open this file: an audience named in the campaign file `beside`, or a suppression list of the project.

    Of an `image` the operator keeps the bytes: they are what is sent.
    """

    path: str
    beside: str
    image: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingMessage:
    """A mailing begins: all that is the same for each of its requests. `schedule_utc` is ISO 8601 or empty."""

    campaign: str
    revision: int
    mailing: str
    path: str
    line: int
    message_type: str
    content_type: str
    alphaname_id: str
    schedule_wire: str
    schedule_utc: str
    schedule_shown: str
    content: dict[str, str]
    definition: str
    method: str = "bulk"
    vibername_id: str = ""
    list_id: str = ""
    expect_min: int | None = None
    expect_max: int | None = None
    sms_alphaname_id: str = ""
    sms_after: int = 0
    optouts_handled: bool = False
    image_path: str = ""
    image_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingEnd:
    """A mailing ends: its rows accounted for, and figures about its texts.

    `sample` and `sample_link` are the first message as its person would get it, `sample_phone` that person; `outline` is
    the same with ‹names› for values. `audience` is the SHA-256 of the audience's bytes, empty for an inline one.
    """

    rows: int
    filtered: int
    invalid: int
    duplicate: int
    suppressed: int
    live: int
    audience: str
    shortest: int
    longest: int
    characters: int
    hosts: dict[str, int]
    sample: str
    sample_link: str
    sample_phone: int
    outline: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Signs of life: rows read so far in this mailing."""

    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Everything was said. `suppressions` is the SHA-256 over the suppression lists, which name so many phones."""

    suppressions: str
    suppressed_phones: int = 0


_CHUNK = struct.Struct("<III")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to `CHUNK_ROWS` people of the mailing: packed columns.

    `phones` are 8-byte little-endian integers, `fingerprints` 16 bytes each; `lengths` and `elements` hold the encoded
    delivery elements, both empty where none were asked for.
    """

    phones: array[int]
    fingerprints: bytes
    lengths: array[int]
    elements: bytes

    def pack(self) -> bytes:
        """The chunk as the payload of one frame."""
        head = _CHUNK.pack(len(self.phones), len(self.lengths), len(self.elements))
        return b"".join((head, self.phones.tobytes(), self.fingerprints, self.lengths.tobytes(), self.elements))

    @classmethod
    def unpack(cls, payload: bytes) -> Chunk:
        """The chunk of a frame.

        Raises:
            ValueError: Its columns don't agree.
        """
        if len(payload) < _CHUNK.size:
            raise ValueError("a chunk without a head")
        count, lengths, size = _CHUNK.unpack_from(payload)
        phones_end = _CHUNK.size + 8 * count
        prints_end = phones_end + FINGERPRINT_BYTES * count
        lengths_end = prints_end + 4 * lengths
        if count > CHUNK_ROWS or lengths not in {0, count} or lengths_end + size != len(payload):
            raise ValueError("the columns of a chunk don't agree")
        phones, widths = array("q"), array("I")
        phones.frombytes(payload[_CHUNK.size : phones_end])
        widths.frombytes(payload[prints_end:lengths_end])
        listed = count == 1 and phones[0] == LIST_PHONE
        if sum(widths) != size or (count and not listed and not 0 < min(phones) <= max(phones) <= 999_999_999_999_999):
            raise ValueError("the columns of a chunk don't agree")
        return cls(phones, payload[phones_end:prints_end], widths, payload[lengths_end:])
