"""The page that shows runs, and the engine's twin in JavaScript; here is only what packs it."""

from clearprop.page.languages import LANGUAGES, language_of_system
from clearprop.page.packing import imports, module_texts, pack, parts_alone, policy

__all__ = [
    "LANGUAGES",
    "imports",
    "language_of_system",
    "module_texts",
    "pack",
    "parts_alone",
    "policy",
]
