"""How settings say augmentation, and what of it the classes of pictures bear."""

from collections.abc import Iterable, Sequence
from typing import Any

from clearprop.errors import UsageError, listed, shortened, unknown_name
from clearprop.experiment.values import Kind
from clearprop.training.augmentation import (
    AUGMENTATIONS,
    Augmentation,
    RandomColour,
    RandomCrop,
    RandomErasing,
    RandomFlip,
    RandomRotation,
    RandomScale,
    RandomShift,
)

NONE, LIGHT, STRONG = "none", "light", "strong"

PRESETS: dict[str, tuple[Augmentation, ...]] = {
    LIGHT: (RandomFlip(), RandomShift(0.06), RandomRotation(5.0), RandomScale(0.08)),
    STRONG: (
        *(RandomFlip(), RandomShift(), RandomRotation(), RandomScale(), RandomCrop()),
        *(RandomColour(), RandomErasing()),
    ),
}
"""The words that stand for several augmentations, and these."""

_FEW = 10_000  # pictures below which there is more to gain than to lose by strong changes


class Augmentations(Kind):
    """Names of augmentations, typed between commas, each with its strength if it is to have one."""

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        """Refuse unknown names, and strengths that can't be; a single word needs no list."""
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list | tuple) or not all(isinstance(one, str) for one in words):
            raise UsageError(
                f"{name} takes none, light, strong, or a list of names in quotes such as "
                f'["flip", "shift:0.1"]; found {shortened(value)}.'
            )
        words = tuple(word.strip().lower() for word in words)
        if NONE in words and len(words) > 1:
            raise UsageError(f"{name} takes none alone, found {listed(words)}.")
        words = tuple(word for word in words if word != NONE)
        for word in words:
            if word not in PRESETS:
                _augmentation(word)
        return words

    def parse(self, text: str) -> Sequence[str]:
        """Read words between commas."""
        return text.split(",")

    def write(self, value: Sequence[str]) -> str:
        """Write words between commas, or ``none``."""
        return ",".join(value) or NONE


def _augmentation(word: str) -> Augmentation:
    """Make the augmentation that a word such as ``flip`` or ``shift:0.1`` stands for."""
    name, colon, strength = word.partition(":")
    if name not in AUGMENTATIONS:
        raise unknown_name("augmentation", name, (NONE, *PRESETS, *AUGMENTATIONS))
    kind: Any = AUGMENTATIONS[name]
    if not colon:
        return kind()
    try:
        number = float(strength)
    except ValueError:
        raise UsageError(
            f"The strength of {name} is a number, as in {name}:{kind().strength:g}; found "
            f"{shortened(strength)}."
        ) from None
    return kind(number)


def _word(one: Augmentation) -> str:
    """Return the word for an augmentation, with its strength where that is not the usual."""
    kind: Any = type(one)
    if one == kind():
        return str(one.name)
    short = f"{one.strength:g}"
    return f"{one.name}:{short if float(short) == one.strength else one.strength}"


def augmentations(words: Iterable[str]) -> tuple[Augmentation, ...]:
    """Make the augmentations that words of a setting stand for, in the order they are done in.

    A later word for the same one goes before an earlier one.
    """
    found: dict[str | None, Augmentation] = {}
    for word in words:
        for one in PRESETS[word] if word in PRESETS else (_augmentation(word),):
            found[one.name] = one
    return tuple(found[name] for name in AUGMENTATIONS if name in found)


def spelled(words: Iterable[str], class_names: Sequence[str]) -> tuple[str, ...]:
    """Return the words for the same augmentations without presets: single ones, told in full.

    What a preset would do that classes of such names may not bear is left out; what is named by
    itself is done.
    """
    named = [word for word in words if word not in PRESETS]
    by_presets = augmentations(word for word in words if word in PRESETS)
    borne = [_word(one) for one in by_presets if one.not_borne(class_names) is None]
    return tuple(map(_word, augmentations((*borne, *named))))


def usual(samples: int) -> str:
    """Return the preset for so many pictures: few of them are learned by heart."""
    return STRONG if samples < _FEW else LIGHT


def in_words(
    asked: Sequence[str] | None, words: Sequence[str], samples: int, class_names: Sequence[str]
) -> tuple[str, ...]:
    """Say how the pictures of a training are changed, and what their classes keep from it.

    Parameters
    ----------
    asked : sequence of str or None
        The setting as it was given; None where its rule has chosen.
    words : sequence of str
        What came of it.
    samples : int
        The number of pictures.
    class_names : sequence of str
    """
    if not words:
        return ()
    why = f", as there are {samples:,}; --augment none leaves them as they are" * (asked is None)
    notes = [f"Pictures are changed at random in training, by {listed(words)}{why}."]
    presets = (usual(samples),) if asked is None else tuple(w for w in asked if w in PRESETS)
    done = {one.name for one in augmentations(words)}
    for one in augmentations(presets):
        name = one.not_borne(class_names)
        if one.name not in done and name is not None:
            notes.append(
                f"{str(one.name).capitalize()} is left out, as the class {name!r} may not bear it; "
                f"--augment {','.join((*words, str(one.name)))} does it all the same."
            )
    return tuple(notes)
