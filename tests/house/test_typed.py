"""A page as one script, which `.ci/run` types."""

import subprocess

import pytest
from typed import typed

PAGE = """
```sh
mkdir here && cd here
```

```text names.txt
Ann
```

```console
$ cat names.txt \\
    names.txt
Ann
```

<!-- not run: fails -->
```console
$ no-such-command
```

<!-- ends with 1 -->
```console
$ test -s names.txt
$ {last}
```
"""


@pytest.mark.parametrize(("last", "code"), [("false", 0), ("true", 1), ("exit 3", 3)])
def test_it_goes_on_only_as_the_page_says(tmp_path, last, code):
    done = subprocess.run(
        ["bash", "-ec", typed(PAGE.replace("{last}", last))],  # noqa: S607 - bash, wherever it is
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("Ann\nAnn\n", code), done.stderr
