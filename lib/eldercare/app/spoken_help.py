"""Help of the commands in the language of the run, each command with the option that asks for one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from unicodedata import east_asian_width

import click

from eldercare.messages import LANGUAGES, told


class InLanguage(click.HelpFormatter):
    """Writes help in the language of the run."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """How a command is called."""
        super().write_usage(prog, args, f"{told('Usage:')} " if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """The heading of a part."""
        self.write(f"{'':>{self.current_indent}}{told(f'{heading}:')}\n")

    def write_text(self, text: str) -> None:
        """What a command does."""
        super().write_text(_in_lines(text, self.width - self.current_indent))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Commands, arguments or options, each with what it does."""
        rows = list(rows)
        first = min(max(len(name) for name, _ in rows), col_max) + col_spacing
        width = self.width - first - self.current_indent
        super().write_dl([(name, _in_lines(text, width)) for name, text in rows], col_max)


def _in_lines(text: str, width: int) -> str:
    """A text in the language of the run; one without blanks is put into lines that click leaves as they are.

    width : columns, of which a Chinese sign takes two; no line begins with a sign that closes something
    """
    english = " ".join(text.split())
    shown = told(english)
    if shown == english:
        return text
    lines = [""]
    for part in re.findall(r"(?:[!-~]+|.)[，。；：、）］”]*", shown):
        columns = sum(1 + (east_asian_width(sign) in "WF") for sign in lines[-1] + part)
        lines[-1:] = [lines[-1] + part] if columns <= width else [lines[-1], part.lstrip()]
    return "\n".join(["\b", *lines])


class Spoken(click.Context):
    """A command as it is called, whose help is in the language of the run."""

    formatter_class = InLanguage


class Told(click.Command):
    """A command whose line in the list is told to its end, and whose language can be asked for behind it."""

    context_class = Spoken

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        if not any("--lang" in one.opts for one in self.params):
            self.params.append(language_option())

    def get_short_help_str(self, limit: int = 0) -> str:
        """The first paragraph of the help, never cut."""
        return (self.help or "").partition("\n\n")[0]


def language_option() -> click.Option:
    """The option that asks for a language."""
    return click.Option(
        ["--lang"],
        type=click.Choice(LANGUAGES),
        expose_value=False,
        help="Language of what is said (default: that of the system).",
    )


class InOrder(click.Group):
    """The commands as they stand below, most used first; an unknown one is answered with all there are."""

    command_class, context_class = Told, Spoken

    def list_commands(self, context: click.Context) -> list[str]:
        """The names in the order in which the commands were written, not that of the alphabet."""
        return list(self.commands)

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names."""
        try:
            return super().resolve_command(context, words)
        except click.NoSuchOption:
            raise
        except click.UsageError as error:
            known = f"{error.format_message()} There are: {', '.join(self.commands)}."
            raise click.UsageError(known, context) from error
