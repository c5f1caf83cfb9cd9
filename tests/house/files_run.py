"""List the files of ``src/clearprop`` in which a function runs, for a command.

What a newcomer has to open to follow a command from end to end. Counted are files with a function
or method that runs, in any thread; module bodies and class bodies, which importing runs, are not.

    python tests/house/files_run.py train digits           what the command line is given
    python tests/house/files_run.py update train digits    one update, in the second epoch
    python tests/house/files_run.py fit                    MLPClassifier.fit
    python tests/house/files_run.py check FILE             `clearprop check`: its child process

With ``--src FOLDER`` before the command, of another checkout's ``src``.
"""

import inspect
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

_HERE = Path(__file__).resolve()
_NOTE = "CLEARPROP_FILES_RUN"  # where a child process notes the files that it runs
_CHILD = """
import os, runpy
runpy.run_path({here!r}, run_name="child")["note_files"]()
"""


class Watch:
    """The files below a folder in which functions run, from `start` to `stop`.

    Parameters
    ----------
    folder : pathlib.Path
    """

    def __init__(self, folder):
        self.prefix = f"{folder}{os.sep}"
        self.files = {}

    def start(self):
        threading.setprofile(self._look)
        sys.setprofile(self._look)

    def stop(self):
        sys.setprofile(None)
        threading.setprofile(None)

    def _look(self, frame, event, argument):
        code = frame.f_code
        if (
            event == "call"
            and code.co_filename.startswith(self.prefix)
            and code.co_filename not in self.files
            and code.co_flags & inspect.CO_OPTIMIZED  # functions have it; modules, classes don't
            and not _is_loading(frame)
        ):
            self.found(code.co_filename)

    def found(self, file):
        """Keep a file that is seen for the first time."""
        self.files[file] = None


class Noted(Watch):
    """The same, written down at once: a process may be ended."""

    def found(self, file):
        super().found(file)
        with Path(os.environ[_NOTE]).open("a", encoding="utf-8") as notes:
            notes.write(file + "\n")


def _is_loading(frame):
    """Whether a frame is a comprehension of a module or class that is being loaded."""
    outer = frame.f_back
    while outer is not None and frame.f_code.co_name in {"<dictcomp>", "<listcomp>", "<genexpr>"}:
        if outer.f_code.co_filename == frame.f_code.co_filename:
            return not outer.f_code.co_flags & inspect.CO_OPTIMIZED
        outer = outer.f_back
    return False


def folder_of(src):
    return Path(src).resolve() / "clearprop"


def note_files():
    """Watch this process, which a command started, until it ends."""
    Noted(folder_of(os.environ["PYTHONPATH"].split(os.pathsep)[1])).start()


def of_command(folder, arguments):
    """Return the files that a command runs in its own process."""
    watch = Watch(folder)
    watch.start()
    try:
        from clearprop.cli import main

        _call(main, arguments)
    finally:
        watch.stop()
    return watch.files


def of_update(folder, arguments):
    """Return the files that run between the ends of two updates of a command's second epoch."""
    import clearprop as cp
    from clearprop.cli import main

    watch = Watch(folder)
    plain = cp.Trainer.fit

    class Second(cp.Callback):
        last = None

        def on_step_end(self, run):
            if self.last == run.epoch == 1:  # one epoch is done
                watch.stop()
            elif run.epoch == 1 and not watch.files:
                watch.start()
            self.last = run.epoch

    def fit(*given, callbacks=(), **named):
        return plain(*given, callbacks=[*callbacks, Second()], **named)

    cp.Trainer.fit = fit
    _call(main, arguments)
    return watch.files


def of_fit(folder):
    """Return the files that a classifier's `fit` runs."""
    from sklearn.datasets import load_digits

    from clearprop import MLPClassifier

    X, y = load_digits(return_X_y=True)
    model = MLPClassifier(max_iter=3, random_state=0, tol=0.0, n_iter_no_change=10)
    watch = Watch(folder)
    watch.start()
    try:
        model.fit(X, y)
    finally:
        watch.stop()
    return watch.files


def of_check(folder, arguments):
    """Return the files that the child process of ``clearprop check`` runs."""
    with tempfile.TemporaryDirectory() as name:
        Path(name, "sitecustomize.py").write_text(_CHILD.format(here=str(_HERE)), encoding="utf-8")
        notes = Path(name, "notes")
        notes.touch()
        src = str(folder.parent)
        code = "import os, sys; os.environ['PYTHONPATH'] = sys.argv.pop(1)\n"
        code += "from clearprop.cli import main; main()"
        subprocess.run(  # the child alone gets the folder in which it finds `sitecustomize`
            [sys.executable, "-c", code, os.pathsep.join((name, src)), *arguments],
            env=os.environ | {"PYTHONPATH": src, _NOTE: str(notes)},
            stdout=subprocess.DEVNULL,
            check=False,  # it says whether a gradient is right
        )
        return dict.fromkeys(notes.read_text(encoding="utf-8").splitlines())


def _call(main, arguments):
    """Run the command line in an empty folder, without what it prints."""
    with tempfile.TemporaryDirectory() as name, Path(os.devnull).open("w") as nowhere:
        before, shown, sys.argv = Path.cwd(), sys.stdout, ["clearprop", *arguments]
        os.chdir(name)
        sys.stdout = nowhere
        try:
            main()
        except SystemExit as ended:
            if ended.code:
                raise
        finally:
            sys.stdout = shown
            os.chdir(before)


def main(arguments):
    src = _HERE.parents[2] / "src"
    if arguments[:1] == ["--src"]:
        src, arguments = arguments[1], arguments[2:]
    folder = folder_of(src)
    sys.path.insert(0, str(folder.parent))
    if arguments[0] == "check":
        files = of_check(folder, arguments)
    elif arguments[0] == "update":
        files = of_update(folder, arguments[1:])
    elif arguments[0] == "fit":
        files = of_fit(folder)
    else:
        files = of_command(folder, arguments)
    for file in sorted(files):
        print(Path(file).relative_to(folder))
    print(f"{len(files)} files")


if __name__ == "__main__":
    main(sys.argv[1:])
