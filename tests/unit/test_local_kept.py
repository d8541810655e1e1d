"""Secrets kept in files: whole or not there, and their owner's alone."""

import pytest

from sif_pipeline.local import kept


def test_a_secret_is_made_once_and_is_its_owners_alone(tmp_path):
    value = kept.secret(tmp_path / "key")
    assert kept.secret(tmp_path / "key") == value
    assert [(path.name, oct(path.stat().st_mode & 0o777)) for path in tmp_path.iterdir()] == [("key", "0o600")]


def test_a_crash_in_the_middle_leaves_no_empty_secret(tmp_path, monkeypatch):
    def crash(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(kept.os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        kept.secret(tmp_path / "key")
    assert not (tmp_path / "key").exists()
    monkeypatch.undo()
    assert len(kept.secret(tmp_path / "key")) == 64
