"""What a run has to tell people: what was stood in for or skipped, and in which line."""

import sys
import traceback
from dataclasses import dataclass, field
from types import FrameType

_LONGEST = 160  # characters of an error that are kept


@dataclass(frozen=True)
class Failure:
    """A statement of watched code that failed.

    Parameters
    ----------
    file : str
        The name of the file, as code objects have it.
    number : int
        The number of the line in which it failed.
    text : str
        The kind of error and its message.
    """

    file: str
    number: int
    text: str


@dataclass
class Notes:
    """The sentences for people that a run collects, each once.

    Parameters
    ----------
    files : set of str
        The names of the files whose lines are watched.
    """

    files: set[str]
    sentences: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    def watched_frame(self, frame: FrameType | None = None) -> FrameType | None:
        """Return the innermost frame of watched code; None where none is running."""
        frame = frame or sys._getframe(1)
        while frame is not None and frame.f_code.co_filename not in self.files:
            frame = frame.f_back
        return frame

    def say(self, sentence: str, *, once: str = "") -> None:
        """Add a sentence, after the line that is running; once for each `once`."""
        frame = self.watched_frame()
        if frame is None:
            self.add(sentence[:1].upper() + sentence[1:], once=once)
        else:
            self.add(f"{frame.f_code.co_filename}, line {frame.f_lineno}: {sentence}", once=once)

    def add(self, sentence: str, *, once: str = "") -> None:
        """Add a sentence as it stands; once for each `once`."""
        key = once or sentence
        if key not in self._known:
            self._known.add(key)
            self.sentences.append(sentence)

    def fail(self, error: BaseException, file: str, number: int) -> None:
        """Add a failure of a statement; the innermost watched line is told, not the statement's."""
        for frame, line in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename in self.files:
                file, number = frame.f_code.co_filename, line
        self.failures.append(Failure(file, number, told(error)))


def told(error: BaseException) -> str:
    """Return the kind and the message of an error on one line, of a long one the beginning."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # an exception of watched code may raise anything when asked
        text = ""
    whole = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]}..."
