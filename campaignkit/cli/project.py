"""Opening a project for one command: its settings, its environment, its campaigns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from campaignkit.cli.options import Common
from campaignkit.intake.launch import Launched

if TYPE_CHECKING:
    from campaignkit.intake.talk import Front
    from campaignkit.model.settings import Environment, Project
    from campaignkit.protocol.messages import CampaignHead, Index


@dataclass(slots=True)
class Opened:
    """A project as one command sees it. `named` says whether the operator named the environment."""

    root: Path
    front: Front
    project: Project
    environment: Environment
    index: Index
    named: bool

    def select(self, names: Sequence[str]) -> list[CampaignHead]:
        """The campaign files that `names` mean: ids or files; all of them, if none is named.

        Raises:
            UsageError: A name means nothing here.
        """
        if not names:
            return list(self.index.campaigns)
        chosen: dict[str, CampaignHead] = {}
        for name in names:
            for head in self._find(name):
                chosen[head.path] = head
        return [head for head in self.index.campaigns if head.path in chosen]

    def known_campaigns(self, names: Sequence[str], in_state: Sequence[str]) -> list[str]:
        """Campaign ids that `names` mean, also of campaigns whose files are gone but which the state knows."""
        found: list[str] = []
        for name in names:
            if name in in_state:
                found.append(name)
            else:
                found += [head.campaign for head in self._find(name) if head.campaign]
        return list(dict.fromkeys(found))

    def _find(self, name: str) -> list[CampaignHead]:
        heads = self.index.campaigns
        by_id = [head for head in heads if head.campaign == name]
        if by_id:
            return by_id
        try:
            inside = Path(name).resolve().relative_to(self.root.resolve()).as_posix()
        except ValueError:
            inside = ""
        by_path = [head for head in heads if head.path in {name, inside}]
        if by_path:
            return by_path
        # A file that can't be read may be the one that was meant: its problems are the better answer.
        broken = [head for head in heads if not head.campaign]
        if broken:
            return broken
        from difflib import get_close_matches

        from campaignkit.errors import UsageError

        known = [head.campaign for head in heads]
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the project has: {', '.join(known) or 'none'}"
        raise UsageError(f"there is no campaign {name!r}; {hint}")


def start(common: Common) -> Front:
    """The front child of a project; a context manager. What a command imports after this is imported while the child starts."""
    child = Launched()
    try:
        from campaignkit.cli.progress import rows_read
        from campaignkit.intake.talk import Front
    except BaseException:  # a signal
        child.stop()
        raise
    extra = os.environ.get("CAMPAIGNKIT_AUDIENCES")
    return Front(common.project, audiences=Path(extra) if extra else None, told=rows_read(common.console), child=child)


def open_project(front: Front, common: Common, *, environment: str = "") -> Opened:
    """Read the project file and index its campaigns.

    Args:
        front: From `start`.
        common: The common options.
        environment: Overrides the named environment (a saved plan's).
    """
    project = front.project()
    chosen, named = choose_environment(project, environment or common.environment)
    index = front.index()
    return Opened(common.project, front, project, chosen, index, named)


def indexed(common: Common) -> Opened:
    """A project for a command that needs its settings and the places of its mailings, but no audience."""
    with start(common) as front:
        return open_project(front, common)


def choose_environment(project: Project, name: str) -> tuple[Environment, bool]:
    """The environment to work with, and whether it was named.

    Raises:
        UsageError: There is none of that name.
    """
    from campaignkit.errors import UsageError
    from campaignkit.intake.settings import overridden

    wanted = name or project.default_environment
    if wanted not in project.environments:
        raise UsageError(f"there is no environment {wanted!r} in campaignkit.yaml; it has: {', '.join(project.environments)}")
    base_url, state = os.environ.get("CAMPAIGNKIT_BASE_URL"), os.environ.get("CAMPAIGNKIT_STATE")
    return overridden(project.environments[wanted], base_url=base_url, state=state), bool(name or base_url)
