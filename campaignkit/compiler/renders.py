"""The templates of a mailing for a part of its audience, all rows at once where that can be, under a watch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from campaignkit.rendering.messages import Renderer, RowError

TOGETHER_FROM: Final = 50
"""To compile templates for many rows costs what it saves on a few hundred."""


class Watch(Protocol):
    """Told which row is under way, so that a template that hangs is noticed."""

    row: int

    def many(self) -> None:
        """Many rows at once are under way."""
        ...

    def pause(self) -> None:
        """None is."""
        ...


def render_part(
    renderer: Renderer,
    names: Sequence[str],
    values: Sequence[Sequence[str]],
    rows: Sequence[int],
    watch: Watch,
    failed: Callable[[int, RowError], None],
    *,
    together_from: int = TOGETHER_FROM,
) -> list[list[str]]:
    """Render every template for each row.

    Args:
        renderer: Made for these names.
        names: Of the values of a row, in their order.
        values: Of each row.
        rows: Their numbers, for the watch.
        watch: Ends what does not come to an end.
        failed: Told at once of a row that can't be rendered, by its position, and why.
        together_from: As many rows are rendered at once; fewer one by one, which they are as well where that can't be.

    Returns:
        For each template, its text for each row; empty where it can't be rendered.
    """
    watch.many()
    found = renderer.render_all(values) if len(values) >= together_from else None
    if found is None:
        found = [[] for _ in range(renderer.many)]
        for at, (row, one) in enumerate(zip(rows, values, strict=True)):
            watch.row = row
            renderer.set(dict(zip(names, one, strict=True)))
            try:
                texts = renderer.render()
            except RowError as error:
                failed(at, error)
                texts = [""] * renderer.many
            for column, text in zip(found, texts, strict=True):
                column.append(text)
    watch.pause()
    return found
