"""The pages hang together: links lead somewhere, every page can be reached, every command shown exists."""

import re
from pathlib import Path

import pytest

from sif_pipeline import cli
from sif_pipeline.config import PROJECT
from sif_pipeline.reference.commands import commands_page

PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md"), PROJECT / "schemas" / "README.md"])
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")


def name_of(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


def links(page: Path) -> list[str]:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    found = [first or second for first, second in LINK.findall(re.sub(r"`[^`\n]*`", "", text))]
    return [link for link in found if not re.match(r"https?:|mailto:", link)]


def anchors(page: Path) -> set[str]:
    """Give what can be linked to in a page: its headings, as GitHub spells them, and named anchors."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"(?m)^#+ (.*)$", text)
    spelled = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return spelled | set(re.findall(r'id="([^"]+)"', text))


def target(page: Path, link: str) -> Path:
    path = link.partition("#")[0]
    return (page.parent / path).resolve() if path else page


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_and_headings(page):
    for link in links(page):
        file, anchor = target(page, link), link.partition("#")[2]
        assert file.exists(), link
        assert file.is_relative_to(PROJECT), link
        assert not anchor or anchor in anchors(file), link


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            waiting += [target(page, link) for link in links(page)]
    assert {name_of(page) for page in PAGES} - {name_of(page) for page in reached} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_shown_exist(page):
    sections = re.split(r"(?m)^## sif-pipeline ", commands_page(cli.whole()))[1:]
    known = {section.partition("\n")[0]: set(re.findall(r"--[\w-]+", section)) for section in sections}
    text = page.read_text(encoding="utf-8")
    shown = re.findall(r"(?m)`sif-pipeline ([^`\n]+)`|^ *sif-pipeline ([^|>\n]+)|\$\(sif-pipeline ([^)]+)\)", text)
    for words in (" ".join(parts).split() for parts in shown):
        if words[0].startswith("-"):
            continue
        spelled = (
            " ".join(words[:3]),
            " ".join(words[:2]),
            words[0],
            f"{words[0]} ask",
        )  # `request X` is short for `request ask X`
        name = next((one for one in spelled if one in known), words[0])
        assert name in known, words
        assert {word for word in words if word.startswith("--")} <= known[name] | {"--help"}, words


@pytest.mark.parametrize("page", sorted((PROJECT / "docs" / "how-to").glob("*.md")), ids=name_of)
def test_a_page_with_commands_says_where_they_are_and_asks_for_no_setting(page):
    text = page.read_text(encoding="utf-8")
    assert ".venv/bin:$PATH" in text or not re.search(r"(?m)^ *sif-pipeline ", text)
    assert not re.search(r"\$SIF_HOME|\$\{SIF_HOME\}", text)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_shown_exist(page):
    targets = set(re.findall(r"(?m)^([a-z]+):", (PROJECT / "Makefile").read_text(encoding="utf-8")))
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"`make ([a-z]+)`|^make ([a-z]+)$", text, re.MULTILINE)) <= {
        pair for word in targets for pair in ((word, ""), ("", word))
    }


def test_every_decision_has_context_decision_and_consequences():
    pages = sorted((PROJECT / "docs" / "adr").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"(?m)^## (.*)$", text) == ["Context", "Decision", "Consequences"]
        assert text.startswith(f"# {page.name[:4]}: ")


def test_changelog_has_a_section_for_rules():
    assert "### Rules" in (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
