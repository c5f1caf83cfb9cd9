"""The example of a microcontroller in the documents compiles, and answers as the model does."""

import ctypes
import re
import subprocess
from pathlib import Path

import numpy as np
from c_programs import WARNINGS, model_of, needs_compiler, written

import clearprop as cp
from clearprop.exports.c.running import compiler
from clearprop.exports.description import describe
from clearprop.preprocessing import ClassTarget, PictureRecipe, Preprocessing

PAGE = Path(__file__).parents[2] / "docs/exports-c.md"


@needs_compiler
def test_the_example_answers_where_the_model_is_sure(tmp_path):
    text = re.search(r"```c reading\.c\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    example = tmp_path / "reading.c"
    # No header declares what the example defines, which the strictest warnings ask for.
    head = "int digit_of(const uint8_t picture[DIGITS_PIXELS])"
    assert head in text
    example.write_text(text.replace(head, f"{head};\n{head}"))
    pictures = np.random.RandomState(0).randint(0, 256, (50, 8, 8)).astype(np.uint8)
    recipe = PictureRecipe.fit(pictures)
    target = ClassTarget(tuple("0123456789"), "digit")
    model = model_of(
        [cp.Flatten(), cp.Dense(10)],
        (8, 8),
        loss=cp.SoftmaxCrossEntropy(),
        recipe=Preprocessing(recipe, target),
    )
    source, library = written(describe(model, "digits"), tmp_path), tmp_path / "digits.so"
    flags = ("-std=c99", *WARNINGS, "-shared", "-fPIC")
    subprocess.run([*compiler(), *flags, example, source, "-lm", "-o", library], check=True)
    digit_of = ctypes.CDLL(str(library)).digit_of
    shares = model.predict_proba(pictures)
    expected = np.where(shares.max(axis=1) > 0.9, shares.argmax(axis=1), -1)
    assert 5 < (expected < 0).sum() < 45
    assert [digit_of(one.tobytes()) for one in pictures] == expected.tolist()
