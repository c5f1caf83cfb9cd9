"""The arithmetic of Dense, and of the layers around it that only pass numbers on."""

import numpy as np

from clearprop.layers import Dense, Dropout, Flatten, Residual
from clearprop.walkthrough.expressions import Expression, Number
from clearprop.walkthrough.quantities import Quantity
from clearprop.walkthrough.sheet import Sheet, total


def dense_forward(layer: Dense, sheet: Sheet) -> list[Quantity]:
    """Explain y = x W + b."""
    x, W = sheet["x"], sheet["W"]

    def y(n: int, j: int) -> Expression:
        product = sheet.dot(x.line(n, None), W.line(None, j))
        return product + sheet["b"].at(j) if layer.bias else product

    formula = "{y} = {x} {W} + {b}" if layer.bias else "{y} = {x} {W}"
    return [
        *(sheet.given(name) for name in ("W", "b") if name in sheet),
        sheet.result("y", formula, y, is_product=True),
    ]


def dense_backward(layer: Dense, sheet: Sheet) -> list[Quantity]:
    """Explain dW, db and dx."""
    x, W, dy = sheet["x"], sheet["W"], sheet["dy"]

    def dW(i: int, j: int) -> Expression:
        return sheet.mean(sheet.dot(x.line(None, i), dy.line(None, j)))

    def db(j: int) -> Expression:
        return sheet.mean(total(dy.line(None, j)))

    def dx(n: int, i: int) -> Expression:
        return sheet.dot(dy.line(n, None), W.line(i, None))

    found = [sheet.result("dW", "{dW} = {x}.T {dy}", dW, is_product=True)]
    if layer.bias:
        found.append(sheet.result("db", "{db} = sum_n {dy}[n]", db))
    if "dx" in sheet:
        found.append(sheet.result("dx", "{dx} = {dy} {W}.T", dx, is_product=True))
    return found


def dropout_forward(layer: Dropout, sheet: Sheet) -> list[Quantity]:
    """Explain y = m x, where m was drawn."""
    if "m" not in sheet:
        return [sheet.result("y", "{y} = {x}", sheet["x"].at)]
    formula = "{y} = {m} * {x}"
    return [
        sheet.given("m"),
        sheet.result("y", formula, lambda *at: sheet["m"].at(*at) * sheet["x"].at(*at)),
    ]


def dropout_backward(layer: Dropout, sheet: Sheet) -> list[Quantity]:
    """Explain dx = m dy."""
    if "dx" not in sheet:
        return []
    if "m" not in sheet:
        return [sheet.result("dx", "{dx} = {dy}", sheet["dy"].at)]
    formula = "{dx} = {m} * {dy}"
    return [sheet.result("dx", formula, lambda *at: sheet["m"].at(*at) * sheet["dy"].at(*at))]


def flatten_forward(layer: Flatten, sheet: Sheet) -> list[Quantity]:
    """Explain which number of the input comes to stand where."""
    x = sheet["x"]

    def y(n: int, i: int) -> Number:
        place = np.unravel_index(i, x.array.shape[1:])
        return x.at(n, *map(int, place))

    return [sheet.result("y", "{y} = {x}.reshape(N, -1)", y)]


def flatten_backward(layer: Flatten, sheet: Sheet) -> list[Quantity]:
    """Explain the way back."""
    if "dx" not in sheet:
        return []
    shape = sheet["x"].array.shape[1:]

    def dx(n: int, *place: int) -> Number:
        return sheet["dy"].at(n, int(np.ravel_multi_index(place, shape)))

    return [sheet.result("dx", "{dx} = {dy}.reshape({x}.shape)", dx)]


def residual_forward(layer: Residual, sheet: Sheet) -> list[Quantity]:
    """Explain y = block(x) + x, or block(x) + x P."""
    block, x = sheet["block"], sheet["x"]
    if "P" not in sheet:
        formula = "{y} = {block} + {x}"
        return [sheet.result("y", formula, lambda *at: block.at(*at) + x.at(*at))]
    P = sheet["P"]

    def y(n: int, j: int) -> Expression:
        return block.at(n, j) + sheet.dot(x.line(n, None), P.line(None, j))

    return [
        sheet.given("P"),
        sheet.result("y", "{y} = {block} + {x} {P}", y, is_product=True),
    ]


def residual_backward(layer: Residual, sheet: Sheet) -> list[Quantity]:
    """Explain dP, and dx = dblock + dy or dblock + dy P.T."""
    dy = sheet["dy"]
    found = []
    if "P" in sheet:
        x, P = sheet["x"], sheet["P"]

        def dP(i: int, j: int) -> Expression:
            return sheet.dot(x.line(None, i), dy.line(None, j))

        found.append(sheet.result("dP", "{dP} = {x}.T {dy}", dP, is_product=True))
    if "dx" not in sheet:
        return found
    dblock = sheet["dblock"]
    if "P" not in sheet:
        formula = "{dx} = {dblock} + {dy}"
        added = lambda *at: dblock.at(*at) + dy.at(*at)  # noqa: E731
        return [*found, sheet.result("dx", formula, added)]

    def dx(n: int, i: int) -> Expression:
        return dblock.at(n, i) + sheet.dot(dy.line(n, None), P.line(i, None))

    formula = "{dx} = {dblock} + {dy} {P}.T"
    return [*found, sheet.result("dx", formula, dx, is_product=True)]
