"""One training step written out: every layer forward, the loss, backward, and the update.

The numbers are the engine's own, recorded while it computes them (`record`); beside each stands the
arithmetic that leads to it, from real operands. The formulas lie on the classes that compute
(`clearprop.core.formulas`); here they meet the numbers (`sheet`), in either of two notations, and
are written as text, as JSON or as a page.
"""

from clearprop.walkthrough.quantities import Entry, Quantity, Step
from clearprop.walkthrough.walking import Walk, walk

__all__ = ["Entry", "Quantity", "Step", "Walk", "walk"]
