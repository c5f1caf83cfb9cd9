"""The target of C as the command has it: what is written, run, told, and where nothing compiles."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from c_programs import WARNINGS, model_of, needs_compiler

import clearprop as cp
from clearprop.errors import OutputError
from clearprop.exports.c.running import CompilingError, compiled, compiler, printed
from clearprop.exports.c.target import CTarget
from clearprop.exports.description import describe
from clearprop.exports.rows import Rows
from clearprop.exports.target import NotRun, Ran

NUMBERS = np.random.RandomState(0).standard_normal((50, 64))


def digits():
    """Return the network that the promise of speed is of."""
    layers = [cp.Dense(32), cp.ReLU(), cp.Dense(10)]
    return model_of(layers, (64,), loss=cp.SoftmaxCrossEntropy())


def exported(folder: Path, name="digits", *, int8=False, model=None):
    """Write a model, and return its target, file, description and what was written."""
    model = digits() if model is None else model
    target, description = CTarget(int8=int8), describe(model, name)
    written = target.write(model, description)
    for ending, content in written.files.items():
        (folder / f"{name}{ending}").write_bytes(content)
    return target, folder / f"{name}.c", description, written


@needs_compiler
def test_it_runs_wherever_it_lies_and_whatever_it_is_called(tmp_path):
    target, path, description, _ = exported(tmp_path)
    other = tmp_path / "another name.c"
    path.rename(other)
    path.with_suffix(".h").rename(other.with_suffix(".h"))
    ran = target.run(other, description, Rows(50, {}, NUMBERS))
    assert isinstance(ran, Ran)
    expected = digits().network.logits(NUMBERS.astype(np.float32))
    np.testing.assert_allclose(ran.logits, expected, atol=1e-5 * np.abs(expected).max())
    assert ran.answers.tolist() == [str(one) for one in expected.argmax(axis=1)]
    assert 0 < ran.seconds < 1
    assert ran.runtime


@needs_compiler
def test_values_are_answered_as_numbers(tmp_path):
    for outputs in (1, 3):
        model = model_of([cp.Dense(outputs)], (64,))
        target, path, description, _ = exported(tmp_path, f"values{outputs}", model=model)
        ran = target.run(path, description, Rows(50, {}, NUMBERS))
        expected = model.predict(NUMBERS.astype(np.float32))
        assert ran.answers.shape == expected.shape
        np.testing.assert_allclose(ran.answers, expected, atol=1e-4)


@needs_compiler
def test_no_compiler_warns_and_any_language_can_include_the_header(tmp_path):
    _, path, _, _ = exported(tmp_path)
    commands = [[one, "-std=c99", *WARNINGS] for one in ("cc", "gcc", "clang") if shutil.which(one)]
    for command in commands:
        for more in ((), ("-O3", "-DDIGITS_MAIN")):
            done = [*command, *more, "-c", str(path), "-o", str(tmp_path / "out.o")]
            told = subprocess.run(done, capture_output=True, text=True, check=False)
            assert (told.returncode, told.stderr) == (0, ""), done
    if cplusplus := shutil.which("c++"):
        user = tmp_path / "user.cpp"
        user.write_text(
            '#include "digits.h"\nint main() { static digits_workspace w; double x[64] = {0}; '
            "float logits[DIGITS_OUTPUTS]; (void)x; static float n[64]; "
            "return digits_logits(&w, n, logits); }\n"
        )
        program = tmp_path / "user.exe"
        subprocess.run([*compiler(), "-std=c99", "-c", path, "-o", tmp_path / "d.o"], check=True)
        command = [cplusplus, "-Wall", "-Wextra", "-Werror", user, tmp_path / "d.o", "-o", program]
        subprocess.run(command, check=True)
        assert subprocess.run([program], check=False).returncode == 0


@needs_compiler
def test_nothing_is_called_that_a_microcontroller_lacks(tmp_path):
    lister = shutil.which("nm")
    assert lister is not None, "binutils are needed, which compilers come with"
    _, path, _, _ = exported(tmp_path)
    subprocess.run([*compiler(), "-std=c99", "-c", path, "-o", tmp_path / "d.o"], check=True)
    told = subprocess.run(
        [lister, "-u", tmp_path / "d.o"], capture_output=True, text=True, check=True
    )
    called = {line.split()[-1].strip("_") for line in told.stdout.splitlines()}
    assert called <= {"exp", "memcpy", "strcmp", "GLOBAL_OFFSET_TABLE", "stack_chk_fail"}


def test_facts_are_those_of_the_file(tmp_path):
    _, _, _, written = exported(tmp_path)
    names = 10 * (2 + 4)  # of a digit, a NUL and a pointer
    constants = 4 * (64 * 32 + 32 + 32 * 10 + 10) + names
    assert f"{constants:,}" in written.facts["flash"]
    assert written.facts["memory"] == f"{4 * (64 + 32):,} bytes"
    assert not written.notes
    _, _, _, rounded = exported(tmp_path, int8=True)
    assert f"{constants - 3 * (64 * 32 + 32 * 10) + 4 * 42:,}" in rounded.facts["flash"]
    header = rounded.files[".h"].decode()
    assert "workspace of its own, of 384 bytes" in header


def test_what_no_microcontroller_has_room_for_is_written_with_a_note(tmp_path):
    model = model_of([cp.Dense(600), cp.Dense(2)], (600,))
    _, _, _, written = exported(tmp_path, model=model)
    assert written.notes == (
        "Its constants take 1.4 MB, more than the flash of most microcontrollers.",
    )


def test_the_same_model_gives_the_same_bytes(tmp_path):
    assert exported(tmp_path)[3].files == exported(tmp_path)[3].files


def test_without_a_compiler_it_is_not_run(tmp_path, monkeypatch):
    target, path, description, _ = exported(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    ran = target.run(path, description, Rows(50, {}, NUMBERS))
    assert isinstance(ran, NotRun)
    assert ran.reason.startswith("There is no C compiler")
    written = target.write(digits(), description)
    assert "of constants, and a few thousand of code" in written.facts["flash"]


def test_the_compiler_that_the_environment_names_is_asked(tmp_path, monkeypatch):
    target, path, description, _ = exported(tmp_path)
    asked = tmp_path / "asked.py"
    asked.write_text(
        "import sys; print('error: this one does not compile', sys.argv[1]); sys.exit(1)"
    )
    monkeypatch.setenv("CC", f"{sys.executable} {asked} --as-asked")
    ran = target.run(path, description, Rows(50, {}, NUMBERS))
    assert isinstance(ran, NotRun)
    assert "does not compile it: error: this one does not compile --as-asked" in ran.reason


def program_of(text, folder):
    source, program = folder / "program.c", folder / "program.exe"
    source.write_text(text)
    compiled(compiler(), source, program)
    return program


@needs_compiler
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("int main(void) { return 3; }", "exit code 3"),
        ("#include <stdlib.h>\nint main(void) { abort(); }", "exit code -6"),
        ('#include <stdio.h>\nint main(void) { for (;;) puts("x 1"); }', "more than 64 bytes"),
        ('#include <stdio.h>\nint main(void) { fputs("no\\n", stderr); return 1; }', "no"),
    ],
)
def test_a_program_that_fails_is_an_error(tmp_path, text, told):
    with pytest.raises(OutputError, match=told):
        printed(program_of(text, tmp_path), numbers=1)


@needs_compiler
def test_a_program_that_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("clearprop.exports.c.running._SECONDS", 0.2)
    with pytest.raises(OutputError, match=r"not done in 0\.2 seconds"):
        printed(program_of("int main(void) { for (;;) {} }", tmp_path), numbers=1)


@needs_compiler
def test_what_does_not_compile_says_why(tmp_path):
    with pytest.raises(CompilingError, match=r"error.*nothing"):
        program_of("int main(void) { return nothing; }", tmp_path)


@needs_compiler
def test_a_model_that_differs_is_noticed(tmp_path):
    # What is compared is what the file says: with another bias it says something else.
    target, path, description, _ = exported(tmp_path)
    model = digits()
    model.network.parameters["2.b"][3] += 1
    changed = target.write(model, describe(model, "digits"))
    path.write_bytes(changed.files[".c"])
    ran = target.run(path, replace(description), Rows(50, {}, NUMBERS))
    expected = digits().network.logits(NUMBERS.astype(np.float32))
    assert np.argmax(np.abs(ran.logits - expected).max(axis=0)) == 3
