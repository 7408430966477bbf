"""What `campaignkit.yaml` says, as the operator side knows it: frozen, typed, with every default filled in.

Built by `campaignkit.intake` from the front child's message; field names are the file's own keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

SANDBOX_URL = "sandbox"
"""The `base_url` that means the embedded stand-in provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRules:
    """When a run halts by itself; figures are counts of requests."""

    unknown_in_first: int = 3
    unknowns: int = 3
    throttles: int = 5
    refusals: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBehaviour:
    """How undocumented behaviours of the provider are read; the defaults are the safe ones."""

    throttled_is: str = "not_sent"
    error_in_200_is: str = "rejected"
    drafts_are_inert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A named target: its own origin, state, and limits. Times are seconds; `rate` is requests a second, 0 is no pace."""

    name: str
    base_url: str
    state: str
    provider_timezone: str = "Europe/Minsk"
    rate: float = 1.0
    in_flight: int = 1
    connect_timeout: float = 10.0
    deadline: float = 60.0
    token_in: str = "documented"  # noqa: S105 - the place of a token, not a token
    max_recipients: int | None = None
    max_cost: Decimal | None = None
    callback_url: str | None = None
    plan_max_age: float = 168 * 3600.0
    horizon: float = 72 * 3600.0
    release_after: float = 15 * 60.0
    test_phones: tuple[int, ...] = ()
    test_limit: int = 20
    inbox_age: float = 14 * 86400.0
    stop_rules: StopRules = field(default_factory=StopRules)
    provider: ProviderBehaviour = field(default_factory=ProviderBehaviour)

    @property
    def is_sandbox(self) -> bool:
        """Whether this is the embedded sandbox, where nobody is messaged."""
        return self.base_url == SANDBOX_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one message costs, for estimates."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The whole project file, as far as the operator side needs it."""

    default_environment: str
    environments: dict[str, Environment]
    timezone: str
    price: Price | None
    batch_size: int
    first_batch: int
    batches_per_request: int
    optout_words: tuple[str, ...] = ("stop", "стоп", "адпісацца")
    settings_digests: dict[str, str]
    """Per environment, the hash of every setting that a plan depends on."""
