"""The languages of a page: its words, translated by gettext's catalogues.

English is what stands in the modules, within ``say(...)``. A catalogue lies in
``words/LANGUAGE/LC_MESSAGES/``, as text to translate (.po) and compiled (.mo), by Babel.
"""

import os
from gettext import GNUTranslations, translation
from pathlib import Path
from typing import Final

LANGUAGES: Final = {"en": "en", "es": "es", "zh_CN": "zh-Hans", "zh_TW": "zh-Hant"}
"""The languages by their names in gettext, and as HTML has them."""

_HERE: Final = Path(__file__).parent / "words"
_SAID_BY: Final = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_TRADITIONAL: Final = ("hant", "_tw", "_hk", "_mo")  # where they are written so


def words_in(language: str) -> dict[str, str]:
    """Return the translation of each sentence of the page; none for English."""
    if language == "en":
        return {}
    catalogue = translation("page", _HERE, [language])
    assert isinstance(catalogue, GNUTranslations)  # noqa: S101 - as it is found
    messages: dict[str, str] = catalogue._catalog  # type: ignore[attr-defined] # it has no other door
    return {text: told for text, told in messages.items() if text and isinstance(text, str)}


def language_of_system() -> str:
    """Return the language that the environment asks for, where there is a catalogue of it."""
    said = next((os.environ[name] for name in _SAID_BY if os.environ.get(name)), "")
    for one in said.replace("-", "_").lower().split(":"):
        if one.startswith("zh"):
            return "zh_TW" if any(word in one for word in _TRADITIONAL) else "zh_CN"
        if one[:2] in LANGUAGES:
            return one[:2]
    return "en"
