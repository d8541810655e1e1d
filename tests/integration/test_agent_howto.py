"""What the how-to about testing agents shows works as it is shown."""

import re
from pathlib import Path

import pytest

from sif_pipeline.testing import KITS, pulling, zone_server

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "test-an-agent.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def zone(module_database_url):
    with zone_server(module_database_url) as server:
        yield server.zone(is_sandbox=True)


def test_a_zone_for_an_agent(module_database_url, zone):
    shown = {"run_my_agent": publish}
    server, judged = BLOCKS[0], BLOCKS[1]
    assert "postgresql://localhost/sif_test" in server
    exec(server.replace('@pytest.fixture(scope="session")\n', ""), shown)  # noqa: S102 -- that is the test
    shown["test_my_agent_publishes"](type("Server", (), {"zone": lambda _, **__: zone})())
    with pytest.raises(AssertionError, match="Conformance report"):
        exec(judged, shown | {"zone": zone})  # noqa: S102


def publish(url):
    from sif_pipeline.testing import sample_objects  # noqa: PLC0415

    with pulling(url) as agent:
        agent.register()
        agent.event("Add", "LEAInfo", *sample_objects("LEAInfo"))


def test_an_agent_for_a_zone(zone, capsys):
    assert "http://127.0.0.1:7080/zone/..." in BLOCKS[2]
    exec(BLOCKS[2].replace("http://127.0.0.1:7080/zone/...", zone.url), {})  # noqa: S102
    assert capsys.readouterr().out == ""


def test_the_page_lists_the_kits():
    listed = re.findall(
        r"`([a-z0-9.-]+)`", "".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    )
    assert sorted(listed) == sorted(KITS)
