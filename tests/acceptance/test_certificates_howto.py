"""The how-to on certificates, done as it stands: its openssl commands and its own."""

import re
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from sif_server import REGISTER, answer, event, message, wait_until

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "how-to" / "use-certificates.md").read_text(encoding="utf-8")
COMMANDS = [block.strip() for block in re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder in which every openssl command of the page was run, in its order."""
    folder = tmp_path_factory.mktemp("ca")
    for block in COMMANDS:
        lines = [line for line in block.replace("\\\n", "").splitlines() if not line.startswith("sif-pipeline")]
        subprocess.run(["bash", "-euc", "\n".join(lines)], cwd=folder, check=True, capture_output=True)
    return folder


def command(url, folder, *arguments):
    """Run a command of the page as a person would, and give what it prints."""
    made = subprocess.run(
        [sys.executable, "-m", "sif_pipeline", *arguments], cwd=folder, capture_output=True, text=True,
        env={"SIF_DATABASE_URL": url, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "COLUMNS": "300"}, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def of_the_page(start):
    """Give the page's own command that begins so, as arguments."""
    return next(line for block in COMMANDS for line in block.splitlines() if line.startswith(start)).split()[1:]


def test_a_district_is_let_in_by_its_certificate_and_no_longer_when_it_is_revoked(module_database_url, folder):
    said = command(module_database_url, folder, "zone", "add", "springfield", "--lea", "02810000")
    token = said.rsplit("/", 1)[1]
    fingerprint = command(module_database_url, folder, *of_the_page("sif-pipeline zone certificate add"))
    levels = command(module_database_url, folder, *of_the_page("sif-pipeline zone require"))
    assert levels == "authentication 2, encryption 4"
    serve = [word if word != "7443" else "0" for word in of_the_page("sif-pipeline serve")]
    process = subprocess.Popen(
        [sys.executable, "-m", "sif_pipeline", *serve, "--host", "127.0.0.1"], cwd=folder, stderr=subprocess.PIPE,
        text=True, env={"SIF_DATABASE_URL": module_database_url, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        port = int(re.search(r'"port": (\d+)', process.stderr.readline())[1])
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        context.check_hostname = False  # it is called by its address here
        url = f"https://127.0.0.1:{port}/zone/{token}"
        with httpx.Client(verify=context, timeout=60) as nobody:
            wait_until(lambda: nobody.get(f"https://127.0.0.1:{port}/ready").status_code == 200)
            assert answer(nobody.post(url, content=message(REGISTER))) == (3, 3)
        context.load_cert_chain(folder / "springfield.pem", folder / "springfield.key")
        with httpx.Client(verify=context, timeout=60) as agent:
            assert answer(agent.post(url, content=message(REGISTER))) == 0
            assert answer(agent.post(url, content=event())) == 0
            assert answer(agent.post(url, content=event(source="OTHER"))) == (3, 1)
            revoke = [*of_the_page("sif-pipeline zone certificate revoke")[:-1], fingerprint[:8]]
            assert command(module_database_url, folder, *revoke) == f"revoked {fingerprint}"
            wait_until(lambda: answer(agent.post(url, content=event())) == (3, 5))
    finally:
        process.terminate()
        process.communicate(timeout=60)
    listed = command(module_database_url, folder, "zone", "certificate", "list", "springfield", "--format", "csv")
    assert [line.split(",")[:3] for line in listed.splitlines()[1:]] == [["springfield", fingerprint, "SIS"]]
    assert listed.endswith("revoked")
