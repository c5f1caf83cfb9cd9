"""The words of the studio's own pages, by the catalogues of the page of runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from clearprop.configuration import Json
from clearprop.page import LANGUAGES
from clearprop.page.languages import words_in

_NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Told:
    """A text that a page says in its own language; as a string it is in English.

    Parameters
    ----------
    text : str
        With the names of values in braces.
    values : mapping of str to str
    """

    text: str
    values: Mapping[str, str]

    def __str__(self) -> str:
        return _NAME.sub(lambda found: self.values.get(found[1], found[0]), self.text)

    def to_json(self) -> dict[str, Json]:
        """Describe it as a page takes it: `sayTold` of its words."""
        return {"text": self.text, "values": dict(self.values)}


def say(text: str, **values: object) -> Told:
    """Return a text, which is a literal, with values: catalogues get it as those of a page."""
    return Told(text, {name: str(value) for name, value in values.items()})


@dataclass(frozen=True)
class Words:
    """Words in a language.

    Parameters
    ----------
    language : str
        Its name in `clearprop.page.LANGUAGES`.
    """

    language: str = "en"

    @property
    def html(self) -> str:
        """The language as HTML has it."""
        return LANGUAGES[self.language]

    @cached_property
    def _translations(self) -> dict[str, str]:
        return words_in(self.language)

    def say(self, text: str, **values: object) -> str:
        """Say a text, with values in braces; in English where it has no translation.

        It is a literal, which ``python tests/page/page_words.py`` puts into the catalogues.
        """
        return str(Told(self.known(text), {name: str(value) for name, value in values.items()}))

    def known(self, word: str) -> str:
        """Return a word from elsewhere in this language, where a catalogue has it."""
        return self._translations.get(word, word)
