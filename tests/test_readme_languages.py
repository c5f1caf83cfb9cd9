"""README in four languages: the same headings, code, links and numbers in each."""

import re
from pathlib import Path

import pytest

READMES = ("README.es.md", "README.zh-CN.md", "README.zh-TW.md")
ROOT = Path(__file__).parents[1]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(params=READMES)
def readme(request: pytest.FixtureRequest) -> str:
    return (ROOT / request.param).read_text(encoding="utf-8")


def _blocks(markdown: str) -> list[str]:
    return re.findall(r"(?:^<!-- .*? -->\n)?^```.*?^```$", markdown, re.DOTALL | re.MULTILINE)


def _prose(markdown: str) -> str:
    return re.sub(r"^```.*?^```$", "", markdown, flags=re.DOTALL | re.MULTILINE)


def test_a_readme_has_the_same_blocks(readme: str) -> None:
    assert len(_blocks(ENGLISH)) > 5
    assert _blocks(readme) == _blocks(ENGLISH)


def test_a_readme_has_the_same_headings(readme: str) -> None:
    levels = [re.findall(r"^(#+) ", _prose(text), re.MULTILINE) for text in (readme, ENGLISH)]
    assert levels[0] == levels[1]


def test_a_readme_has_the_same_links_and_code(readme: str) -> None:
    """In whatever order a sentence has them."""
    for pattern in (r"\]\(([^)\s]+)\)", r"`([^`\n]+)`"):
        found, expected = (sorted(re.findall(pattern, _prose(one))) for one in (readme, ENGLISH))
        assert found == expected


def test_links_within_a_readme_lead_on(readme: str) -> None:
    for name in re.findall(r"\]\(#([^)]+)\)", readme):
        assert f'<a id="{name}"></a>' in readme


def test_a_readme_has_the_same_numbers(readme: str) -> None:
    """Those that a benchmark writes into README.md stand in the others, too."""
    found, expected = (
        sorted(re.findall(r"-?\d+(?:[,.]\d+)*", _prose(one))) for one in (readme, ENGLISH)
    )
    assert found == expected


@pytest.mark.parametrize("name", ["README.md", *READMES])
def test_readmes_lead_to_each_other(name: str) -> None:
    line = (ROOT / name).read_text(encoding="utf-8").splitlines()[2]
    assert re.findall(r"\]\(([^)]+)\)", line) == ["README.md", *READMES]
