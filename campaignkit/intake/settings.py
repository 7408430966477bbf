"""The front child's word about the project, as the operator's typed settings."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from campaignkit.errors import RefusedError
from campaignkit.model.settings import SANDBOX_URL, Environment, Price, Project, ProviderBehaviour, StopRules
from campaignkit.protocol.messages import EnvironmentMessage, ProjectMessage

_LOOK = "campaignkit plan"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def project(message: ProjectMessage) -> Project:
    """The project's settings."""
    return Project(
        default_environment=message.default_environment,
        environments={found.name: _environment(found) for found in message.environments},
        timezone=message.timezone,
        price=Price(amount=_decimal(message.price) or Decimal(0), currency=message.currency) if message.price else None,
        batch_size=message.batch_size,
        first_batch=message.first_batch,
        batches_per_request=message.batches_per_request,
        optout_words=message.optout_words,
        settings_digests={found.name: found.settings_digest for found in message.environments},
    )


def _environment(message: EnvironmentMessage) -> Environment:
    return Environment(
        name=message.name,
        base_url=message.base_url,
        state=message.state,
        provider_timezone=message.provider_timezone,
        rate=message.rate,
        in_flight=message.in_flight,
        connect_timeout=message.connect_timeout,
        deadline=message.deadline,
        token_in=message.token_in,
        max_recipients=message.max_recipients,
        max_cost=_decimal(message.max_cost),
        callback_url=message.callback_url,
        plan_max_age=message.plan_max_age,
        horizon=message.horizon,
        release_after=message.release_after,
        stop_rules=StopRules(
            unknown_in_first=message.unknown_in_first,
            unknowns=message.unknowns,
            throttles=message.throttles,
            refusals=message.refusals,
        ),
        provider=ProviderBehaviour(
            throttled_is=message.throttled_is, error_in_200_is=message.error_in_200_is, drafts_are_inert=message.drafts_are_inert
        ),
        test_phones=message.test_phones,
        test_limit=message.test_limit,
        inbox_age=message.inbox_age,
    )


def _decimal(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None


def overridden(environment: Environment, *, base_url: str | None, state: str | None) -> Environment:
    """The environment with the operator's own `CAMPAIGNKIT_BASE_URL` and `CAMPAIGNKIT_STATE`.

    Raises:
        RefusedError: The URL is neither https, nor loopback, nor the sandbox.
    """
    if base_url:
        base_url = base_url.rstrip("/")
        try:
            parts = urlsplit(base_url)
            _ = parts.port
        except ValueError:
            raise RefusedError("CAMPAIGNKIT_BASE_URL is no URL. Nothing was sent.", next_command=_LOOK) from None
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        if base_url != SANDBOX_URL and not (safe and parts.hostname and not parts.username and not parts.query):
            message = "CAMPAIGNKIT_BASE_URL must be https (http only for loopback) without user or query. Nothing was sent."
            raise RefusedError(message, next_command=_LOOK)
        if base_url == SANDBOX_URL and not environment.is_sandbox:
            # The stand-in never writes where the real state belongs.
            environment = replace(environment, state=f"state/{environment.name}.sandbox.db")
        environment = replace(environment, base_url=base_url)
    return replace(environment, state=state) if state else environment
