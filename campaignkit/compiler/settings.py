"""`campaignkit.yaml` as typed settings, with every default of the design filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from campaignkit.audience.phones import BadPhoneError, normal
from campaignkit.compiler.fingerprints import canonical_digest
from campaignkit.compiler.schedule import BadTimeError, zone
from campaignkit.diagnostics import Diagnostic, Severity, did_you_mean, has_errors
from campaignkit.loading.events import load
from campaignkit.loading.nodes import Document, Pointer
from campaignkit.protocol.messages import EnvironmentMessage, ProjectMessage
from campaignkit.validation.checker import check, shown
from campaignkit.validation.schemas import PROJECT

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|min|h|d)?")
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*/\s*([0-9]*)(s|min|m|h)")
_LOOPBACK = re.compile(r"http://(?:127(?:\.[0-9]{1,3}){3}|localhost|\[::1\])(?::[0-9]{1,5})?(?:/.*)?")
SANDBOX = "sandbox"
DEFAULT_OPTOUT_WORDS = ("stop", "стоп", "адпісацца")
# What decides nothing about what is sent is no part of a plan's digest: where something is kept, test messages, replies.
_ASIDE = {
    *("state", "campaigns", "suppress", "environments", "default_environment"),
    *("test_phones", "test_limit", "inbox_age", "optout_words"),
}


def seconds(text: object) -> float:
    """A duration (`10s`, `500ms`, `2m`, `72h`) in seconds; a bare number counts seconds."""
    match = _DURATION.fullmatch(str(text))
    return float(match[1]) * _UNITS[match[2] or "s"] if match else 0.0


def per_second(text: object) -> float:
    """A rate (`1/s`, `30/min`) in requests a second; 0 means no pace."""
    match = _RATE.fullmatch(str(text))
    return float(match[1]) / (_UNITS[match[3]] * float(match[2] or 1)) if match else 0.0


def read_project(path: str, data: bytes) -> tuple[Document | None, ProjectMessage, list[Diagnostic]]:
    """The project file as a message for the operator; `valid` is False where it has errors."""
    document, problems = load(path, data)
    if document is not None:
        problems += shown(check(document, PROJECT))
        if not has_errors(problems):
            problems += _rules(document)
    if document is None or has_errors(problems):
        return document, _message({}, valid=False), problems
    assert isinstance(document.root, dict)
    return document, _message(document.root, valid=True), problems


def _rules(document: Document) -> list[Diagnostic]:
    root: Any = document.root
    found: list[Diagnostic] = []

    def error(code: str, message: str, *pointer: str | int, hint: str = "") -> None:
        found.append(Diagnostic(Severity.ERROR, code, message, document.place(pointer), hint))

    zones: list[tuple[Any, tuple[str, ...]]] = [(root.get("timezone"), ("timezone",))]
    names = root.get("environments", {})
    if root.get("default_environment") not in {None, *names}:
        name = str(root["default_environment"])
        error("CK110", f"no environment is called {name!r}", "default_environment", hint=did_you_mean(name, names))
    states: dict[str, str] = {}
    for name, environment in names.items():
        where = ("environments", name)
        zones.append((environment.get("provider_timezone"), (*where, "provider_timezone")))
        url = str(environment.get("base_url", SANDBOX))
        if url != SANDBOX and not url.startswith("https://") and not _LOOPBACK.fullmatch(url):
            hint = "http:// is for loopback only: the token would travel readable"
            error("CK111", f"base_url {url!r} is not https", *where, "base_url", hint=hint)
        if "@" in url or "?" in url or "#" in url:
            error("CK111", "base_url may hold no user, query or fragment", *where, "base_url")
        state = str(environment.get("state", f"state/{name}.db"))
        if states.setdefault(state, name) != name:
            error("CK112", f"the environments {states[state]!r} and {name!r} share a state", *where, "state")
    for pointer, bad in _bad_phones(names):
        error("CK310", f"bad phone: {bad}", *pointer)
    for pointer, unknown in _bad_zones(zones):
        error("CK113", str(unknown), *pointer)
    return found


def _bad_zones(zones: list[tuple[Any, tuple[str, ...]]]) -> Iterator[tuple[Pointer, BadTimeError]]:
    """Time zones that there are not, with their places."""
    for written, pointer in zones:
        if written is not None:
            try:
                zone(str(written))
            except BadTimeError as problem:
                yield pointer, problem


def _bad_phones(environments: dict[str, Any]) -> Iterator[tuple[Pointer, BadPhoneError]]:
    """Test phones that are none, with their places."""
    for name, environment in environments.items():
        for index, phone in enumerate(environment.get("test_phones") or ()):
            try:
                _phone(phone)
            except BadPhoneError as problem:
                yield ("environments", name, "test_phones", index), problem


def _phone(written: object) -> int:
    found = normal(str(written))
    return found if isinstance(found, int) else found.phone


def _message(root: dict[str, Any], *, valid: bool) -> ProjectMessage:
    defaults = root.get("defaults") or {}
    amount, _, currency = str(root.get("price") or "").partition(" ")
    environments = root.get("environments") or {SANDBOX: {"base_url": SANDBOX}}
    shared = {key: value for key, value in root.items() if key not in _ASIDE}
    return ProjectMessage(
        valid=valid,
        campaigns=str(root.get("campaigns", "campaigns")),
        timezone=str(root.get("timezone", "Europe/Minsk")),
        default_environment=str(root.get("default_environment") or SANDBOX),
        suppress=tuple(str(file) for file in root.get("suppress") or ()),
        price=amount or None,
        currency=currency.strip(),
        batch_size=int(defaults.get("batch_size", 100)),
        first_batch=int(defaults.get("first_batch", 10)),
        batches_per_request=int(defaults.get("batches_per_request", 1)),
        optout_words=tuple(str(word) for word in root.get("optout_words", DEFAULT_OPTOUT_WORDS)),
        environments=tuple(_environment(name, fields, shared) for name, fields in environments.items()),
    )


def _environment(name: str, fields: dict[str, Any], shared: dict[str, Any]) -> EnvironmentMessage:
    rules, provider = fields.get("stop_rules") or {}, fields.get("provider") or {}
    base_url = str(fields.get("base_url", SANDBOX)).rstrip("/")
    cost = str(fields["max_cost"]).partition(" ")[0] if fields.get("max_cost") is not None else None
    own = {key: value for key, value in fields.items() if key not in _ASIDE}
    return EnvironmentMessage(
        name=name,
        base_url=base_url,
        state=str(fields.get("state", f"state/{name}.db")),
        provider_timezone=str(fields.get("provider_timezone", "Europe/Minsk")),
        rate=per_second(fields["rate"]) if "rate" in fields else 0.0 if base_url == SANDBOX else 1.0,
        in_flight=int(fields.get("in_flight", 1)),
        connect_timeout=seconds(fields.get("connect_timeout", "10s")),
        deadline=seconds(fields.get("deadline", "60s")),
        token_in=str(fields.get("token_in", "documented")),
        max_recipients=fields.get("max_recipients"),
        max_cost=cost,
        callback_url=fields.get("callback_url"),
        plan_max_age=seconds(fields.get("plan_max_age", "168h")),
        horizon=seconds(fields.get("horizon", "72h")),
        release_after=seconds(fields.get("release_after", "0s" if base_url == SANDBOX else "15m")),
        unknown_in_first=int(rules.get("unknown_in_first", 3)),
        unknowns=int(rules.get("unknowns", 3)),
        throttles=int(rules.get("throttles", 5)),
        refusals=int(rules.get("refusals", 3)),
        throttled_is=str(provider.get("throttled_is", "not_sent")),
        error_in_200_is=str(provider.get("error_in_200_is", "rejected")),
        drafts_are_inert=bool(provider.get("drafts_are_inert", False)),
        test_phones=tuple(_phone(phone) for phone in fields.get("test_phones") or ()),
        test_limit=int(fields.get("test_limit", 20)),
        inbox_age=seconds(fields.get("inbox_age", "336h")),
        settings_digest=canonical_digest({"shared": shared, "environment": own}),
    )
