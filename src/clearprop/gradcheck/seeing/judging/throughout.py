"""The line at fault where it ran in every round: of a loop over time, or of several layers."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.blame import Blame, Trail, branches
from clearprop.gradcheck.seeing.judging.rewriting import Bench, Make, Site
from clearprop.gradcheck.seeing.tape import Node

_SECONDS = 4.0  # for the search
_MOST = 30  # rounds


def find_throughout(trail: Trail) -> list[Blame]:
    """Find the lines whose results, if they were derivatives in every round, mend most.

    What a line computes backwards, round by round, is held against what one line computed forwards:
    in the same order, or the other way round.

    Parameters
    ----------
    trail : Trail
    """
    end = time.monotonic() + _SECONDS
    bench = Bench(trail)
    begun = {trail.whole(front, one) for one in trail.wrong for front in trail.fronts(one)}
    claims = {node for claim in bench.claims for node in claim.nodes}
    rows = _rows(trail)
    found: list[tuple[int, float, int, Blame]] = []
    for site in bench.sites():
        if not begun.intersection(site.nodes) or claims.intersection(site.nodes):
            continue
        if any(next(branches(trail, one, trail.wrong[0], []), None) for one in site.nodes):
            continue  # of a right layer, whose caller leaves out what comes back beside it
        trial = bench.trial(site)
        for row in rows.get(len(site.nodes), ()):
            for wanted in _paired(site, row, trail.judgement.derivatives):
                if time.monotonic() > end:
                    break
                after = trial(_given(wanted))
                more = frozenset() if after is None else after.right - bench.now.right
                if more:
                    off = {
                        one: _distance(one.value, expected) for one, (_, expected) in wanted.items()
                    }
                    worst = max(off, key=lambda one: off[one])
                    of, expected = wanted[worst]
                    mended = tuple(bench.claims[k].gradient for k in sorted(more))
                    blame = Blame(worst, {}, of, expected, mended, mended[0])
                    blame = replace(blame, line=trail.line(worst))
                    # In its first round, with which it begins, a line may be right already.
                    found.append((-len(more), min(off.values()), site.first.place, blame))
    return [blame for *_, blame in sorted(found, key=lambda one: one[:3])]


def _distance(value: Array, expected: Array) -> float:
    """Return how far an array is from what it should be, as a share of that."""
    length = float(np.linalg.norm(expected)) or 1.0
    return float(np.linalg.norm(np.asarray(value, np.float64) - expected)) / length


def _given(wanted: Mapping[Node, tuple[Node, Array]]) -> Make:
    return lambda node, _: wanted[node][1]


def _rows(trail: Trail) -> dict[int, list[list[Node]]]:
    """Return what each line computed forwards, by how often it ran."""
    by_line: dict[object, list[Node]] = {}
    known = trail.judgement.derivatives
    for node in sorted(trail.forward & known.keys(), key=lambda one: one.place):
        if node.line is not None and node.value.size > 1:
            key = node.line.code, node.line.instruction, node.name
            by_line.setdefault(key, []).append(node)
    found: dict[int, list[list[Node]]] = {}
    for row in by_line.values():
        if 1 < len(row) <= _MOST:
            found.setdefault(len(row), []).append(row)
    return found


def _paired(
    site: Site, row: Sequence[Node], known: Mapping[Node, Array]
) -> Iterator[dict[Node, tuple[Node, Array]]]:
    """Yield for all that a line computed backwards what it should be, and of what."""
    for ordered in (row[::-1], row):
        pairs = list(zip(site.nodes, ordered, strict=True))
        if all(np.squeeze(a.value).shape == np.squeeze(b.value).shape for a, b in pairs):
            yield {a: (b, np.asarray(known[b]).reshape(a.value.shape)) for a, b in pairs}
