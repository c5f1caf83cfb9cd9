"""Every example in README and docs runs, every quoted line is the code's, every link leads on.

The python blocks of a file share one namespace and run in order, with its console blocks, in an
folder that holds nothing but ``docs/examples`` and from which ``../shared/data`` is the real data.
A block with a file's name behind its language is that file; what a console block shows behind a
command stands in the command's output, line by line, where ``...`` stands for any text, and alone
for any lines, and what has a decimal point is right to a twentieth, as training ends a little
elsewhere on another processor. An output block is held to what Python printed before it, in the
same way. Of an sh block, which installs, clearprop's own command is run;
`.ci/run` types all of it. Only ``<!-- not run: reason -->`` on the line before a block keeps it
from running; where the reason is ``quoted from PATH``, the block must stand in that file word for
word. ``<!-- ends with 1 -->`` there says how a block's last command ends.
"""

import math
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from textwrap import dedent, indent

import pytest

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
SHARED_DATA = ROOT / "../shared/data"

FENCE = re.compile(r"\s*(```+)\s*(\w*) ?(\S*)")
MARK = re.compile(r"<!-- (?:not run: (\w.{3,})|ends with (\d+)) -->")
QUOTED = "quoted from "
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
DECIMAL = r"-?\d[\d,]*\.\d+(?:e[-+]\d+)?"


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins (from 0), why it is not run, its file, its last exit code."""

    language: str
    first: int
    text: str
    not_run: str | None
    file: str = ""
    code: int = 0


def blocks_of(markdown):
    """Return every fenced block of a text, in order."""
    found = []
    lines = markdown.splitlines()
    numbers = iter(range(len(lines)))
    marker = None
    for number in numbers:
        if re.search("<!-- (not run|ends with)", lines[number]):
            marker = MARK.fullmatch(lines[number].strip())
            assert marker, f"line {number + 1} keeps a block from running without a reason"
            assert FENCE.match("".join(lines[number + 1 : number + 2])), (
                f"line {number + 1} does not stand right before a block"
            )
        elif fence := FENCE.match(lines[number]):
            end = next((n for n in numbers if lines[n].strip() == fence[1]), None)
            assert end is not None, f"the block in line {number + 1} never ends"
            text = dedent("\n".join(lines[number + 1 : end]))
            why, code = marker.groups() if marker else (None, None)
            found.append(Block(fence[2], number + 1, text, why, fence[3], int(code or 0)))
            marker = None
        else:
            assert "```" not in lines[number], f"line {number + 1} hides a block within a line"
    return found


def commands_of(console):
    """Return the arguments of every ``$ clearprop`` in a block, with what it shows."""
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
    namespace, printed = {"__name__": "__main__"}, StringIO()
    for block in blocks_of(path.read_text(encoding="utf-8")):
        if block.not_run:
            continue
        if "../shared/data" in block.text and not SHARED_DATA.is_dir():
            pytest.skip(f"real data for line {block.first + 1} (../shared/data) is not here")
        if block.file:
            Path(block.file).write_text(block.text + "\n", encoding="utf-8")
        elif block.language == "python":
            source = "\n" * block.first + block.text  # so that a traceback names the file's line
            printed = StringIO()
            with redirect_stdout(printed):
                exec(compile(source, str(path), "exec"), namespace)  # noqa: S102 - our own examples
        elif block.language == "output":
            missing = not_told(block.text.splitlines(), printed.getvalue())
            assert missing is None, f"{missing!r} is not in\n{printed.getvalue()}"
        elif block.language in {"console", "sh"}:
            commands = commands_of(re.sub(r".*&& \.venv/bin/", "$ ", block.text))
            for place, (arguments, shown) in enumerate(commands, start=1):
                run_command(arguments, shown, block.code if place == len(commands) else 0)


def run_command(arguments, shown=(), code=0):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "clearprop", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == code, f"clearprop {shlex.join(arguments)}:\n{said}"
    missing = not_told(shown, done.stdout, done.stderr)
    assert missing is None, f"clearprop {shlex.join(arguments)} does not say:\n{missing}\n{said}"


def not_told(shown, *texts):
    """Return the first line that no text has, where each is read on from the last line found."""
    streams = [text.splitlines() for text in texts]
    for line in shown:
        if line.strip() not in ("", "..."):
            places = (
                (stream, place)
                for stream in streams
                for place, told in enumerate(stream)
                if alike(line, told)
            )
            stream, place = next(places, (None, None))
            if stream is None:
                return line
            del stream[: place + 1]
    return None


def alike(shown, told):
    """Return whether a line is told as it is shown, whatever lies between its words."""
    shown, told = " ".join(shown.split()), " ".join(told.split())
    words = [re.escape(part).replace(r"\.\.\.", ".*") for part in re.split(DECIMAL, shown)]
    match = re.fullmatch(f"({DECIMAL})".join(words), told)
    numbers = [*zip(re.findall(DECIMAL, shown), match.groups(), strict=True)] if match else []
    return bool(match) and all(
        math.isclose(*(float(number.replace(",", "")) for number in pair), rel_tol=0.05)
        for pair in numbers
    )


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    if SHARED_DATA.is_dir():
        (tmp_path / "shared").mkdir()
        (tmp_path / "shared/data").symlink_to(SHARED_DATA.resolve())
    (tmp_path / "here/docs").mkdir(parents=True)
    (tmp_path / "here/docs/examples").symlink_to(ROOT / "docs/examples")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.syspath_prepend(tmp_path / "here")
    before = set(sys.modules)
    yield tmp_path / "here"
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]  # a page's own


def each_file(test):
    return pytest.mark.parametrize(
        "path", FILES, ids=[path.relative_to(ROOT).as_posix() for path in FILES]
    )(test)


@each_file
@pytest.mark.slow  # README's take a minute, those of all pages several
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


def test_blocks_share_names_and_run_in_order_in_one_folder(workplace):
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


@pytest.mark.parametrize(("code", "passes"), [(0, False), (1, False), (2, True)])
def test_a_command_must_end_as_the_page_says(workplace, code, passes):
    page = write(
        workplace,
        *(f"<!-- ends with {code} -->", "```console"),
        *("$ clearprop --version", "$ clearprop no-such-command", "```"),
    )
    if passes:
        run_blocks(page)
    else:
        with pytest.raises(AssertionError, match="clearprop no-such-command"):
            run_blocks(page)


def test_of_what_installs_clearprop_s_own_command_is_run(workplace):
    write_it = "clearprop predict no-model no-file"
    block = [
        "```sh",
        f"python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/{write_it}",
    ]
    with pytest.raises(AssertionError, match=write_it):
        run_blocks(write(workplace, *block, "```"))


def test_only_clearprop_s_commands_are_run():
    console = (
        "$ pip install clearprop\n$ clearprop train 'my data' \\\n    --epochs 3\nloss 0.1\n..."
    )
    assert commands_of(console) == [(["train", "my data", "--epochs", "3"], ["loss 0.1", "..."])]


@pytest.mark.parametrize(("printed", "passes"), [(("b",), False), (("a", "...", "c"), True)])
def test_what_python_does_not_print_is_found(workplace, printed, passes):
    page = write(
        workplace,
        *("```python", "print('a\\nB\\nc')", "```"),
        *("```output", *printed, "```"),
    )
    if passes:
        run_blocks(page)
    else:
        with pytest.raises(AssertionError, match="'b' is not in"):
            run_blocks(page)


@pytest.mark.parametrize(
    ("shown", "told", "same"),
    [
        ("accuracy 98.22% of 10", "accuracy 98.33% of 10", True),
        ("accuracy 98.22% of 10", "accuracy 88.22% of 10", False),
        ("accuracy 98.22% of 10", "accuracy 98.22% of 11", False),
        ("Trained ... in ... s.", "Trained 9 epochs in 1.5 s.", True),
        ("Trained ... in ... s.", "Trained 9 epochs", False),
        ("a  1.5", "a 1.5", True),
        ("a 1.5", "a -1.5", False),
    ],
)
def test_lines_are_alike_up_to_the_last_digits_of_what_was_trained(shown, told, same):
    assert alike(shown, told) == same


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
        ["<!-- ends with an error -->", "```console", "```"],
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
