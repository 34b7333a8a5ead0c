"""Where the line of work is kept: it follows from where the record is, and from nothing else."""

from __future__ import annotations

import pytest

from gate.errors import UsageError
from gate.wiring.settings import load_settings


def engine_url(folder, **environment):
    return load_settings({"GATE_HOME": str(folder / "home"), **environment}, folder).engine_url


def test_by_default_it_lies_in_gate_s_home(tmp_path):
    assert engine_url(tmp_path) == f"sqlite:///{tmp_path}/home/engine.db"


def test_on_postgresql_it_is_with_the_record(tmp_path):
    url = "postgresql+psycopg://gate:secret@db/gate"
    assert engine_url(tmp_path, GATE_DATABASE=url) == url


def test_two_homes_on_one_file_share_the_line(tmp_path, monkeypatch):
    """Also where one of them names the file by a link, from where it stands, or as SQLite does."""
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    urls = {
        engine_url(tmp_path / home, GATE_DATABASE=f"sqlite{driver}:///{path}")
        for home in ("one", "other")
        for driver in ("", "+pysqlite")
        for path in (f"{tmp_path}/data/gate.db", "data/gate.db", "link/gate.db", "file:data/gate.db?uri=true")
    }
    assert urls == {f"sqlite:///{tmp_path}/data/engine.db"}


def test_two_records_in_one_folder_have_a_line_each(tmp_path):
    urls = [engine_url(tmp_path, GATE_DATABASE=f"sqlite:///{tmp_path}/{name}") for name in ("gate.db", "a.db", "a.x")]
    assert urls == [f"sqlite:///{tmp_path}/{name}" for name in ("engine.db", "a.db.engine.db", "a.x.engine.db")]


def test_two_that_work_on_one_line_exclude_each_other(tmp_path):
    from gate.engine.slot import take_slot

    record = f"sqlite:///{tmp_path}/gate.db"
    one, other = (engine_url(tmp_path / home, GATE_DATABASE=record) for home in ("one", "other"))
    slot = take_slot(one, "w1", lambda: None)
    with pytest.raises(UsageError) as raised:
        take_slot(other, "w2", lambda: None)
    assert str(raised.value).startswith(f"{tmp_path}/engine.lock: another gate works here already (process ")
    slot.release()
    take_slot(other, "w2", lambda: None).release()
