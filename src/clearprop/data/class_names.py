"""Class names that people write differently in two places, matched one to one."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from shlex import quote

import numpy as np

from clearprop.data.dataset import Dataset
from clearprop.errors import DataError, UsageError, did_you_mean, listed

# Between two words, or a word and a number; but -1 is not 1, and 1-0 is not 10.
_BETWEEN_WORDS = re.compile(r"(?<=[^\W\d_])[\s_-]+(?=[^\W_])|(?<=[^\W_])[\s_-]+(?=[^\W\d_])")
_ZEROS = re.compile(r"(?<![\d.])0+(?=\d)")


def match_names(
    found: Sequence[str],
    known: Sequence[str],
    given: Mapping[str, str] | None = None,
    *,
    advice: str,
    places: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Say which known class each name that was found means.

    A name means the class of the same name; else the one that differs from it by case, plural,
    hyphens, underscores and spaces, or zeros before a number, if no other name and no other class
    are as near.

    Parameters
    ----------
    found, known : sequence of str
    given : mapping of str to str, optional
        Names that somebody has matched: they go before everything else, and several may mean one.
    advice : str
        The sentence that says what to do where a name can't be matched, with NAME in the place
        where it is to stand as one types it into a shell.
    places : mapping of str to str, optional
        The place where each name was found, for messages.

    Returns
    -------
    dict of str to str
        The known class by the name that was found.

    Raises
    ------
    UsageError
        If `given` speaks of a name that is not there.
    DataError
        If a name means no class, or might mean several.
    """
    matched = dict(given or {})
    for name, meant in matched.items():
        if name not in found:
            raise UsageError(
                f"There is no class {name!r} to map.{did_you_mean(name, found)} "
                f"Found: {listed(found)}."
            )
        if meant not in known:
            raise UsageError(
                f"There is no class {meant!r} to map to.{did_you_mean(meant, known)} "
                f"Known: {listed(known)}."
            )
    matched |= {name: name for name in found if name in known and name not in matched}
    unmatched = [name for name in found if name not in matched]
    free = _by_form(name for name in known if name not in matched.values())
    rivals = _by_form(unmatched)
    for name in unmatched:
        near = _near(name, free)
        others = {one for meant in near for one in _near(meant, rivals)} - {name}
        if len(near) != 1 or others:
            why = f"may mean {listed(sorted(near))}" if near else "is none of the known classes"
            why += f", and so may {listed(sorted(others))}" if others else ""
            place = f" ({places[name]})" if places else ""
            raise DataError(
                f"The class {name!r}{place} {why}; known are {listed(known)}. "
                f"{advice.replace('NAME', quote(name))}"
            )
        matched[name] = near.pop()
    return matched


def alike(names: Sequence[str]) -> list[str]:
    """Return the names that differ from another one by little, as `match_names` understands it."""
    index = _by_form(names)
    return [name for name in names if len(_near(name, index)) > 1]


def alike_in_words(names: Sequence[str], *, plurals: bool = True) -> list[str]:
    """Say which names differ by little, perhaps by more than a plural; nothing where none do."""
    times = Counter(map(_plain, names))
    close = alike(names) if plurals else [name for name in names if times[_plain(name)] > 1]
    if not close:
        return []
    return [f"The classes {listed(close)} differ by little; if they are one, join them."]


def told(matched: Mapping[str, str]) -> str:
    """List the names that were matched with other ones: "cats = cat, dogs = dog"."""
    return listed([f"{name} = {meant}" for name, meant in matched.items() if name != meant])


def renamed(dataset: Dataset, known: Sequence[str], given: Mapping[str, str]) -> Dataset:
    """Give the classes of a data set the known names that they mean, and say so in a note.

    Raises
    ------
    UsageError, DataError
        As `match_names`; or if names are given and there are no classes.
    """
    if dataset.class_names is None:
        if given:
            raise UsageError(f"{dataset.name} holds values, not classes; there is nothing to map.")
        return dataset
    if not given and set(dataset.class_names) <= set(known):
        return dataset
    _, first = np.unique(dataset.y, return_index=True)
    rows = {dataset.class_names[dataset.y[row]]: dataset.source(row) for row in first.tolist()}
    matched = match_names(
        [name for name in dataset.class_names if name in rows or name in given],
        known,
        given,
        advice=f"Say which class is meant, such as --map NAME={quote(known[0])}.",
        places=dict.fromkeys(given, "no samples") | rows,
    )
    index = {name: place for place, name in enumerate(known)}
    labels = np.array([index[matched.get(name, known[0])] for name in dataset.class_names])
    return replace(
        dataset,
        y=labels[dataset.y],
        class_names=tuple(known),
        notes=(f"Classes were matched by name: {told(matched)}.", *dataset.notes),
    )


def _by_form(names: Iterable[str]) -> dict[str, list[str]]:
    index: dict[str, list[str]] = {}
    for name in names:
        for form in _forms(name):
            index.setdefault(form, []).append(name)
    return index


def _near(name: str, index: Mapping[str, list[str]]) -> set[str]:
    return {one for form in _forms(name) for one in index.get(form, ())}


def _forms(name: str) -> set[str]:
    """Return the spellings of a name that count as the same."""
    plain = _plain(name)
    forms = {plain}
    for ending, instead in (("s", ""), ("es", ""), ("ies", "y")):
        if plain.endswith(ending) and len(plain) > len(ending) + 1:
            forms.add(plain.removesuffix(ending) + instead)
    return forms


def _plain(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name).casefold().strip()
    return _ZEROS.sub("", _BETWEEN_WORDS.sub("", plain))
