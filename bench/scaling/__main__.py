"""``python -m bench.scaling [constants] [steps] [learning]``: measure, and write the page anew.

All of it takes half an hour on two cores. Without any measurement, ``python -m bench.scaling page``
makes tables and picture from what was measured before. Steps need Linux and root.
"""

import argparse
from dataclasses import asdict

from bench.scaling import constants, learning, picture, report, results, steps
from bench.timing import say

_KINDS = ("constants", "steps", "learning", "page")


def main() -> None:
    """Measure what is asked for, keep it, and draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"some of: {', '.join(_KINDS)}")
    asked = parser.parse_args().kinds or _KINDS[:-1]
    if unknown := [kind for kind in asked if kind not in _KINDS]:
        parser.error(f"there is no kind {unknown[0]!r}; there are {', '.join(_KINDS)}")
    if "constants" in asked:
        say("constants")
        machine, apart = constants.machine()
        kept = {name: value for name, value in asdict(machine).items() if name != "cores"}
        results.save(machine=kept, apart=apart)
    if "steps" in asked:
        say("steps")
        results.save(steps=results.as_list(steps.measure()))
    if "learning" in asked:
        say("learning")
        results.save(learning={name: learning.measure(name) for name in learning.GOALS})
    report.write()
    picture.draw()


if __name__ == "__main__":
    main()
