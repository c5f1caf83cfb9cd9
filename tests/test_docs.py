"""Every example in README and docs runs, every quoted line is the code's, every link leads on.

The python blocks of a file share one namespace and run in order, with its console blocks, in an
empty folder from which ``../shared/data`` is the real data. A block with a file's name behind its
language is that file; what a console block shows behind a command stands in the command's output,
line by line, where ``...`` alone stands for any lines. Only ``<!-- not run: reason -->`` on
the line before a block keeps it from running; where the reason is ``quoted from PATH``, the block
must stand in that file word for word.
"""

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

import pytest

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
SHARED_DATA = ROOT / "../shared/data"

FENCE = re.compile(r"\s*(```+)\s*(\w*) ?(\S*)")
NOT_RUN = re.compile(r"<!-- not run: (\w.{3,}) -->")
QUOTED = "quoted from "
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its first line from 0, why it is not run, and its file."""

    language: str
    first: int
    text: str
    not_run: str | None
    file: str = ""


def blocks_of(markdown):
    """Return every fenced block of a text, in order."""
    found = []
    lines = markdown.splitlines()
    numbers = iter(range(len(lines)))
    marker = None
    for number in numbers:
        if "<!-- not run" in lines[number]:
            marker = NOT_RUN.fullmatch(lines[number].strip())
            assert marker, f"line {number + 1} keeps a block from running without a reason"
            assert FENCE.match("".join(lines[number + 1 : number + 2])), (
                f"line {number + 1} does not stand right before a block"
            )
        elif fence := FENCE.match(lines[number]):
            end = next((n for n in numbers if lines[n].strip() == fence[1]), None)
            assert end is not None, f"the block in line {number + 1} never ends"
            text = dedent("\n".join(lines[number + 1 : end]))
            found.append(Block(fence[2], number + 1, text, marker and marker[1], fence[3]))
            marker = None
        else:
            assert "```" not in lines[number], f"line {number + 1} hides a block within a line"
    return found


def commands_of(console):
    """Return the arguments of every ``$ clearprop`` in a console block, with what it shows."""
    found = []
    for line in console.replace("\\\n", " ").splitlines():
        if line.startswith("$"):
            shown = []
            if line.startswith("$ clearprop"):
                found.append((shlex.split(line)[2:], shown))
        elif found:
            shown.append(line.rstrip())
    return found


def run_blocks(path):
    """Run what is to be run of one file, in the current folder."""
    namespace = {"__name__": "__main__"}
    for block in blocks_of(path.read_text(encoding="utf-8")):
        if block.not_run:
            continue
        if "../shared/data" in block.text and not SHARED_DATA.is_dir():
            pytest.skip(f"real data for line {block.first + 1} (../shared/data) is not here")
        if block.language == "python":
            source = "\n" * block.first + block.text  # so that a traceback names the file's line
            exec(compile(source, str(path), "exec"), namespace)  # noqa: S102 - our own examples
        if block.file:
            Path(block.file).write_text(block.text + "\n", encoding="utf-8")
        if block.language == "console":
            for arguments, shown in commands_of(block.text):
                run_command(arguments, shown)


def run_command(arguments, shown=()):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "clearprop", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"clearprop {shlex.join(arguments)}:\n{said}"
    streams = [[line.rstrip() for line in text.splitlines()] for text in (done.stdout, done.stderr)]
    for line in shown:
        if line not in ("", "..."):
            has_it = [stream for stream in streams if line in stream]
            assert has_it, f"clearprop {shlex.join(arguments)} does not say:\n{line}\n{said}"
            del has_it[0][: has_it[0].index(line) + 1]  # the next one comes after it


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    if SHARED_DATA.is_dir():
        (tmp_path / "shared").mkdir()
        (tmp_path / "shared/data").symlink_to(SHARED_DATA.resolve())
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def each_file(test):
    return pytest.mark.parametrize(
        "path", FILES, ids=[path.relative_to(ROOT).as_posix() for path in FILES]
    )(test)


@each_file
@pytest.mark.usefixtures("workplace")
def test_examples_run(path):
    run_blocks(path)


@each_file
def test_quoted_lines_are_those_of_the_code(path):
    for block in blocks_of(path.read_text(encoding="utf-8")):
        if block.not_run and block.not_run.startswith(QUOTED):
            source = ROOT / block.not_run.removeprefix(QUOTED)
            assert stands_in(block.text, source), f"line {block.first + 1} is not in {source}"


def stands_in(text, source):
    code = "\n" + source.read_text(encoding="utf-8")
    return any("\n" + indent(text, depth * "    ") + "\n" in code for depth in range(4))


@each_file
def test_links_lead_to_files(path):
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{target} is not there"


def write(folder, *lines):
    path = folder / "page.md"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_blocks_share_names_and_run_in_order_in_an_empty_folder(workplace):
    run_blocks(
        write(
            workplace,
            *("```python", "from pathlib import Path", "names = ['a']", "```"),
            *("```python", "names.append('b')", "Path('out').write_text(str(names))", "```"),
        )
    )
    assert (workplace / "out").read_text() == "['a', 'b']"


@pytest.mark.parametrize(
    "lines",
    [
        ["```python", "1 / 0", "```"],
        ["1. item", "   ```python", "   1 / 0", "   ```"],
        ["```python", "a = 0", "```", "```python", "1 / a", "```"],
    ],
)
def test_a_block_that_fails_fails_the_test(workplace, lines):
    with pytest.raises(ZeroDivisionError):
        run_blocks(write(workplace, *lines))


def test_a_warning_fails_the_test(workplace):
    with pytest.raises(UserWarning):
        run_blocks(write(workplace, "```python", "import warnings", "warnings.warn('x')", "```"))


def test_a_command_that_fails_fails_the_test(workplace):
    page = write(workplace, "```console", "$ clearprop no-such-command", "```")
    with pytest.raises(AssertionError, match="clearprop no-such-command"):
        run_blocks(page)


def test_only_clearprop_s_commands_are_run():
    console = (
        "$ pip install clearprop\n$ clearprop train 'my data' \\\n    --epochs 3\nloss 0.1\n..."
    )
    assert commands_of(console) == [(["train", "my data", "--epochs", "3"], ["loss 0.1", "..."])]


def test_what_a_command_does_not_say_is_found(workplace):
    text = ["```text a.csv", "x,y", "1,a", "2,a", "3,b", "4,b", "```", "```console"]
    shown = [
        "$ clearprop data a.csv",
        "Target: y (by its name), 2 classes: a, b.",
        "...",
        "```",
    ]
    run_blocks(write(workplace, *text, *shown))
    shown[1] = "Target: x"
    with pytest.raises(AssertionError, match="does not say"):
        run_blocks(write(workplace, *text, *shown))


def test_a_block_with_a_reason_is_not_run(workplace):
    page = write(workplace, "<!-- not run: needs hours -->", "```python", "1 / 0", "```")
    run_blocks(page)


@pytest.mark.parametrize(
    "lines",
    [
        ["<!-- not run -->", "```python", "```"],
        ["<!-- not run: -->", "```python", "```"],
        ["<!-- not run:   -->", "```python", "```"],
        ["<!-- not run: needs hours -->", "", "```python", "```"],
        ["<!-- not run: needs hours -->"],
        ["```python", "never ends"],
        ["- ```python", "  1 / 0", "  ```"],
    ],
)
def test_a_block_kept_from_running_needs_a_reason_and_its_place(lines):
    with pytest.raises(AssertionError, match="line 1"):
        blocks_of("\n".join(lines))


def test_a_quotation_that_differs_is_found(tmp_path):
    code = tmp_path / "code.py"
    code.write_text("def f(x):\n    y = x\n    return y\n", encoding="utf-8")
    assert stands_in("y = x\nreturn y", code)
    assert not stands_in("y = x\nreturn x", code)
    assert not stands_in("y =", code)
