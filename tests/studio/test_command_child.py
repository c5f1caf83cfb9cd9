"""A command ends with the process that has started it, and keeps what it has learned."""

import subprocess

import pytest
from asking import COMMAND, MINE, SECONDS, Asker


@pytest.mark.slow
@pytest.mark.parametrize("word", [b"", b"x"], ids=["the end of its input", "a byte"])
def test_a_training_keeps_what_it_has_learned(tmp_path, word):
    options = ["--layers", "4", "--folds", "0", "--epochs", "1000000", "--patience", "0"]
    with subprocess.Popen(
        [*COMMAND, "train", "moons", *options, "--out", "run", "--live", "--quiet"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            address = process.stderr.readline().split()[-1].decode()
            with Asker(address).events() as page:
                page.until(lambda name, data: name == "told" and data["epoch"] > 1)
            if word:
                process.stdin.write(word)
                process.stdin.flush()
            else:
                process.stdin.close()
            assert process.wait(3 * SECONDS) == 130  # it draws and writes, too
        finally:
            process.kill()
    assert (tmp_path / "run/model.safetensors").exists()
    assert (tmp_path / "run/report.html").exists()


def test_an_error_is_that_of_the_command():
    done = subprocess.run(
        [*COMMAND, "train", "no-such-data"],
        stdin=MINE,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 2
    assert "There is no data set or path" in done.stderr
