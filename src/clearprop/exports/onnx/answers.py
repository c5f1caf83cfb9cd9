"""What logits say, as nodes of ONNX in float64: classes, values, and how sure they are."""

import numpy as np

from clearprop.exports.description import Answer, ClassAnswer, ValueAnswer
from clearprop.exports.onnx.graph import Graph, Port, Shape
from clearprop.exports.onnx.inputs import ROWS, require_text
from clearprop.preprocessing import PowerScale

_LARGEST = float(np.finfo(np.float64).max)


def answered(graph: Graph, answer: Answer, logits: str, outputs: int) -> list[Port]:
    """Add what is answered, and return what comes out of it.

    Parameters
    ----------
    graph : Graph
    answer : ClassAnswer or ValueAnswer
    logits : str
        The value that holds logits (N, K).
    outputs : int
        The number K of logits.
    """
    z = graph.cast(logits, "float64")
    if isinstance(answer, ClassAnswer):
        return _Classes(graph, answer, outputs).written(z)
    return _Values(graph, answer, outputs).written(z)


class _Answers:
    """Base of both: arithmetic with constants of float64, and a list of what comes out."""

    def __init__(self, graph: Graph, outputs: int) -> None:
        self.graph, self.outputs = graph, outputs
        self.ports: list[Port] = []

    def by(self, operator: str, left: str, right: float | list[float]) -> str:
        """Add an operator of a value and numbers."""
        return self.graph.add(operator, left, self.graph.constant(np.array(right, np.float64)))

    def give(self, name: str, value: str, kind: str, shape: Shape, said: str) -> None:
        """Let a value come out."""
        self.graph.give(name, value)
        self.ports.append(Port(name, kind, (ROWS, *shape), said))

    def columns(self, z: str, *places: int) -> str:
        """Add columns of (N, K)."""
        return self.graph.add("Gather", z, self.graph.integers(*places), axis=1)


class _Classes(_Answers):
    def __init__(self, graph: Graph, answer: ClassAnswer, outputs: int) -> None:
        super().__init__(graph, outputs)
        self.answer = answer
        for name in answer.names:
            require_text(name, "The class")

    def written(self, z: str) -> list[Port]:
        answer, count = self.answer, len(self.answer.names)
        scaled = self.by("Div", z, answer.temperature) if answer.temperature != 1 else z
        shares = self._shares(scaled)
        said = 'The name of the class; "" where a number was missing that had to be there.'
        self.give("label", self._label(z, shares), "str", (), said)
        if shares:
            said = f"The probability of each class: {', '.join(map(repr, answer.names))}."
            self.give("probabilities", shares, "float64", (count,), said)
        if answer.most is not None:
            said = f"Whether each class is in the set, which holds the true one for {answer.share} "
            held = self.by("LessOrEqual", self._odds_against(scaled), answer.most)
            self.give("set", held, "bool", (count,), f"{said}of all rows.")
        return self.ports

    def _shares(self, z: str) -> str:
        if self.answer.link == "identity":
            return ""
        if self.answer.link == "softmax":
            return self.graph.add("Softmax", z, axis=1)
        both = self.graph.add("Concat", self.graph.add("Neg", z), z, axis=1)
        return self.graph.add("Sigmoid", both)

    def _label(self, z: str, shares: str) -> str:
        """Add the names of the likeliest classes, or of those that a threshold says."""
        graph, answer = self.graph, self.answer
        if answer.threshold is not None:
            share = graph.add("Squeeze", self.columns(shares, answer.positive), graph.integers(1))
            is_named = self.by("GreaterOrEqual", share, answer.threshold)
            both = graph.integers(answer.positive), graph.integers(1 - answer.positive)
            place = graph.add("Where", is_named, *both)
        elif self.outputs == 1:
            is_above = self.by("Greater", graph.add("Squeeze", z, graph.integers(1)), 0.0)
            place = graph.cast(is_above, "int64")
        else:
            place = graph.add("ArgMax", z, axis=1, keepdims=0)
        lost = graph.add("IsNaN", graph.add("ReduceSum", z, graph.integers(1), keepdims=0))
        place = graph.add("Where", lost, graph.integers(len(answer.names)), place)
        return graph.add("Gather", graph.constant(np.array([*answer.names, ""])), place, axis=0)

    def _odds_against(self, z: str) -> str:
        """Add log((1 - p) / p), from the logits, of which 1 - p keeps its digits."""
        graph = self.graph
        if self.outputs == 1:
            return graph.add("Concat", z, graph.add("Neg", z), axis=1)
        largest = graph.add("ReduceMax", z, axes=[1], keepdims=1)
        place = graph.add("ArgMax", z, axis=1, keepdims=1)
        is_top = graph.add("Equal", place, graph.integers(*range(self.outputs)))
        nothing = graph.constant(-np.inf)
        others = graph.add("Where", is_top, nothing, z)
        second = graph.add("ReduceMax", others, axes=[1], keepdims=1)
        e = graph.add("Exp", graph.add("Sub", z, largest))
        total = graph.add("ReduceSum", e, graph.integers(1), keepdims=1)
        rest = graph.add("Where", is_top, graph.constant(1.0), graph.add("Sub", total, e))
        of_others = graph.add("Add", graph.add("Log", rest), graph.add("Sub", largest, z))
        # What is left beside the largest term has lost its digits: it is added up anew.
        beside = graph.add("Exp", graph.add("Sub", others, second))
        beside = graph.add("ReduceSum", beside, graph.integers(1), keepdims=1)
        of_top = graph.add("Add", graph.add("Log", beside), graph.add("Sub", second, largest))
        return graph.add("Where", is_top, of_top, of_others)


class _Values(_Answers):
    def __init__(self, graph: Graph, answer: ValueAnswer, outputs: int) -> None:
        super().__init__(graph, outputs)
        self.answer = answer
        self.values = len(answer.mean)

    def written(self, z: str) -> list[Port]:
        answer = self.answer
        if answer.levels:
            z = self.graph.add(
                "TopK", z, self.graph.integers(self.outputs), axis=1, largest=0, sorted=1
            )
        within = self._within(self._linked(z))
        several: Shape = (self.values,) if self.values > 1 else ()
        self.give("value", self._flat(self._restored(within)), "float64", several, "The value.")
        if answer.levels:
            levels = ", ".join(f"{one:g}" for one in answer.levels)
            quantiles = self._restored(self._within(z))
            self.give("quantiles", quantiles, "float64", (self.outputs,), f"Quantiles: {levels}.")
        if answer.most is not None:
            said = f"Where the interval begins and ends, which holds {answer.share} of all values."
            self.give("interval", self._interval(z, within), "float64", (2, *several), said)
        return self.ports

    def _linked(self, z: str) -> str:
        answer = self.answer
        if answer.median:
            parts = [
                self.by("Mul", self.columns(z, place), share) for place, share in answer.median
            ]
            return parts[0] if len(parts) == 1 else self.graph.add("Add", *parts)
        if answer.link == "identity":
            return z
        return self.graph.add({"exp": "Exp", "logistic": "Sigmoid"}[answer.link], z)

    def _within(self, z: str) -> str:
        if self.answer.low is None or self.answer.high is None:
            return z
        return self.by("Min", self.by("Max", z, list(self.answer.low)), list(self.answer.high))

    def _interval(self, z: str, within: str) -> str:
        answer, most = self.answer, self.answer.most or 0.0
        ends = [within, within]
        if answer.ends:
            ends = [self._within(self.columns(z, end)) for end in answer.ends]
        low, high = self.by("Sub", ends[0], most), self.by("Add", ends[1], most)
        if most < 0:  # quantiles so near that nothing may be left between them
            middle = self.by("Mul", self.graph.add("Add", low, high), 0.5)
            low, high = self.graph.add("Min", low, middle), self.graph.add("Max", high, middle)
        both = (self._restored(end) for end in (low, high))
        rows = [self.graph.add("Unsqueeze", end, self.graph.integers(1)) for end in both]
        found = self.graph.add("Concat", *rows, axis=1)
        if self.values > 1:
            return found
        return self.graph.add("Squeeze", found, self.graph.integers(2))

    def _restored(self, z: str) -> str:
        """Add y = inverse(z std + mean)."""
        y = self.by("Mul", z, list(self.answer.std))
        y = self.by("Add", y, list(self.answer.mean))
        y = self.by("Min", self.by("Max", y, -_LARGEST), _LARGEST)
        return y if self.answer.scale is None else self._inverse(y, self.answer.scale)

    def _inverse(self, t: str, scale: PowerScale) -> str:
        """Add what `PowerScale.inverse` computes."""
        graph = self.graph
        if not scale.shift:
            y = graph.add("Exp", self._root(t, scale.exponent))
        else:
            up = self._root(self.by("Max", t, 0.0), scale.exponent)
            below = self.by("Max", graph.add("Neg", t), 0.0)
            down = self._root(below, 2.0 - scale.exponent)
            y = graph.add("Sub", graph.add("Exp", up), graph.add("Exp", down))
        low, high = scale.bounds
        return self.by("Min", self.by("Max", self.by("Mul", y, scale.unit), low), high)

    def _root(self, power: str, exponent: float) -> str:
        """Add ln(1 + e t) / e, or t where e is 0."""
        if not exponent:
            return power
        u = self.by("Max", self.by("Mul", power, exponent), -1.0)
        # ln(1 + u) by what 1 + u is after rounding. Source: Goldberg, "What Every Computer
        # Scientist Should Know About Floating-Point Arithmetic" (1991), theorem 4.
        rounded = self.by("Add", u, 1.0)
        is_lost = self.by("Equal", rounded, 1.0)
        divisor = self.by("Sub", rounded, 1.0)
        one = self.graph.constant(1.0)
        slope = self.graph.add("Div", u, self.graph.add("Where", is_lost, one, divisor))
        log = self.graph.add("Mul", self.graph.add("Log", rounded), slope)
        return self.by("Div", self.graph.add("Where", is_lost, u, log), exponent)

    def _flat(self, y: str) -> str:
        return self.graph.add("Squeeze", y, self.graph.integers(1)) if self.values == 1 else y
