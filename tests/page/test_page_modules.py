"""The modules of the page are written so that one script can hold them all."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

import clearprop.page

PAGE = Path(clearprop.page.__file__).parent
MODULES = sorted(path for folder in ("engine", "view") for path in (PAGE / folder).glob("*.js"))

_DECLARED = re.compile(
    r"^(?:export )?(?:async )?(?:function\*?|class|const|let|var) +(\w+|[\[{][^=]*[\]}])",
    re.MULTILINE,
)
_IMPORT = re.compile(r'^import \{[^}*]+\} from "\.\.?/[\w./]+\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function\*?|class|const) \w+", re.MULTILINE)


def top_level_names(text: str) -> list[str]:
    """Return the names that a module declares outside of all braces: those at a line's start."""
    return [name for found in _DECLARED.findall(text) for name in re.findall(r"\w+", found)]


def code_of(text: str) -> str:
    """Return a module without its comments, in which any word may stand."""
    return re.sub(r"^ */\*.*?\*/|^ *//.*?$| // .*?$", "", text, flags=re.DOTALL | re.MULTILINE)


def test_modules_are_found() -> None:
    assert len(MODULES) > 50
    assert PAGE / "view" / "main.js" in MODULES


def test_names_at_the_top_are_unique_over_all_modules() -> None:
    declared = defaultdict(list)
    for path in MODULES:
        for name in top_level_names(path.read_text(encoding="utf-8")):
            declared[name].append(path.relative_to(PAGE).as_posix())
    shared = {name: paths for name, paths in declared.items() if len(paths) > 1}
    assert shared == {}


def test_names_are_found_whatever_declares_them() -> None:
    text = (
        "export const ONE = 1;\nconst [TWO, THREE] = [2, 3];\nasync function four() {\n"
        "  const five = 5;\n}\nexport class Six {}\nconst { SEVEN } = x;\n"
    )
    assert top_level_names(text) == ["ONE", "TWO", "THREE", "four", "Six", "SEVEN"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PAGE).as_posix())
def test_only_the_forms_that_packing_knows_are_used(path: Path) -> None:
    code = code_of(path.read_text(encoding="utf-8"))
    imports = len(_IMPORT.findall(code))
    assert imports == len(re.findall(r"^\s*import\b", code, re.MULTILINE))
    assert len(_EXPORT.findall(code)) == len(re.findall(r"^\s*export\b", code, re.MULTILINE))
    assert not re.search(
        r"\bimport\s*\(|\bimport\.meta\b|^await\b|^export default", code, re.MULTILINE
    )
    assert not re.search(r"^import[^;]*\bas\b", code, re.MULTILINE)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PAGE).as_posix())
def test_what_is_imported_is_exported_there_and_used_here(path: Path) -> None:
    code = code_of(path.read_text(encoding="utf-8"))
    for names, source in re.findall(r'^import \{([^}]+)\} from "([^"]+)";', code, re.MULTILINE):
        other = (path.parent / source).read_text(encoding="utf-8")
        exported = re.findall(
            r"^export (?:async )?(?:function\*?|class|const) (\w+)", other, re.MULTILINE
        )
        for name in filter(None, (one.strip() for one in names.split(","))):
            assert name in exported, f"{source} exports no {name}"
            assert len(re.findall(rf"\b{name}\b", code)) > 1, f"{name} is imported and not used"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PAGE).as_posix())
def test_text_from_data_can_become_no_markup(path: Path) -> None:
    code = code_of(path.read_text(encoding="utf-8"))
    assert not re.search(
        r"\binnerHTML\b|\bouterHTML\b|insertAdjacentHTML|document\.write|\beval\(", code
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PAGE).as_posix())
def test_what_is_said_stands_there_as_one_text(path: Path) -> None:
    """So that translators are given whole sentences, which a pattern finds."""
    code = code_of(path.read_text(encoding="utf-8"))
    one = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    text = rf"{one}(?:\s*\+\s*{one})*"
    said = re.findall(rf"(?<!function )\bsay\((?!\s*{text}\s*[,)]).*\n?.*", code)
    both = rf"[^,]+,\s*{text},\s*{text}\s*[,)]"
    counted = re.findall(rf"(?<!function )\bsayCount\((?!\s*{both}).*", code)
    if path.name == "words.js":  # where both are defined
        said = [call for call in said if "count === 1 ? one : many" not in call]
    assert said == []
    assert counted == []
