"""Look for failures of a service with Schemathesis, which is no dependency of the tests.

    python -m venv apart && apart/bin/pip install schemathesis
    python tests/service/schemathesis_run.py apart/bin/schemathesis MODEL ... [-- OPTION ...]

All of its checks are made, by its examples, its coverage of the description, and drawn requests, of
each model. 422 is taken for an answer to what is of the right form: no schema can say which text is
a picture, or which number is too far from those of training. It takes half a minute a model, so it
is run where the service changes; `test_service_description.py` holds every kind of model to its
description in each run of the tests.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

TOKEN = "of-sixteen-characters-or-more"  # noqa: S105 - of a test
CONFIGURATION = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "5xx", "422"]
"""


def main(program: str, *given: str) -> int:
    """Serve each model, and look for failures; return how many models had some."""
    models, options = given, ()
    if "--" in given:
        place = given.index("--")
        models, options = given[:place], given[place + 1 :]
    return sum(_fails(program, model, options) for model in models)


def _fails(program: str, model: str, options: tuple[str, ...]) -> bool:
    serve = [sys.executable, "-m", "clearprop", "serve", model, "--quiet"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            serve, env={**os.environ, "CLEARPROP_TOKEN": TOKEN}, stdout=subprocess.PIPE, text=True
        ) as service,
    ):
        try:
            assert service.stdout is not None
            address = service.stdout.readline().split()[-1]
            configuration = Path(folder, "schemathesis.toml")
            configuration.write_text(CONFIGURATION, encoding="utf-8")
            look = [program, "--config-file", str(configuration), "run"]
            where = [f"{address}/openapi.json", "--url", address]
            bearer = ["--header", f"Authorization: Bearer {TOKEN}"]
            return subprocess.run([*look, *where, *bearer, *options], check=False).returncode != 0
        finally:
            service.terminate()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
