"""The command line, `sif-pipeline`: one module per group of commands, found by looking into this folder."""

import importlib
import pkgutil
import sys
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from sif_pipeline.boundary import without_values
from sif_pipeline.exceptions import SifPipelineError

app = typer.Typer(
    name="sif-pipeline",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Take SIF 2.x messages from districts, load them into a warehouse with full history, and report.",
    epilog="Settings are environment variables: SIF_HOME (where the embedded server keeps its data, default var/), "
    "SIF_DATABASE_URL (any PostgreSQL 15 or later instead), SIF_TIMEZONE, SIF_MAX_MESSAGE_BYTES, SIF_ZONE_URL.",
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"sif-pipeline {metadata.version('sif-pipeline')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", is_eager=True, callback=_print_version, help="Print this program's version and end."),
]


@app.callback()
def start(version: Version = False) -> None:
    """Take SIF 2.x messages from districts, load them into a warehouse with full history, and report."""


def _show(mistake: Any) -> None:
    """Show a mistake as a sentence; who gave no command at all is shown the help."""
    context = getattr(mistake, "ctx", None)
    command = context.command_path if context else "sif-pipeline"
    if type(mistake).__name__ == "NoArgsIsHelpError":
        mistake.show()
        return
    sentence = mistake.format_message().rstrip(".")
    see = " See" if sentence.endswith("?") else "; see"
    print(f"sif-pipeline: {sentence}{see} `{command} --help`.", file=sys.stderr)  # noqa: T201 -- its own voice


def _run() -> int:
    """Run the command that was asked for; a mistake in how it was asked is one sentence and exit code 2."""
    try:
        ended = app(prog_name="sif-pipeline", standalone_mode=False)
    except typer.Abort:
        return 130
    except TyperException as mistake:
        _show(mistake)
    else:
        return ended if isinstance(ended, int) else 0
    return 2


def whole() -> typer.Typer:
    """Give the command line with the commands of every module below this one."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return app


def main() -> None:
    """Run the command line; trouble the user can mend is one sentence on standard error and exit code 2."""
    whole()
    try:
        with without_values():
            sys.exit(_run())
    except SifPipelineError as error:
        print(f"sif-pipeline: {error}", file=sys.stderr)  # noqa: T201 -- the command line's own voice
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        print(f"sif-pipeline: {error.filename or 'The system'}: {error.strerror}.", file=sys.stderr)  # noqa: T201
        sys.exit(2)
