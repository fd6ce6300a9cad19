"""Commands whose ``--help`` shows examples, one per line as they are typed. Only click is imported here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}  # Any: as click declares it


class TaughtCommand(click.Command):
    """``examples`` are whole command lines, every address in double quotes: right for bash, PowerShell and cmd alike."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:  # Any: those of click.Command
        super().__init__(*args, **{"context_settings": CONTEXT, **kwargs})
        self.examples = tuple(examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(self.examples, formatter)
        super().format_options(ctx, formatter)


class TaughtGroup(click.Group):
    """As ``TaughtCommand``."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:  # Any: those of click.Group
        super().__init__(*args, **{"context_settings": CONTEXT, **kwargs})
        self.examples = tuple(examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(self.examples, formatter)
        super().format_options(ctx, formatter)


def write_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    """Never folded: what is copied must be one line."""
    if examples:
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
