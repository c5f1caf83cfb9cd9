"""The lines of a backward pass as text, in the notation of the code under check."""

from dataclasses import dataclass

from clearprop.gradcheck.diagnosis.network.replay import Plan

_WHOLE = 1e-5


@dataclass(frozen=True)
class Formulas:
    """The lines of one layer.

    Parameters
    ----------
    plan : Plan
    layer : int
        From 1.
    """

    plan: Plan
    layer: int

    def name(self, symbol: str, layer: int | None = None) -> str:
        """Return ``"Z2"``, ``"dW1"``; ``"X"`` for the A of the input."""
        at = self.layer if layer is None else layer
        if at == 0:
            return "X" if symbol in ("A", "Z") else f"{symbol}0"
        return symbol + self.plan.layers[at - 1].number

    def mean(self, expression: str, over: str | None = None, times: str = "") -> str:
        """Write the division of a sum over samples, by their number where the cost has it."""
        if over is None:
            over = "" if self.plan.summed else "m"
        if self.plan.form.rows:
            return f"{times}{expression}" + (f" / {over}" if over else "")
        return f"{times}1/{over} * {expression}" if over else f"{times}{expression}"

    def dW(
        self, left: str = "", right: str = "", *, over: str | None = None, times: str = ""
    ) -> str:
        """Write dW = 1/m * dZ @ A_prev.T, or another product in its place, without L2."""
        left, right = left or self.name("dZ"), right or f"{self.name('A', self.layer - 1)}.T"
        product = self.plan.form.product(left, right, weights=True)
        return f"{self.name('dW')} = {self.mean(product, over, times)}"

    def whole_dW(self) -> str:
        """Write the right line of dW, with L2 where the cost has it."""
        l2 = f" + lambd/m * {self.name('W')}" if self.plan.decay else ""
        return self.dW() + l2

    def db(self, array: str = "", *, over: str | None = None, times: str = "") -> str:
        """Write db = 1/m * np.sum(dZ, ...), or the sum of another array."""
        total = self.plan.form.sum_over_samples(array or self.name("dZ"))
        return f"{self.name('db')} = {self.mean(total, over, times)}"

    def dA(
        self, left: str = "", right: str = "", *, before: str = "", after: str | None = None
    ) -> str:
        """Write dA = W_next.T @ dZ_next, with the dropout of the layer after it unless given."""
        left = left or f"{self.name('W', self.layer + 1)}.T"
        right = right or self.name("dZ", self.layer + 1)
        product = self.plan.form.product(left, right)
        after = self.dropout() if after is None else after
        return f"{self.name('dA')} = {before}{product}{after}"

    def dropout(self) -> str:
        """Write what dropout does to dA."""
        if self.layer not in self.plan.dropout.masks:
            return ""
        scale = " / keep_prob" if self.plan.dropout.scaled else ""
        return f" * {self.name('D')}{scale}"

    def dZ(self, slope: str = "") -> str:
        """Write dZ = dA * g'(Z), or another slope in its place."""
        factor = "" if slope == "1" else f" * {slope or self.slope()}"
        return f"{self.name('dZ')} = {self.name('dA')}{factor}"

    def slope(self) -> str:
        """Write g' of a hidden layer; with A where that is usual."""
        activation = self.plan.hidden[self.layer - 1]
        if activation.at_A and not self.plan.dropout.masks:
            return activation.at_A.written.format(u=self.name("A"))
        return activation.at_Z.written.format(u=self.name("Z"))

    def output(self, scale: float | None = None) -> str:
        """Write dZ of the last layer, for the cost's own scale unless another is given."""
        return f"{self.name('dZ')} = {self._scaled(self.plan.cost.written_dZ, scale)}"

    def upstream(self) -> str:
        """Write the right dA of the last layer, and the dZ that follows from it."""
        written = self._scaled(self.plan.cost.written_dA)
        return f"{self.name('dA')} = {written}, so that {self.output()}"

    def _scaled(self, formula: str, given: float | None = None) -> str:
        written = formula.format(A=self.name("A"))
        scale = self.plan.scale if given is None else given
        if scale == 0.5 and written.startswith("2 * "):
            halved = written.removeprefix("2 * ")
            return halved.strip("()") if halved.count("(") == 1 and halved[-1] == ")" else halved
        if scale == 1:
            return written
        return f"-({written})" if scale == -1 else f"{readable(scale)} * ({written})"


def readable(factor: float) -> str:
    """Write a factor as people do: 8, 1/8, -1, 0.37."""
    inverse = round(1 / factor)
    if abs(inverse) > 1 and abs(factor * inverse - 1) < _WHOLE:
        return f"1/{inverse}" if inverse > 0 else f"-1/{-inverse}"
    nearest = round(factor)
    return str(nearest) if abs(factor - nearest) < _WHOLE * abs(factor) else f"{factor:.6g}"
