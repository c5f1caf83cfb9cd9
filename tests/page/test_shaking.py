"""Of the modules of a page, only the declarations stay that the first one needs."""

import re

import pytest

from clearprop.page import module_texts
from clearprop.page.shaking import listing, says, shaken, without_indents

PARTS = """// parts.js
const SIZE = 3;

class Base {
  one() {
    return SIZE;
  }
}

class Kind extends Base {}

class Other extends Base {
  two() {
    return helper(1);
  }
}

// Only others need it.
function helper(x) {
  return x;
}

const [ONE, TWO] = [1, 2];

"""

LISTS = """// lists.js
const KINDS = byClassName(
  ...[Kind, Other],
);

function byClassName(...classes) {
  return classes;
}

"""

FIRST = """// first.js
start(KINDS);

function start(kinds) {
  use(...kinds, TWO, it.helper);
}

"""

MODULES = {"parts.js": PARTS, "lists.js": LISTS, "first.js": FIRST}


def test_only_what_is_needed_stays() -> None:
    texts = {name: listing(text, {"Kind"}) for name, text in MODULES.items()}
    found = shaken(texts, "first.js")
    assert list(found) == ["parts.js", "lists.js", "first.js"]
    assert "class Kind extends Base" in found["parts.js"]
    assert "class Base" in found["parts.js"]
    assert "const SIZE" in found["parts.js"]  # which a class that is needed reads
    assert "[ONE, TWO]" in found["parts.js"]
    assert "Other" not in "".join(found.values())
    assert "helper" not in found["parts.js"]  # a property of that name is another thing
    assert "KINDS = byClassName(Kind);" in found["lists.js"]
    assert found["first.js"] == MODULES["first.js"]


def test_a_module_of_which_nothing_is_needed_is_left_out() -> None:
    modules = {"idle.js": "// idle.js\nconst IDLE = 1;\n\n", "first.js": "// first.js\ngo();\n\n"}
    assert list(shaken(modules, "first.js")) == ["first.js"]


def test_every_class_stays_that_a_spread_names() -> None:
    modules = {"a.js": "// a.js\nconst LIST = [1];\n\n", "b.js": "// b.js\ngo(...LIST);\n\n"}
    assert list(shaken(modules, "b.js")) == ["a.js", "b.js"]


@pytest.mark.parametrize(
    "first", ["engine/alone.js", "view/alone_pictures.js", "view/alone_rows.js"]
)
def test_modules_below_the_first_declare_and_do_nothing_else(first: str) -> None:
    """What stands for itself at the top would be lost, and an indent within a text, too."""
    declares = re.compile(r"(?:async )?(?:function\*?|class|const|let) ")
    for name, text in module_texts(first).items():
        for line in text.splitlines():
            assert re.sub(r'"(?:[^"\\]|\\.)*"|//.*', "", line).count("`") % 2 == 0, (
                f"{name}: {line}"
            )
        if name == first:
            continue
        for line in text.splitlines():
            if re.match(r"[\w$]", line):
                assert declares.match(line), f"{name}: {line}"
            else:
                assert re.match(r"$|//| |[)}\]]", line), f"{name}: {line}"


def test_indents_are_left_out() -> None:
    assert without_indents("a {\n  b;\n\n    c;\n}\n") == "a {\nb;\n\nc;\n}\n"


def test_texts_are_found_in_one_piece_and_in_several() -> None:
    script = """say("One text."); say('It is "so".'); say("Over " +\n  "two lines.");"""
    assert says(script, "One text.")
    assert says(script, 'It is "so".')
    assert says(script, "Over two lines.")
    assert not says(script, "Another.")
