"""What a learner's file may not do: no file is changed, nobody is connected to, all is put back."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from seen_checked import said

from clearprop.gradcheck.seeing.arrays import Watched, watch
from clearprop.gradcheck.seeing.running.loops import OutOfTime
from clearprop.gradcheck.seeing.tape import Tape


def test_files_are_written_to_a_scratch_folder_and_read_back(runs, tmp_path):
    ran = runs(
        """
        import os
        from pathlib import Path
        import numpy as np
        os.makedirs("out/deep", exist_ok=True)
        with open("out/deep/a.txt", "w") as file: file.write("kept")
        Path("b.txt").write_text("too")
        np.save("out/w.npy", np.ones(3))
        np.savetxt("w.txt", np.ones(3))
        a = open("out/deep/a.txt").read() + Path("b.txt").read_text()
        w = np.load("out/w.npy") + np.loadtxt("w.txt")
        """
    )
    assert not ran.failures
    assert ran.namespace["a"] == "kepttoo"
    assert ran.namespace["w"].tolist() == [2, 2, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hw.py"]
    assert said(ran, "line 6", "a.txt", "scratch folder")


def test_what_is_appended_to_stays_as_it_was(runs, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("old", encoding="utf-8")
    ran = runs('open("log.csv", "a").write("new")\nx = open("log.csv").read()\n')
    assert ran.namespace["x"] == "oldnew"
    assert log.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(
    "line",
    [
        "import os; os.remove('precious.txt')",
        "import os; os.unlink('precious.txt')",
        "import pathlib; pathlib.Path('precious.txt').unlink()",
        "import os; os.rename('precious.txt', 'other.txt')",
        "import shutil; shutil.rmtree('.')",
        "import shutil; shutil.move('precious.txt', 'other.txt')",
        "import os; os.system('rm precious.txt')",
        "import subprocess; subprocess.run(['rm', 'precious.txt'])",
        "import os; os.truncate('precious.txt', 0)",
        "open('precious.txt', 'w').close()",
        "import io; io.open('precious.txt', 'w').close()",
        "import _io; _io.open('precious.txt', 'w').close()",
        "import os; os.close(os.open('precious.txt', os.O_WRONLY | os.O_TRUNC))",
        "import posix; posix.unlink('precious.txt')",
        "import posix; posix.system('rm precious.txt')",
        "import _posixsubprocess; import os; os.execv('/bin/rm', ['rm', 'precious.txt'])",
        "import builtins; builtins.open('precious.txt', 'w').close()",
        "import numpy as np; np.ones(3).tofile('precious.txt')",
        "import os; os.replace('hw.py', 'precious.txt')",
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="posix is not there")
def test_nothing_outside_is_changed_or_deleted(runs, tmp_path, line):
    precious = tmp_path / "precious.txt"
    precious.write_text("precious", encoding="utf-8")
    ran = runs(f"{line}\nx = 1\n")
    assert precious.read_text(encoding="utf-8") == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hw.py", "precious.txt"]
    assert ran.namespace["x"] == 1


def test_functions_that_are_called_later_are_watched_and_held_alike(runs, tmp_path):
    ran = runs(
        """
        import numpy as np
        def f(x):
            open("late.txt", "w").write("x")
            for k in range(10**7):
                x = x - 0.01 * x
            return x
        def endless():
            return sum(1 for _ in iter(int, 1))
        """
    )
    tape = Tape()
    with ran.calling(tape, 5.0):
        x = watch(np.ones(2))
        assert type(ran.namespace["f"](x)) is Watched
    assert 10 < len(tape) < 4000
    assert {node.line.number for node in tape.nodes if node.name == "subtract"} == {6}
    assert not (tmp_path / "late.txt").exists()
    with pytest.raises(OutOfTime), ran.calling(Tape(), 0.5):
        ran.namespace["endless"]()


def test_nobody_is_connected_to(runs):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        port = server.getsockname()[1]
        ran = runs(
            f"""
            import _socket
            s = _socket.socket()
            try: s.connect(("127.0.0.1", {port}))
            finally: s.close()
            """
        )
        with pytest.raises(TimeoutError):
            server.accept()
    assert len(ran.failures) == 1


def test_everything_is_afterwards_as_before(runs, tmp_path):
    def state():
        return (
            *(open, os.remove, os.mkdir, time.sleep, sys.stdout, sys.argv, sys.path[:]),
            *(
                Path.cwd(),
                sys.modules["__main__"],
                sys.getrecursionlimit(),
                sys.dont_write_bytecode,
            ),
        )

    before = state()
    numbers = np.random.get_state()[1].copy()
    runs("import os, sys\nos.chdir('/')\nsys.path.append('x')\nimport own\n1/0", own="x = 1")
    assert state() == before
    assert np.array_equal(np.random.get_state()[1], numbers)
    assert "own" not in sys.modules
    kept = tmp_path / "kept.txt"
    kept.write_text("x", encoding="utf-8")
    kept.unlink()
    assert subprocess.run([sys.executable, "-c", ""], check=True).returncode == 0
