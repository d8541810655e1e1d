"""The command line, `sif-pipeline`: one module per group of commands, found by looking into this folder."""

import importlib
import pkgutil
import sys

import typer

from sif_pipeline.boundary import without_values
from sif_pipeline.exceptions import SifPipelineError

app = typer.Typer(
    name="sif-pipeline",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Take SIF 2.x messages from districts, load them into a warehouse with full history, and report.",
    epilog="Settings are environment variables: SIF_HOME (where the embedded server keeps its data, default var/), "
    "SIF_DATABASE_URL (any PostgreSQL 15 or later instead), SIF_TIMEZONE, SIF_MAX_MESSAGE_BYTES.",
)


def main() -> None:
    """Run the command line; trouble the user can mend is one sentence on standard error and exit code 2."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    try:
        with without_values():
            app()
    except SifPipelineError as error:
        print(f"sif-pipeline: {error}", file=sys.stderr)  # noqa: T201 -- the command line's own voice
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        print(f"sif-pipeline: {error.filename or 'The system'}: {error.strerror}.", file=sys.stderr)  # noqa: T201
        sys.exit(2)
