"""Texts that stand in for files of words: prose, sentences with their class, and word vectors."""

import re
from collections.abc import Sequence

import numpy as np

_PROSE = re.compile(
    r"char_to|chars\b|vocab|word_to|words\b|corpus|token|letters\b|sentence|phrase|glove", re.I
)
_WORDED = re.compile(r"word_to|vocab|sentence|phrase|glove|tweet|review", re.I)
"""What is said where a table holds texts beside their class."""

_VECTORS = re.compile(r"glove|word2vec|word_?vec|embedding|fasttext", re.I)
_SENTENCES = """I am a text: ABCDEFGHIJKLMNOPQRSTUVWXYZ, 0123456789!
The quick brown fox jumps over the lazy dog. A learner reads what a net has done;
each step goes down a little, and what goes wrong shows in the loss. The dog reads on.
"""
_TIMES = 20  # that they stand in a text, which is cut into long sequences
_LONGEST = 6  # words of a sentence in a table
_ENTRIES = 50  # of a word's vector, where the name of its file tells no number


def text_for(name: str, source: str, labels: Sequence[int]) -> str | None:
    """Return what a file of words holds; None where a program takes it for no words.

    Parameters
    ----------
    name : str
        The name of the file.
    source : str
        The program that reads it.
    labels : sequence of int
        The classes of the sentences of a table.
    """
    if _VECTORS.search(name) and name.endswith(".txt"):
        return _vectors(int(next(iter(re.findall(r"(\d+)d\b", name)), _ENTRIES)))
    if name.endswith((".csv", ".tsv")):
        if not (re.search(r"csv\.reader", source) and _WORDED.search(source)):
            return None
        apart = "," if name.endswith(".csv") else "\t"
        words = [one for one in _words() if one.isalpha()]
        sentences = (
            np.resize(np.roll(words, -3 * k), 1 + k % _LONGEST) for k in range(len(labels))
        )
        lines = [" ".join(one) for one in sentences]
        return "".join(f"{line}{apart}{label}\n" for line, label in zip(lines, labels, strict=True))
    return _SENTENCES * _TIMES if _PROSE.search(source) else None


def _words() -> list[str]:
    """Return the words of all texts, in small letters."""
    return list(dict.fromkeys(re.findall(r"\w+", _SENTENCES.lower())))


def _vectors(entries: int) -> str:
    draw = np.random.RandomState(5)
    rows = ((word, draw.uniform(-1, 1, entries).round(3)) for word in [*_words(), "unk"])
    return "".join(f"{word} {' '.join(map(str, row.tolist()))}\n" for word, row in rows)
