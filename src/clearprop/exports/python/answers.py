"""What logits say, as text of Python: classes, probabilities, values, and how sure they are."""

from collections.abc import Callable, Iterable
from textwrap import indent
from typing import Any

from clearprop.exports.description import Answer, ClassAnswer, ValueAnswer
from clearprop.exports.python import parts
from clearprop.preprocessing import PowerScale

Used = set[Callable[..., Any]]


def answers_text(answer: Answer, outputs: int) -> tuple[str, Used]:
    """Write the functions that answer, and say which functions of `numpy_parts` they need.

    Parameters
    ----------
    answer : ClassAnswer or ValueAnswer
    outputs : int
        The number of logits.
    """
    if isinstance(answer, ClassAnswer):
        return _of_classes(answer, outputs)
    return _of_values(answer), set()


def function_text(signature: str, said: str, body: str) -> str:
    """Write a function."""
    return f'def {signature}:\n    """{said}"""\n{body}'


def _of_classes(answer: ClassAnswer, outputs: int) -> tuple[str, Used]:
    names = f"CLASSES = {tuple(answer.names)!a}"
    z = "logits(rows)" if answer.temperature == 1 else f"logits(rows) / {answer.temperature!r}"
    used: Used = set()
    chunks = [names]
    if answer.threshold is None:
        place = (
            "(logits(rows)[:, 0] > 0).astype(int)"
            if outputs == 1
            else "logits(rows).argmax(axis=1)"
        )
    else:
        yes, no = answer.positive, 1 - answer.positive
        place = f"np.where(predict_proba(rows)[:, {yes}] >= {answer.threshold!r}, {yes}, {no})"
    chunks.append(
        function_text(
            "predict(rows: Any) -> Array",
            "Return the name of each row's class, shape (N,).",
            f"    return np.array(CLASSES)[{place}]",
        )
    )
    if answer.link != "identity":
        if answer.link == "logistic":
            lines = f'z = {z}\nwith np.errstate(over="ignore"):\n    p = 1 / (1 + np.exp(-z))\n'
            body = f"{lines}return np.hstack([1 - p, p])"
        else:
            body, used = f"return softmax({z})", {parts.softmax}
        said = "Return the probability of each class, shape (N, K), in the order of CLASSES."
        chunks.append(
            function_text("predict_proba(rows: Any) -> Array", said, indent(body, "    "))
        )
    if answer.most is not None:
        said = f"Return whether each class is in the set of a row, which holds {answer.share:.12g}."
        if answer.link == "logistic":
            body = f"z = {z}\nreturn np.hstack([z, -z]) <= {answer.most!r}"
        else:
            body, used = f"return odds_against({z}) <= {answer.most!r}", used | {parts.odds_against}
        chunks.append(function_text("predict_set(rows: Any) -> Array", said, indent(body, "    ")))
    return "\n\n\n".join(chunks), used


def _of_values(answer: ValueAnswer) -> str:
    chunks = []
    link = {
        "identity": "z",
        "exp": "np.exp(z)",
    }[answer.link]
    z = "z = logits(rows)"
    if answer.median:
        ordered = "np.sort(logits(rows), axis=1)"
        terms = (f"{share!r} * z[:, {place}]" for place, share in answer.median)
        z, link = f"z = {ordered}", f"({' + '.join(terms)})[:, None]"
    flat = "[:, 0]" if len(answer.mean) == 1 else ""
    body = f'{z}\nwith np.errstate(over="ignore"):\n    return restored(within({link})){flat}'
    shape = "(N,)" if flat else f"(N, {len(answer.mean)})"
    said = f"Return the value of each row, shape {shape}."
    chunks.append(function_text("predict(rows: Any) -> Array", said, indent(body, "    ")))
    if answer.levels:
        body = "z = np.sort(logits(rows), axis=1)\nreturn restored(within(z))"
        said = f"Return the quantiles {', '.join(f'{one:g}' for one in answer.levels)} of each row."
        chunks.append(
            function_text("predict_quantiles(rows: Any) -> Array", said, indent(body, "    "))
        )
    if answer.most is not None:
        chunks.append(_interval(answer, z, link))
    low, high = (repr(list(one)) if one else None for one in (answer.low, answer.high))
    within = "z" if low is None else f"np.clip(z, {low}, {high})"
    said = "Keep answers within what was learned from." if low else "Return answers as they are."
    chunks.append(function_text("within(z: Array) -> Array", said, f"    return {within}"))
    chunks.append(_restored(answer))
    return "\n\n\n".join(chunks)


def _interval(answer: ValueAnswer, z: str, link: str) -> str:
    ends = [f"within(z[:, [{end}]])" for end in answer.ends] or [f"within({link})"] * 2
    lines = [z, 'with np.errstate(over="ignore"):']
    lines.append(f"    low, high = {ends[0]} - {answer.most!r}, {ends[1]} + {answer.most!r}")
    if answer.most is not None and answer.most < 0:
        lines.append("    middle = (low + high) / 2")
        lines.append("    low, high = np.minimum(low, middle), np.maximum(high, middle)")
    flat = "[:, 0]" if len(answer.mean) == 1 else ""
    lines.append(f"    return np.stack([restored(low){flat}, restored(high){flat}], axis=1)")
    said = (
        f"Return where the interval of each row begins and ends, which holds {answer.share:.12g}."
    )
    return function_text(
        "predict_interval(rows: Any) -> Array", said, indent("\n".join(lines), "    ")
    )


def _restored(answer: ValueAnswer) -> str:
    largest = "np.finfo(np.float64).max"
    lines = [f"t = z * {list(answer.std)!r} + {list(answer.mean)!r}"]
    lines.append(f"t = np.clip(t, -{largest}, {largest})")
    lines += ["return t"] if answer.scale is None else _scale_lines(answer.scale)
    said = "Bring standardised values back to their own scale."
    return function_text("restored(z: Array) -> Array", said, indent("\n".join(lines), "    "))


def _scale_lines(scale: PowerScale) -> Iterable[str]:
    def root(text: str, exponent: float) -> str:
        if not exponent:
            return text
        inside = f"np.maximum({exponent!r} * {text}, -1.0)"
        return f"np.log1p({inside}) / {exponent!r}"

    yield 'with np.errstate(divide="ignore"):'
    if scale.shift:
        yield f"    up = np.expm1({root('np.maximum(t, 0.0)', scale.exponent)})"
        yield f"    y = up - np.expm1({root('np.maximum(-t, 0.0)', 2.0 - scale.exponent)})"
    else:
        yield f"    y = np.exp({root('t', scale.exponent)})"
    yield f"return np.clip(y * {scale.unit!r}, {scale.bounds[0]!r}, {scale.bounds[1]!r})"
