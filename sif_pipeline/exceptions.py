"""Trouble that is ours, not a district's: each class's docstring is its default message and names the way out."""


class SifPipelineError(Exception):
    """Something in the pipeline itself failed; see the log of the process that stopped."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class ConfigurationError(SifPipelineError):
    """A setting is missing or wrong; `sif-pipeline --help` lists the settings."""


class DatabaseUnreachable(SifPipelineError):
    """The database does not answer; check SIF_DATABASE_URL, or unset it to use the embedded server."""


class UnknownZone(SifPipelineError):
    """No such zone; `sif-pipeline status` lists the zones, `sif-pipeline zone add` makes one."""


class UnknownReport(SifPipelineError):
    """No such report; `sif-pipeline report --help` lists the reports."""


class DatabaseBehind(SifPipelineError):
    """The database lacks a table or column: run `sif-pipeline db upgrade`; if that helps not, somebody changed it."""


class DatabaseAhead(SifPipelineError):
    """The database was upgraded by a newer release of this program; install that release, or a later one."""


class DatabaseFull(SifPipelineError):
    """The database server is out of disk or memory; nothing was lost. Free some space, then start again."""


class Defect(SifPipelineError):
    """This is a defect of the program, not of the data, and nothing was lost; report it with this line."""
