"""Faults put into the mapping of objects to rows, whichever way their content was read."""

import sif_text as sif

from sif_pipeline.reading.content import Content

ROW = Content.row.fget


def with_rows(patch, change):
    """Let `change(content, row)` take the place of every row; `patch` is a monkeypatch."""
    patch.setattr(Content, "row", property(lambda content: change(content, ROW(content))))


def failing(*words):
    """Give a change that fails on some students."""
    ref_ids = {sif.ref(word) for word in words}

    def fail(content, row):
        if content.element.get("RefId") in ref_ids:
            raise ZeroDivisionError
        return row

    return fail
