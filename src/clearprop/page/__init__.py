"""The page that shows runs, and the engine's twin in JavaScript; here is only what packs it."""

from clearprop.page.packing import imports, module_texts, pack, policy

__all__ = ["imports", "module_texts", "pack", "policy"]
