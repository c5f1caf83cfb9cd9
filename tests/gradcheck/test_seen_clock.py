"""The clock ends what computes for ever, and leaves nothing behind."""

import subprocess
import sys

WATCHED = """
import sys
from clearprop.gradcheck.seeing.running.clock import Watchdog
from clearprop.gradcheck.seeing.running.loops import OutOfTime

clock = Watchdog()
with clock.watching():
    ended = 0
    for seconds in (0.0, 0.0, 60.0):
        try:
            with clock.armed_for(seconds):
                while seconds == 0.0:
                    pass
        except OutOfTime:
            ended += 1
print(ended)

def called():
    return sum(place for place in range(10))

sys.settrace(lambda frame, event, argument: None)
print(called())
"""


def test_what_is_traced_afterwards_goes_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], capture_output=True, text=True, check=True, timeout=100
    )
    assert done.stdout.split() == ["2", "45"]
