"""The commands, from the command line's own declarations."""

import re
from collections.abc import Iterator
from typing import Any

import typer

from sif_pipeline.reference.markdown import code, page, paragraphs, table


def commands_page(command_line: typer.Typer) -> str:
    """Write the page of commands from the command line's own declarations."""
    top: Any = typer.main.get_command(command_line)
    return page("Commands", paragraphs(top.help), paragraphs(top.epilog), *_commands(top, "sif-pipeline"))


def _commands(group: Any, above: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _commands(command, f"{above} {name}")
        else:
            yield _command(command, f"{above} {name}")


def _command(command: Any, name: str) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join([name, *(["[OPTIONS]"] if options else []), *(_metavar(p) for p in arguments)])
    lines = [(code(_metavar(p)), "yes" if p.required else "", "", paragraphs(p.help)) for p in arguments]
    lines += [(code(", ".join([*p.opts, *p.secondary_opts])), *_option(p)) for p in options]
    parts = [f"## {name}", code(usage), paragraphs(command.help)]
    if lines:
        parts.append(table(("Argument or option", "Required", "Default", "Meaning"), lines))
    if command.epilog:
        parts.append(re.sub(r"^Example: (.*)$", r"Example: `\1`", command.epilog))
    return "\n\n".join(parts)


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name).upper() + ("..." if parameter.nargs == -1 else "")


def _option(parameter: Any) -> tuple[str, str, str]:
    default = "" if parameter.default in (None, False) or callable(parameter.default) else str(parameter.default)
    return "yes" if parameter.required else "", code(default), paragraphs(parameter.help)
