"""A campaign document to its mailings: names resolved, times placed, one-for-all content rendered and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from campaignkit.compiler.content import link_fault, text_fault
from campaignkit.compiler.doubts import doubts
from campaignkit.compiler.fingerprints import canonical_digest
from campaignkit.compiler.places import template_diagnostic
from campaignkit.compiler.schedule import BadTimeError, Schedule, in_minutes, schedule
from campaignkit.diagnostics import Diagnostic, Severity, did_you_mean, has_errors
from campaignkit.loading.nodes import Document, Pointer
from campaignkit.model.mailings import BULK, LIST, QUICK
from campaignkit.rendering.guard import examine
from campaignkit.rendering.messages import Renderer, RowError
from campaignkit.validation.checker import Found

PERSONAL = "personal"
_ONCE = ("image_url", "caption")
_EACH = ("text", "button_link")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the project and the environment say about every campaign."""

    timezone: str
    provider_timezone: str
    senders: dict[str, Any]
    limits: dict[str, Any]

    def severity(self, limit: str) -> Severity | None:
        """How an undocumented limit is reported: a warning by default."""
        word = str(self.limits.get(limit, "warn"))
        return {"warn": Severity.WARNING, "error": Severity.ERROR}.get(word)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingDefinition:
    """One mailing, complete but for its rows.

    `once` holds the rendered content that is the same for all; `each` the templates rendered for every row, empty for bulk.
    `sender` is the id that the API takes: of an alphaname for bulk mailings, else of a Viber name. `image` is a local picture's
    path and SHA-256.
    """

    document: Document
    pointer: Pointer
    campaign: str
    revision: int
    name: str
    message_type: str
    content_type: str
    sender: str
    schedule: Schedule | None
    constants: dict[str, str]
    once: dict[str, str]
    each: dict[str, str]
    audience: dict[str, Any]
    definition: str
    broken: bool
    """Something of it can't be sent: its names are still checked against its audience, its rows are not."""
    method: str = BULK
    list_id: str = ""
    expect: tuple[int | None, int | None] = (None, None)
    sms: tuple[str, int] = ("", 0)
    optouts_handled: bool = False
    image: tuple[str, str] = ("", "")
    vibername: str = ""
    """The Viber name of a bulk mailing's sender, if it has one: test messages go out under it."""

    @property
    def line(self) -> int:
        """The line on which the mailing begins."""
        return self.document.place(self.pointer).line

    @property
    def schedule_utc(self) -> str:
        """When it is sent, in UTC; empty for at once."""
        return self.schedule.utc.isoformat() if self.schedule else ""

    @property
    def fingerprint_kind(self) -> str:
        """How it is sent, as far as that changes what people get."""
        if self.method == QUICK:
            return f"quick sms={self.sms[0]}/{self.sms[1]}" if self.sms[1] else "quick"
        return f"list {self.list_id}" if self.method == LIST else self.message_type

    @property
    def picture(self) -> str:
        """Which picture it shows: an address, or the bytes by their hash."""
        return f"sha256:{self.image[1]}" if self.image[1] else self.once.get("image_url", "")


@dataclass(slots=True)
class Definitions:
    """What one campaign file defines, and everything wrong with it."""

    mailings: list[MailingDefinition] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)


def define(
    document: Document,
    faults: Sequence[Found],
    rules: Rules,
    begin: Callable[[], None] = lambda: None,
    images: Mapping[Pointer, tuple[str, str]] = MappingProxyType({}),
) -> Definitions:
    """The mailings of one campaign.

    Args:
        document: The parsed file.
        faults: What the schema found; a mailing with a fault inside is left out, the others are defined all the same.
        rules: Settings of project and environment.
        begin: Called before each mailing, so that a template that hangs is noticed.
        images: Path and SHA-256 of each mailing's local picture, by the mailing's pointer; none where it can't be sent.
    """
    result = Definitions()
    root: Any = document.root
    broken = {fault.pointer[1] for fault in faults if len(fault.pointer) > 1 and fault.pointer[0] == "mailings"}
    spoiled = {fault.pointer[0] for fault in faults if fault.pointer and fault.pointer[0] != "mailings"}
    mailings = root.get("mailings")
    if spoiled & {"campaign", "variables", "revision"} or not isinstance(mailings, list) or "campaign" not in root:
        return result
    constants = {name: document.text("variables", name) for name in root.get("variables") or {}}
    seen: dict[str, int] = {}
    for index, fields in enumerate(mailings):
        pointer: Pointer = ("mailings", index)
        if not isinstance(fields, dict):
            continue
        name = str(fields.get("name", ""))
        if name in seen:
            first = document.place(("mailings", seen[name])).line
            message = f"two mailings are called {name!r}; the first begins in line {first}"
            result.problems.append(Diagnostic(Severity.ERROR, "CK120", message, document.place((*pointer, "name"))))
        seen.setdefault(name, index)
        if index in broken or "sender" in spoiled or "schedule_time" in spoiled:
            continue
        begin()
        _Definer(document, pointer, root, fields, constants, rules, result, images.get(pointer)).define()
    return result


@dataclass(slots=True)
class _Definer:
    document: Document
    pointer: Pointer
    root: dict[str, Any]
    fields: dict[str, Any]
    constants: dict[str, str]
    rules: Rules
    result: Definitions
    image: tuple[str, str] | None

    @property
    def method(self) -> str:
        """How it is sent."""
        return str(self.fields.get("method", BULK))

    def define(self) -> None:
        before = len(self.result.problems)
        content = self.fields["content"]
        for name in ("text", "caption"):
            if name in content:
                self.result.problems += doubts(self.document, (*self.pointer, "content", name))
        method = self.method
        kind = str(self.fields["message_type"]) if method == BULK else PERSONAL if method == QUICK else ""
        personal = kind == PERSONAL
        sender = self._sender("alphaname_id" if method == BULK else "vibername_id")
        sms = self._sms()
        expect = self._expected()
        when = self._schedule()
        fixed = [name for name in (_ONCE if personal else (*_ONCE, *_EACH)) if name in content]
        once = {"type": str(content["type"])} | {name: self._once(name, str(content[name])) for name in fixed}
        utc = when.utc.isoformat() if when else ""
        definition = {
            "content": content,
            "type": kind,
            "sender": sender,
            "schedule": utc,
            "variables": self.constants,
        }
        if method != BULK:
            definition |= {"method": method, "list": str(self.fields.get("list_id", "")), "sms": sms, "image": (self.image or ("", ""))[1]}
        self.result.mailings.append(
            MailingDefinition(
                document=self.document,
                pointer=self.pointer,
                campaign=str(self.root["campaign"]),
                revision=int(self.fields.get("revision", self.root.get("revision", 1))),
                name=str(self.fields["name"]),
                message_type=kind,
                content_type=str(content["type"]),
                sender=sender,
                schedule=when,
                constants=self.constants,
                once=once,
                broken=has_errors(self.result.problems[before:]) or ("image" in content and self.image is None),
                method=method,
                list_id=str(self.fields.get("list_id", "")),
                expect=expect,
                sms=sms,
                optouts_handled="optouts" in self.fields,
                image=self.image or ("", ""),
                vibername=self._viber_name() if method == BULK else sender,
                each={name: str(content[name]) for name in _EACH if personal and name in content},
                audience=self.fields.get("audience") or {},
                definition=canonical_digest(definition),
            )
        )

    def _error(self, code: str, message: str, pointer: Pointer, hint: str = "") -> None:
        self.result.problems.append(Diagnostic(Severity.ERROR, code, message, self.document.place(pointer), hint))

    def _own(self, *keys: str) -> tuple[object, Pointer]:
        """The mailing's own value of the first key that stands there, else the campaign's; and where it stands."""
        for fields, pointer in ((self.fields, self.pointer), (self.root, ())):
            for key in keys:
                if fields.get(key) is not None:
                    return (key, fields[key]), (*pointer, key)
        return None, self.pointer

    def _sender(self, wanted: str) -> str:
        """The id of the sender that the method takes; one kind of id never stands in for the other."""
        found, pointer = self._own("sender", wanted)
        if not isinstance(found, tuple):
            message = "no sender: neither the mailing nor the campaign names one"
            if wanted == "vibername_id" and "alphaname_id" in self.root:
                message = f"no sender: a {self.method} mailing comes from a Viber name, and the campaign's alphaname_id is none"
            hint = "sender: shop" if wanted == "alphaname_id" else "vibername_id: 12, or a sender that has one in campaignkit.yaml"
            self._error("CK121", message, self.pointer, hint)
            return ""
        key, value = found
        return str(value) if key == wanted else self._named_sender(str(value), wanted, pointer)

    def _viber_name(self) -> str:
        """The Viber name of a mailing that does not need one."""
        found, _ = self._own("vibername_id", "sender")
        if not isinstance(found, tuple):
            return ""
        key, value = found
        return str(value if key == "vibername_id" else self.rules.senders.get(str(value), {}).get("vibername_id", ""))

    def _named_sender(self, value: str, wanted: str, pointer: Pointer) -> str:
        entry = self.rules.senders.get(value)
        if entry is None:
            self._error(
                "CK121",
                f"no sender is called {value!r} in campaignkit.yaml",
                pointer,
                did_you_mean(value, self.rules.senders),
            )
            return ""
        if wanted not in entry:
            what = "bulk mailings and SMS" if wanted == "alphaname_id" else "quick and list mailings"
            hint = f"{what} go by {wanted}: add it to the sender, or name another one"
            self._error("CK121", f"the sender {value!r} has no {wanted} in campaignkit.yaml", pointer, hint)
            return ""
        return str(entry[wanted])

    def _sms(self) -> tuple[str, int]:
        """The SMS sender that stands in for a quick message, and after how many minutes; nothing and 0 for none."""
        fields = self.fields.get("sms_fallback")
        if not isinstance(fields, dict):
            return "", 0
        after = int(fields["after_minutes"])
        if "alphaname_id" in fields:
            return str(fields["alphaname_id"]), after
        return self._named_sender(str(fields["sender"]), "alphaname_id", (*self.pointer, "sms_fallback", "sender")), after

    def _expected(self) -> tuple[int | None, int | None]:
        """The bounds of a list's subscribers."""
        fields = self.fields.get("expect_subscribers") or {}
        least, most = fields.get("min"), fields.get("max")
        if least is not None and most is not None and least > most:
            self._error("CK124", f"expect_subscribers: min {least:,} is above max {most:,}", (*self.pointer, "expect_subscribers"))
        return least, most

    def _schedule(self) -> Schedule | None:
        if self.fields.get("schedule_time", "") is None:
            return None  # an explicit null sends at once, whatever the campaign says
        found, pointer = self._own("schedule_time")
        if not isinstance(found, tuple):
            return None
        if self.method == QUICK:
            hint = "schedule_time: null on this mailing sends it at once; bulk and list mailings can be scheduled"
            message = f"the quick mailing {self.fields['name']!r} can't be scheduled: the provider sends it at once"
            self._error("CK501", message, pointer, hint)
            return None
        try:
            when = schedule(str(found[1]), author=self.rules.timezone, provider=self.rules.provider_timezone)
            return in_minutes(when) if self.method == LIST else when
        except BadTimeError as problem:
            self._error("CK501", str(problem), pointer)
            return None

    def _once(self, name: str, source: str) -> str:
        """Content that is the same for everyone: rendered here, with variables only."""
        pointer: Pointer = (*self.pointer, "content", name)
        _names, faults = examine(source, frozenset(self.constants))
        for fault in faults:
            found = template_diagnostic(self.document, pointer, source, fault)
            if fault.code == "CK202":
                where, otherwise = self._where_once(name)
                hint = fault.hint or f"put the value under variables{otherwise}"
                found = Diagnostic(
                    found.severity,
                    found.code,
                    f"{fault.message}; {where} only variables may be used",
                    found.place,
                    hint,
                )
            self.result.problems.append(found)
        if faults:
            return ""
        renderer = Renderer([source], self.constants)
        try:
            text = renderer.render()[0].replace("\r\n", "\n")
        except RowError as error:
            self._error("CK206", f"{name} can't be rendered: {error}", pointer)
            return ""
        if wrong := _wrong(name, text):
            self._error("CK401", f"{name}: {wrong}", pointer)
        if name == "caption":
            self._limit("caption", len(text), int(self.rules.limits.get("max_caption", 30)), pointer)
        if name == "text":
            self._limit("text", len(text), int(self.rules.limits.get("max_text", 1000)), pointer)
        return text

    def _where_once(self, name: str) -> tuple[str, str]:
        """Where this content is the same for all, and what the author may do about that beside using variables."""
        if self.method == LIST:
            return "in a list mailing", ", or send with method: quick, where each person has a text of their own"
        if self.fields.get("message_type") == "bulk":
            return "in a bulk mailing", ", or make the mailing personal"
        return f"in {name}, which there is once for all,", ""

    def _limit(self, name: str, length: int, most: int, pointer: Pointer) -> None:
        severity = self.rules.severity(name)
        if length > most and severity:
            message = f"the {name} has {length} characters; more than {most} may be cut or refused"
            hint = f"the provider documents no limit; limits: {{{name}: off}} in campaignkit.yaml silences this"
            self.result.problems.append(Diagnostic(severity, "CK402", message, self.document.place(pointer), hint))


def _wrong(name: str, text: str) -> str:
    """What forbids to send this content, or nothing; the 150 characters are for button links only."""
    if name == "button_link":
        return link_fault(text)
    if name == "image_url":
        return link_fault(text, longest=None)
    return text_fault(text)
