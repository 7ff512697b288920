"""placed(1): every command, from its `--help`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.main import get_command

from placed.cli.commands import app
from systemd.debian.manual.roff import Page, bold, escaped, italic, prose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

_FILES = {
    "/etc/placed/placed.toml": "The configuration; placed.toml(5).",
    "/etc/placed/placed.d/*.toml": "Further configuration files, in the order of their names.",
    "/etc/placed/secrets/": "Keys, passwords and tokens, for root only; systemd passes them to the service.",
    "/var/lib/placed/": "The stored state of the service.",
    "/usr/share/doc/placed/": "Pages for building IT, the tenant's administrator, panel makers, staff.",
}
_ENVIRONMENT = {
    "PLACED_CONFIG": "Another file than /etc/placed/placed.toml.",
    "PLACED_…": "A setting, which overrides the files: PLACED_MQTT__URL is the key url of the table [mqtt].",
    "CREDENTIALS_DIRECTORY": "The folder of systemd's credentials; the path of a setting may begin with it.",
    "STATE_DIRECTORY": "The folder for the state of the daemon.",
}
_CODES = {
    "0": "Done.",
    "1": "Failed while running.",
    "2": "Usage: an option or an argument that does not exist.",
    "3": "Cannot start: a person must fix configuration, credential or file. systemd does not retry.",
}


def page(version: str, day: date) -> Page:
    """The manual page of the command `placed`."""
    group: Any = get_command(app)
    made = Page("placed", 1, "publishes over MQTT and HTTP which rooms are free", version, day)
    made.section_of("Synopsis").paragraph(f"{bold('placed')} {italic('COMMAND')} [{italic('OPTION')}]...")
    made.section_of("Description")
    for paragraph in _paragraphs(group.help):
        made.paragraph(prose(paragraph))
    for paragraph in _paragraphs(group.epilog):
        made.paragraph(prose(paragraph))
    made.section_of("Options")
    _options(made, group)
    made.entry(f"{bold('-h')}, {bold('--help')}", "Show what a command does, and its options, and exit.")
    made.section_of("Commands")
    for name, command in group.commands.items():
        made.part(f"placed {name}")
        made.paragraph(_synopsis(name, command))
        for paragraph in _paragraphs(command.help):
            made.paragraph(prose(paragraph))
        _options(made, command)
    for title, entries in (("Exit status", _CODES), ("Files", _FILES), ("Environment", _ENVIRONMENT)):
        made.section_of(title)
        for term, meaning in entries.items():
            made.entry(bold(term), escaped(meaning))
    made.section_of("See also")
    return made.paragraph(r"\fBplaced.toml\fR(5), \fBsystemctl\fR(1), \fBmosquitto_sub\fR(1)")


def _paragraphs(text: str | None) -> Iterator[str]:
    for paragraph in (text or "").split("\n\n"):
        if paragraph.strip():
            yield " ".join(paragraph.split())


def _synopsis(name: str, command: Any) -> str:
    arguments = []
    for argument in (p for p in command.params if p.param_type_name == "argument"):
        word = argument.metavar or argument.name.upper()
        optional = not argument.required and not word.startswith("[")
        arguments.append(f"[{italic(word)}]" if optional else italic(word))
    return " ".join((bold(f"placed {name}"), *arguments, f"[{italic('OPTION')}]..."))


def _options(made: Page, command: Any) -> None:
    for parameter in command.params:
        if parameter.hidden or not parameter.help:
            continue
        variable = []
        if parameter.envvar:
            variable = [f"Or the environment variable {bold(parameter.envvar)}."]
        made.entry(_term(parameter), prose(parameter.help), *variable)


def _term(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return italic(parameter.metavar or parameter.name.upper())
    names = ", ".join(bold(name) for name in sorted((*parameter.opts, *parameter.secondary_opts), key=len))
    if parameter.is_flag:
        return names
    return f"{names} {italic(parameter.metavar or parameter.name.upper())}"
