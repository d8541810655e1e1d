"""The DAGs, read as text: what each is for and when it runs."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sif_pipeline.reference.markdown import page


@dataclass(frozen=True, slots=True)
class DagText:
    """What the text of a DAG file says about a DAG."""

    dag_id: str
    file: str
    schedule: str  #: when it runs, to follow the word "Runs"
    manual: str  #: the file's docstring where the DAG shows that one, else its own


def dag_texts(folder: Path) -> list[DagText]:
    """Read the DAGs declared in the Python files of a folder, by id, without importing them."""
    found = [dag for file in sorted(folder.glob("*.py")) for dag in _dags_in(file)]
    return sorted(found, key=lambda dag: dag.dag_id)


def _dags_in(file: Path) -> Iterator[DagText]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    constants = _constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            calls = [(call, node.name, ast.get_docstring(node)) for call in map(_dag_call, node.decorator_list) if call]
        elif isinstance(node, ast.With):
            calls = [(call, "", None) for call in (_dag_call(item.context_expr) for item in node.items) if call]
        else:
            continue
        for call, name, manual in calls:
            values = {word.arg: word.value for word in call.keywords if word.arg}
            if call.args:
                values.setdefault("dag_id", call.args[0])
            dag_id = _text(values.get("dag_id"), constants) or name
            schedule = _schedule(values.get("schedule", ast.Constant(None)))
            whole = ast.get_docstring(tree) or ""
            told = whole if "doc_md" in values and ast.unparse(values["doc_md"]) == "__doc__" else manual or whole
            yield DagText(dag_id, file.name, schedule, told)


def _dag_call(node: ast.expr) -> ast.Call | None:
    """Return the call that declares a DAG, `@dag(...)` or `with DAG(...)`; None for anything else."""
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return call if name in {"dag", "DAG"} else None


def _constants(tree: ast.Module) -> dict[str, str]:
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _text(node: ast.expr | None, constants: Mapping[str, str]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return constants.get(node.id, "") if isinstance(node, ast.Name) else ""


def _schedule(node: ast.expr) -> str:
    """Say when a DAG runs; what is no None, text or plain timedelta is shown as it is written."""
    match node:
        case ast.Constant(None):
            return "when somebody triggers it"
        case ast.Constant("@continuous"):
            return "without a pause"
        case ast.Call(ast.Name("timedelta"), [], [ast.keyword(unit, ast.Constant(int(number)))]):
            return f"every {number} {unit}"
        case ast.Call(ast.Name("CronTriggerTimetable"), [ast.Constant(str(cron))], _):
            return f"at the times `{cron}` (cron), in the state's time zone"
        case _:
            return f"every `{ast.unparse(node)}`, as its file says"


def dags_page(folder: Path) -> str:
    """Write the page of DAGs: what each is for, when it runs, and what to do when it fails."""
    parts = [
        f"## {dag.dag_id}\n\nFile [{dag.file}](../../dags/{dag.file}). Runs {dag.schedule}.\n\n" + _below(dag.manual)
        for dag in dag_texts(folder)
    ]
    head = "The DAGs in `dags/`. Airflow shows the same text as the DAG's documentation."
    return page("DAGs", head, *parts)


def _below(manual: str) -> str:
    """Put a manual's own headings below its DAG's."""
    return re.sub(r"(?m)^(#+ )", r"##\1", manual)
