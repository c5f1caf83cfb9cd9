"""A setting is written once: its field alone makes option, help, check, file and documents."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from clearprop.experiment import Settings
from clearprop.experiment.settings import Setting, described
from clearprop.experiment.values import Choice

DOCUMENT = Path(__file__).parents[2] / "docs/settings.md"

ONE_MORE = """
    from dataclasses import dataclass

    import clearprop.experiment
    from clearprop.experiment import Settings, settings
    from clearprop.experiment.values import Number

    @dataclass(frozen=True, kw_only=True)
    class More(Settings):
        input_noise: float = settings.setting(Number("STD"), "The noise of inputs.", default=0.5)
        input_share: float | None = settings.setting(
            Number("SHARE"), told="by the data", rule=lambda given, extent: 2 / extent.features
        )

    clearprop.experiment.Settings = settings.Settings = More  # as if its fields stood there

    from clearprop.cli import main
    main()
"""


def run_with_one_more(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with two more settings than there are."""
    return subprocess.run(
        [sys.executable, "-c", dedent(ONE_MORE), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_more_is_an_option_with_its_help_and_default(tmp_path: Path) -> None:
    for command in ("train", "compare"):
        told = " ".join(run_with_one_more(tmp_path, command, "--help").stdout.split())
        assert "--input-noise STD The noise of inputs. [default: 0.5]" in told
        assert "--input-share SHARE [default: by the data]" in told


def test_one_more_is_checked_wherever_it_comes_from(tmp_path: Path) -> None:
    done = run_with_one_more(tmp_path, "train", "iris", "--input-noise", "-1")
    assert done.returncode == 2
    assert "input_noise takes a number of at least 0, found -1.0." in done.stderr
    (tmp_path / "my.toml").write_text('input_noise = "much"\n')
    done = run_with_one_more(tmp_path, "train", "iris", "--config", "my.toml")
    assert done.returncode == 2
    assert "input_noise takes a number of at least 0, found 'much'." in done.stderr


def test_one_more_is_written_to_the_file_of_a_run_and_read_from_there(tmp_path: Path) -> None:
    train = ("train", "iris", "--epochs", "1", "--folds", "0", "--out", "run")
    train += ("--input-noise", "0.25")
    done = run_with_one_more(tmp_path, *train)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "run/config.toml").read_text().splitlines()
    assert lines[-2:] == ["input_noise = 0.25", "input_share = 0.5"]  # iris has four features
    done = run_with_one_more(tmp_path, *train, "--resume", "--input-noise", "0.5")
    assert done.returncode == 2
    assert "began with input_noise = 0.25, now it is 0.5" in done.stderr


def row(name: str, about: Setting) -> str:
    """Write the line of a setting in the document's table."""
    option = {"data": "", "start": "--from"}.get(name, f"--{name.replace('_', '-')}")
    typed = f"{option} {about.kind.metavar}".strip().replace("|", r"\|")  # no end of a cell
    meaning = about.help
    if isinstance(about.kind, Choice):
        meaning = " ".join(f"`{one}`" for one in about.kind.names)
    return f"| `{name}` | `{typed}` | {meaning} | {about.told} |"


def test_the_document_tells_of_every_setting() -> None:
    table = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    assert table == [row(name, about) for name, about in described(Settings).items()]
