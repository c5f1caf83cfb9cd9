"""Samples that are drawn of what parameters give: no derivative goes through them."""

from clearprop.gradcheck.seeing.judging.judgement import Judgement
from clearprop.gradcheck.seeing.tape import Node, ancestors

_COMPARING = frozenset(("greater", "greater_equal", "less", "less_equal"))


def sampled(judgement: Judgement) -> Node | None:
    """Return where samples are drawn on the way to a cost: ``h = (p > np.random.rand(8, 5)) * 1``.

    What is learned of them, as by contrastive divergence, is no derivative of the cost.
    """
    reached = judgement.reached
    for node in ancestors(judgement.cost.seeds, reached):
        size = node.value.size
        if node.name in _COMPARING and size > 1 and any(one in reached for one in node.parents):
            drawn = [one for one in node.parents if one.name == "random" and one not in reached]
            if any(one.value.size == size for one in drawn):
                return node
    return None
