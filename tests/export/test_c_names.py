"""Whatever people call their classes, columns, categories and models: C stays what it is."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_programs import WARNINGS, Program, model_of, needs_compiler, written
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.data import Table
from clearprop.data.tables.table import Words
from clearprop.errors import UsageError
from clearprop.exports.c import text as c_text
from clearprop.exports.c.running import compiler
from clearprop.exports.description import describe
from clearprop.exports.rows import Rows
from clearprop.preprocessing import ArrayRecipe, ClassTarget, Preprocessing, TableRecipe

HOSTILE = (
    *('ends "a" string\\', "*/ #error code /*", '"; int main(void) { return 1; } //'),
    *("??/", "??/\n#error", "??!??)", "two\nlines\r\n", "back\\\nslash\\", "tab\tand\x07bell"),
    *("1 2 3\x01" + "1", "é1", "Tromsø", "数字", "\u202eright to left\u202c", "🙂", "a" * 300),
    *("%d %s %n", "$name ${NAME} $", "@x@", "", " ", "/*", "//", "\\", "'"),
)
"""Names that end a string, a comment or a line where they are not escaped."""

COLUMNS = (
    *HOSTILE,
    *("int", "class", "Class", "NULL", "NAN", "linux", "errno", "row", "x0", "logits"),
    *("a b", "a-b", "A B", "a_b", "a b 2", "a_b_2", "3d", "_Bool", "__x", "é", "e", "sizeof "),
)

UNWRITTEN = st.characters(exclude_characters="\0")  # which no text of C holds


def classes_of(names):
    """Return a model of classes with these names."""
    numbers = np.random.RandomState(0).standard_normal((40, 3))
    recipe = Preprocessing(ArrayRecipe.fit(numbers), ClassTarget(tuple(names), None))
    layers = [cp.Dense(len(names))]
    return model_of(layers, (3,), loss=cp.SoftmaxCrossEntropy(), recipe=recipe), numbers


def names_in(source: Path, folder: Path, variable: str, count: int) -> list[bytes]:
    """Return the texts that a program finds in a table of names."""
    main = folder / "main.c"
    main.write_text(
        f'#include "{source.stem}.h"\n#include <stdio.h>\n#include <string.h>\n'
        f"int main(void) {{ for (int i = 0; i < {count}; i++) "
        f"fwrite({variable}[i], 1, strlen({variable}[i]) + 1, stdout); return 0; }}\n"
    )
    program = folder / "names.exe"
    command = [
        *compiler(),
        "-std=c99",
        *WARNINGS,
        str(main),
        str(source),
        "-lm",
        "-o",
        str(program),
    ]
    subprocess.run(command, check=True)
    told = subprocess.run([program], check=True, capture_output=True).stdout
    return told.split(b"\0")[:-1]


@needs_compiler
def test_class_names_arrive_as_they_are(tmp_path):
    model, _ = classes_of(HOSTILE)
    source = written(describe(model), tmp_path)
    found = names_in(source, tmp_path, "model_class_names", len(HOSTILE))
    assert [one.decode() for one in found] == list(HOSTILE)


@needs_compiler
def test_columns_and_categories_of_any_name(tmp_path):
    random = np.random.RandomState(0)
    cells = {name: random.standard_normal(len(HOSTILE)) for name in COLUMNS}
    texts = {f"text of {name}": Words.of(list(HOSTILE)) for name in COLUMNS[:3]}
    known = Table(
        {**cells, **texts, "day": np.array(["2001-02-03"] * len(HOSTILE), "datetime64[s]")}
    )
    recipe = TableRecipe.fit(known)
    target = ClassTarget(("a", "b"), "answer")
    model = model_of(
        [cp.Dense(2)],
        recipe.input_shape,
        loss=cp.SoftmaxCrossEntropy(),
        recipe=Preprocessing(recipe, target),
    )
    description = describe(model)
    found = Program(description, tmp_path).says(Rows.of(description.inputs, known))["logits"]
    expected = model.network.logits(recipe.transform(known, "float32"))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    header = (tmp_path / "model.h").read_text()
    members = re.findall(r"^    (?:double |const char \*)(\w+);", header, re.MULTILINE)
    assert len(members) == len(set(members)) == len(known.columns)
    assert all(len(line) <= c_text.WIDTH for line in header.splitlines())


@needs_compiler
@pytest.mark.parametrize(
    "name", ["double", "3d model", "été", "数", "a.b-c+d", "x0", "main", "NAN"]
)
def test_models_of_any_name(tmp_path, name):
    model, numbers = classes_of("ab")
    description = describe(model, name)
    rows = Rows.of(description.inputs, numbers)
    assert len(Program(description, tmp_path, watches=False).says(rows)["logits"]) == len(numbers)


@pytest.mark.parametrize("name", ['a".h"', "a\\b", "a\nb", "a??/b", "", "a/b"])
def test_a_file_that_nothing_can_include_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="include"):
        written(describe(classes_of("ab")[0], name), tmp_path)


def test_a_text_with_a_nul_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"'a\\x00b' holds a NUL"):
        written(describe(classes_of(["a\0b", "c"])[0]), tmp_path)


def test_a_number_beyond_float32_is_refused(tmp_path):
    model = model_of([cp.Dense(2)], (3,), dtype="float64")
    model.network.parameters["0.b"][1] = 1e39
    with pytest.raises(UsageError, match="b of layer 0 holds inf in float32"):
        written(describe(model), tmp_path)


@given(st.text(UNWRITTEN))
def test_a_string_is_one_string_of_plain_characters(text):
    found = c_text.string(text)
    assert all(32 <= ord(one) < 127 or one == "\n" for one in found)
    pieces = [line.strip() for line in found.split("\n")]
    assert all(re.fullmatch(r'"(?:[^"\\?]|\\["\\?]|\\[0-7]{3})*"', piece) for piece in pieces)
    inner = "".join(piece[1:-1] for piece in pieces)
    escape = re.compile(r'\\([0-7]{3}|["\\?])')
    plain = escape.sub(lambda one: chr(int(one[1], 8)) if one[1].isdigit() else one[1], inner)
    assert plain.encode("latin-1") == text.encode("utf-8", "surrogatepass")


@given(st.text())
def test_nothing_ends_a_comment(text):
    spoken = c_text.spoken(text)
    assert "*/" not in f"{spoken} */"[:-2]
    assert not re.search(r"/\*|\*/|\?\?|\\\S|//", spoken)
    assert spoken.isprintable()
    assert len(spoken) <= 60


@given(st.lists(st.text()))
def test_identifiers_differ_and_are_some(texts):
    names = c_text.Names()
    found = [names.new(text, "column") for text in texts]
    assert len(set(found)) == len(found)
    for name in found:
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name)
        assert name not in {"int", "class", "double", "errno", "linux", "for", "new"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1.0f"), (0.1, "0.1f"), (-2.5e-30, "-2.5e-30f"), (1e8, "1e+08f"), (0, "0.0f")],
)
def test_numbers_are_written_in_the_digits_that_bring_them_back(value, text):
    assert c_text.single(value) == text
