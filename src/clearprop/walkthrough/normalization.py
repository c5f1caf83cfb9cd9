"""The arithmetic of BatchNorm and LayerNorm."""

from clearprop.layers import BatchNorm, LayerNorm
from clearprop.walkthrough.expressions import Expression, Number
from clearprop.walkthrough.functions import series, sqrt
from clearprop.walkthrough.matrices import Line
from clearprop.walkthrough.quantities import Quantity
from clearprop.walkthrough.sheet import Sheet, total


def batch_norm_forward(layer: BatchNorm, sheet: Sheet) -> list[Quantity]:
    """Explain mean, variance, xhat and y; without training, from the running statistics."""
    x, s = sheet["x"], sheet["s"]
    training = "mean" in sheet
    mean, variance = (
        sheet[role if training else f"running_{role}"] for role in ("mean", "variance")
    )
    samples = Number(len(x.array), "N")

    def squares(d: int) -> Expression:
        column, centre = x.line(None, d), mean.at(d)
        values = (column.values - centre.value) ** 2
        return series(lambda n: (column.at(n) - centre) ** 2, values) / samples

    found = []
    if training:
        formula = "{variance} = sum_n ({x}[n] - {mean})**2 / N"
        found += [
            sheet.result(
                "mean", "{mean} = sum_n {x}[n] / N", lambda d: total(x.line(None, d)) / samples
            ),
            sheet.result("variance", formula, squares),
        ]
    else:
        found += [sheet.given("running_mean"), sheet.given("running_variance")]
    root = f"{{s}} = sqrt({{{variance.symbol}}} + epsilon)"
    return [
        *found,
        sheet.result("s", root, lambda d: sqrt(variance.at(d) + layer.epsilon)),
        sheet.result(
            "xhat",
            f"{{xhat}} = ({{x}} - {{{mean.symbol}}}) / {{s}}",
            lambda n, d: (x.at(n, d) - mean.at(d)) / s.at(d),
        ),
        *_gamma_beta_and_y(sheet),
    ]


def batch_norm_backward(layer: BatchNorm, sheet: Sheet) -> list[Quantity]:
    """Explain dgamma and dbeta, and dx through mean and variance while training."""
    found = _dgamma_and_dbeta(sheet)
    if "dx" not in sheet:
        return found
    dy, xhat, gamma, s = sheet["dy"], sheet["xhat"], sheet["gamma"], sheet["s"]
    if "mean" not in sheet:
        formula = "{dx} = {dy} * {gamma} / {s}"
        plain = lambda n, d: dy.at(n, d) * (gamma.at(d) / s.at(d))  # noqa: E731
        return [*found, sheet.result("dx", formula, plain)]
    dgamma, dbeta = sheet["dgamma"], sheet["dbeta"]
    samples = Number(len(dy.array), "N")

    def dx(n: int, d: int) -> Expression:
        along = dy.at(n, d) - dbeta.at(d) / samples - xhat.at(n, d) * dgamma.at(d) / samples
        return gamma.at(d) / s.at(d) * along

    formula = "{dx} = {gamma} / {s} * ({dy} - {dbeta} / N - {xhat} * {dgamma} / N)"
    return [*found, sheet.result("dx", formula, dx)]


def layer_norm_forward(layer: LayerNorm, sheet: Sheet) -> list[Quantity]:
    """Explain s, xhat and y; the mean of a sample's features is written where it is needed."""
    x, s = sheet["x"], sheet["s"]
    features = Number(x.array.shape[1], "D")

    def deviation(n: int, _: int) -> Expression:
        row, centre = x.line(n, None), _mean(x.line(n, None), f"mean(x[{n}])")
        values = (row.values - centre.value) ** 2
        squares = series(lambda d: (row.at(d) - centre) ** 2, values)
        return sqrt(squares / features + layer.epsilon)

    def normalised(n: int, d: int) -> Expression:
        return (x.at(n, d) - total(x.line(n, None)) / features) / s.at(n, 0)

    return [
        sheet.result("s", "{s} = sqrt(sum_d ({x} - mean_d({x}))**2 / D + epsilon)", deviation),
        sheet.result("xhat", "{xhat} = ({x} - mean_d({x})) / {s}", normalised),
        *_gamma_beta_and_y(sheet),
    ]


def layer_norm_backward(layer: LayerNorm, sheet: Sheet) -> list[Quantity]:
    """Explain dgamma and dbeta, and dx through each sample's mean and variance."""
    found = _dgamma_and_dbeta(sheet)
    if "dx" not in sheet:
        return found
    dy, xhat, gamma, s = sheet["dy"], sheet["xhat"], sheet["gamma"], sheet["s"]
    features = Number(dy.array.shape[1], "D")

    def dx(n: int, d: int) -> Expression:
        given, scale, normalised = dy.line(n, None), gamma.line(None), xhat.line(n, None)
        dxhat = given.values * scale.values
        mean = series(lambda i: given.at(i) * scale.at(i), dxhat) / features
        along = (
            series(
                lambda i: given.at(i) * scale.at(i) * normalised.at(i), dxhat * normalised.values
            )
            / features
        )
        return (dy.at(n, d) * gamma.at(d) - mean - xhat.at(n, d) * along) / s.at(n, 0)

    formula = (
        "{dx} = (dxhat - mean_d(dxhat) - {xhat} * mean_d(dxhat * {xhat})) / {s}, "
        "with dxhat = {dy} * {gamma}"
    )
    return [*found, sheet.result("dx", formula, dx)]


def _gamma_beta_and_y(sheet: Sheet) -> list[Quantity]:
    xhat, gamma, beta = sheet["xhat"], sheet["gamma"], sheet["beta"]
    return [
        sheet.given("gamma"),
        sheet.given("beta"),
        sheet.result(
            "y",
            "{y} = {gamma} * {xhat} + {beta}",
            lambda n, d: gamma.at(d) * xhat.at(n, d) + beta.at(d),
        ),
    ]


def _dgamma_and_dbeta(sheet: Sheet) -> list[Quantity]:
    dy, xhat = sheet["dy"], sheet["xhat"]
    return [
        sheet.result(
            "dgamma",
            "{dgamma} = sum_n {dy}[n] * {xhat}[n]",
            lambda d: sheet.dot(dy.line(None, d), xhat.line(None, d)),
        ),
        sheet.result("dbeta", "{dbeta} = sum_n {dy}[n]", lambda d: total(dy.line(None, d))),
    ]


def _mean(line: Line, symbol: str) -> Number:
    return Number(float(line.values.mean()), symbol)
