"""A page's blocks as one script: ``python tests/house/typed.py README.md | bash -ex``.

It is what a reader types who copies them in their order: sh blocks as they stand, what follows a
``$``, and Python given to ``python``. A command that ends otherwise than the page says ends
it.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from test_docs import blocks_of


def typed(markdown):
    """Return the script."""
    return "\n".join(_typed(block) for block in blocks_of(markdown) if not block.not_run)


def _typed(block):
    if block.file:
        return f"cat > {block.file} <<'END-OF-FILE'\n{block.text}\nEND-OF-FILE"
    if block.language == "sh":
        return block.text
    if block.language == "python":
        return f"python - <<'END-OF-PYTHON'\n{block.text}\nEND-OF-PYTHON"
    commands = re.findall(r"^\$ ((?:.*\\\n)*.*)", block.text, re.MULTILINE)
    if block.code:
        commands[-1] = f"code=0; {commands[-1]} || code=$?; test $code = {block.code}"
    return "\n".join(commands)


if __name__ == "__main__":
    print(typed(Path(sys.argv[1]).read_text(encoding="utf-8")))
