"""The languages of a page: its words, translated by gettext's catalogues.

English is what stands in the modules, within ``say(...)``. A catalogue lies in
``words/LANGUAGE/LC_MESSAGES/``, as text to translate (.po) and compiled (.mo); what the modules
say comes there by ``python tests/page/page_words.py``.
"""

import locale
import os
import re
import sys
from gettext import GNUTranslations, translation
from pathlib import Path
from typing import Final

from clearprop.errors import unknown_name

LANGUAGES: Final = {"en": "en", "es": "es", "zh_CN": "zh-Hans", "zh_TW": "zh-Hant"}
"""The languages by their names in gettext, and as HTML has them."""

_HERE: Final = Path(__file__).parent / "words"
_LOCALE: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
_TRADITIONAL: Final = {"hant", "tw", "hk", "mo"}  # a script, and where it is written unless said


def words_in(language: str) -> dict[str, str]:
    """Return the translation of each sentence of the page; none for English.

    Parameters
    ----------
    language : str
        Its name in `LANGUAGES`.

    Raises
    ------
    UnknownNameError
        If there is no catalogue of it.
    """
    if language not in LANGUAGES:
        raise unknown_name("language", language, LANGUAGES)
    if language == "en":
        return {}
    catalogue = translation("page", _HERE, [language])
    assert isinstance(catalogue, GNUTranslations)  # noqa: S101 - as it is found
    messages: dict[str, str] = catalogue._catalog  # type: ignore[attr-defined] # it has no other door
    return {text: told for text, told in messages.items() if text}


def language_of_system() -> str:
    """Return the language that the system asks for, where there is a catalogue of it.

    It is said as to any program that has gettext: by ``LANGUAGE``, a list, before ``LC_ALL``,
    ``LC_MESSAGES`` and ``LANG``, unless these say ``C``; on Windows by its own setting, too.
    """
    place = next((os.environ[name] for name in _LOCALE if os.environ.get(name)), None)
    if place in ("C", "POSIX"):
        return "en"
    asked = (os.environ.get("LANGUAGE") or place or _said_by_windows()).split(":")
    return next(filter(None, map(_catalogue_for, asked)), "en")


def _catalogue_for(name: str) -> str | None:
    """Return the language for a name such as ``es_MX.UTF-8`` or ``zh-Hant-HK``, if there is one."""
    language, *parts = re.split("[-_.@]", name.lower())
    if language != "zh":
        return language if language in LANGUAGES else None
    return "zh_TW" if "hans" not in parts and _TRADITIONAL.intersection(parts) else "zh_CN"


def _said_by_windows() -> str:
    if sys.platform != "win32":
        return ""
    import ctypes

    return locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")
