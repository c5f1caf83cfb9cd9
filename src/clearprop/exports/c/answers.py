"""What logits say, as functions of C: classes, probabilities, sets, values, quantiles, intervals.

They are computed in double: there are few numbers, of which one decides.
"""

from dataclasses import dataclass, field
from string import Template
from typing import Final

from clearprop.exports.c import text as c_text
from clearprop.exports.c.source import texts_size
from clearprop.exports.description import Answer, ClassAnswer, ValueAnswer
from clearprop.preprocessing import PowerScale
from clearprop.preprocessing.coverage import percent


@dataclass
class AnswerCode:
    """Functions of logits.

    Attributes
    ----------
    sizes : dict of str to (int, str)
        Constants of the header, and the words for them.
    declared, defined : list of str
        Declarations with what they promise, and definitions.
    answers : dict of str to str
        How many numbers a function gives, by the end of its name.
    constants : int
        The bytes of texts.
    is_class : bool
        Whether the answer is the index of a class.
    """

    is_class: bool
    sizes: dict[str, tuple[int, str]] = field(default_factory=dict)
    declared: list[str] = field(default_factory=list)
    defined: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    constants: int = 0

    def add(self, head: str, promise: str, body: str) -> None:
        """Add a function that others may call."""
        self.declared.append(f"/* {promise} */\n{head};")
        self.defined.append(f"{head}\n{{\n{body.strip(chr(10))}\n}}")


def answer_code(answer: Answer, outputs: int, name: str) -> AnswerCode:
    """Return the functions of so many logits that a model's answer is made by.

    Their names begin with `name`.
    """
    if isinstance(answer, ClassAnswer):
        return _classes(answer, outputs, name)
    return _values(answer, name)


def _classes(answer: ClassAnswer, outputs: int, name: str) -> AnswerCode:
    upper = name.upper()
    code = AnswerCode(is_class=True, constants=texts_size(answer.names))
    code.sizes["CLASSES"] = (len(answer.names), "")
    count, logits = f"{upper}_CLASSES", f"const float logits[{upper}_OUTPUTS]"
    head = f"const char *const {name}_class_names[{count}]"
    code.declared.append(f"/* The names of the classes, in UTF-8. */\nextern {head};")
    code.defined.append(f"{head} = {{\n    {c_text.strings(answer.names)}\n}};")
    if answer.link != "identity":
        body = _LOGISTIC if answer.link == "logistic" else _SOFTMAX
        words = {"count": count, "divided": _divided(answer)}
        head = f"void {name}_probabilities({logits}, double shares[{count}])"
        code.add(head, "Write the probability of each class.", Template(body).substitute(words))
        code.answers["probabilities"] = count
    _add_class(answer, outputs, name, code)
    if answer.most is not None and answer.share is not None:
        body = _SET_LOGISTIC if answer.link == "logistic" else _SET_SOFTMAX
        words = {
            "count": count,
            "divided": _divided(answer),
            "most": c_text.double(answer.most),
        }
        code.add(
            f"void {name}_set({logits}, uint8_t holds[{count}])",
            f"Write 1 for each class of the set, else 0: it holds the true one for "
            f"{percent(answer.share)} of rows.",
            Template(body).substitute(words),
        )
        code.answers["set"] = count
    return code


def _divided(answer: ClassAnswer) -> str:
    """Return what divides a logit by the temperature."""
    return "" if answer.temperature == 1.0 else f" / {c_text.double(answer.temperature)}"


def _add_class(answer: ClassAnswer, outputs: int, name: str, code: AnswerCode) -> None:
    upper = name.upper()
    if answer.threshold is not None:
        said = f"from a probability of {answer.threshold:.6g} on the one of index {answer.positive}"
        words = {
            "name": name,
            "count": f"{upper}_CLASSES",
            "positive": str(answer.positive),
            "other": str(1 - answer.positive),
            "threshold": c_text.double(answer.threshold),
        }
        body = Template(_BY_THRESHOLD).substitute(words)
    elif outputs == 1:
        said, body = "the second one where the logit is positive", "    return logits[0] > 0.0f;"
    else:
        said, body = "the likeliest", Template(_LARGEST).substitute(count=f"{upper}_OUTPUTS")
    head = f"int {name}_class(const float logits[{upper}_OUTPUTS])"
    code.add(head, f"Return the index of the class: {said}.", body)


_SOFTMAX: Final = """
    double largest = -HUGE_VAL, sum = 0.0;
    for (int k = 0; k < $count; k++) {
        shares[k] = (double)logits[k]$divided;
        largest = shares[k] > largest ? shares[k] : largest;
    }
    for (int k = 0; k < $count; k++) {
        shares[k] = exp(shares[k] - largest);
        sum += shares[k];
    }
    for (int k = 0; k < $count; k++) {
        shares[k] /= sum;
    }
"""

_LOGISTIC: Final = """
    const double z = (double)logits[0]$divided;
    shares[0] = 1.0 / (1.0 + exp(z));
    shares[1] = 1.0 / (1.0 + exp(-z));
"""

_BY_THRESHOLD: Final = """
    double shares[$count];
    ${name}_probabilities(logits, shares);
    return shares[$positive] >= $threshold ? $positive : $other;
"""

_LARGEST: Final = """
    int best = 0;
    for (int k = 1; k < $count; k++) {
        best = logits[k] > logits[best] ? k : best;
    }
    return best;
"""

_SET_LOGISTIC: Final = """
    const double z = (double)logits[0]$divided;
    holds[0] = z <= $most;
    holds[1] = -z <= $most;
"""

_SET_SOFTMAX: Final = """
    /* The log odds against each class, by the logits: probabilities near 1 lose their digits. */
    double z[$count], sum = 0.0, others = 0.0;
    int top = 0, second = 1;
    for (int k = 0; k < $count; k++) {
        z[k] = (double)logits[k]$divided;
        if (k > 0 && z[k] > z[top]) {
            second = top;
            top = k;
        } else if (k > 1 && z[k] > z[second]) {
            second = k;
        }
    }
    for (int k = 0; k < $count; k++) {
        sum += exp(z[k] - z[top]);
        others += k == top ? 0.0 : exp(z[k] - z[second]);
    }
    for (int k = 0; k < $count; k++) {
        const double rest = sum - exp(z[k] - z[top]);
        const double against =
            k == top ? log(others) + z[second] - z[top] : log(rest) + z[top] - z[k];
        holds[k] = against <= $most;
    }
"""


_LINKS: Final = {
    "identity": "(double)logits[k]",
    "exp": "exp((double)logits[k])",
    "logistic": "1.0 / (1.0 + exp(-(double)logits[k]))",
}

_SORTED: Final = """\
/* The logits in ascending order: those of several quantiles, which may have crossed. */
static void sorted(const float *logits, double *z)
{
    for (int k = 0; k < ${NAME}_OUTPUTS; k++) {
        int place = k;
        for (; place > 0 && z[place - 1] > (double)logits[k]; place--) {
            z[place] = z[place - 1];
        }
        z[place] = (double)logits[k];
    }
}"""

_WITHIN: Final = """\
/* An answer kept within what was seen in training, in standard deviations. */
static double within(double z, int k)
{
    return fmax(fmin(z, answer_high[k]), answer_low[k]);
}"""

_RESTORED: Final = """\
/* An answer on the scale of what is predicted. */
static double restored(double z, int k)
{
    const double y = fmax(fmin(z * answer_std[k] + answer_mean[k], DBL_MAX), -DBL_MAX);
    return $scaled;
}"""


def _values(answer: ValueAnswer, name: str) -> AnswerCode:
    upper, code = name.upper(), AnswerCode(is_class=False)
    count, logits = f"{upper}_VALUES", f"const float logits[{upper}_OUTPUTS]"
    code.sizes["VALUES"] = (len(answer.mean), "")
    bounds = {"low": answer.low, "high": answer.high}
    for what, numbers in {"mean": answer.mean, "std": answer.std, **bounds}.items():
        if numbers is not None:
            entries = map(c_text.double, numbers)
            code.defined.append(c_text.table("double", f"answer_{what}", count, entries))
            code.constants += 8 * len(numbers)
    if answer.low is not None:
        code.defined.append(_WITHIN)
    scaled = "y" if answer.scale is None else _inverse(answer.scale)
    code.defined.append(Template(_RESTORED).substitute(scaled=scaled))
    if answer.levels:
        code.defined.append(Template(_SORTED).substitute(NAME=upper))
    within = answer.low is not None
    _add_values(answer, name, within, code)
    code.answers["values"] = count
    if answer.levels:
        levels = ", ".join(f"{level:.6g}" for level in answer.levels)
        quantiles = f"{upper}_OUTPUTS"
        code.add(
            f"void {name}_quantiles({logits}, double quantiles[{quantiles}])",
            f"Write the quantiles {levels}, in ascending order.",
            f"{_sorting(upper)}    for (int k = 0; k < {quantiles}; k++) {{\n"
            f"        quantiles[k] = restored({_within('z[k]', within, '0')}, 0);\n    }}",
        )
        code.answers["quantiles"] = quantiles
    if answer.most is not None and answer.share is not None:
        code.add(
            f"void {name}_interval({logits}, double ends[2 * {count}])",
            f"Write where the interval of each value begins, then where each ends: it holds the "
            f"true one for {percent(answer.share)} of rows.",
            _interval(answer, upper, within),
        )
        code.answers["interval"] = f"2 * {count}"
    return code


def _add_values(answer: ValueAnswer, name: str, within: bool, code: AnswerCode) -> None:
    upper = name.upper()
    body = f"        values[k] = restored({_within(_LINKS[answer.link], within, 'k')}, k);\n"
    body = f"    for (int k = 0; k < {upper}_VALUES; k++) {{\n{body}    }}"
    if answer.levels:
        median = " + ".join(f"{c_text.double(share)} * z[{at}]" for at, share in answer.median)
        body = f"{_sorting(upper)}    values[0] = restored({_within(median, within, '0')}, 0);"
    head = f"void {name}_values(const float logits[{upper}_OUTPUTS], double values[{upper}_VALUES])"
    code.add(head, "Write the values that are predicted, on their own scale.", body)


def _within(z: str, within: bool, index: str) -> str:
    return f"within({z}, {index})" if within else f"({z})"


def _sorting(upper: str) -> str:
    return f"    double z[{upper}_OUTPUTS];\n    sorted(logits, z);\n"


def _interval(answer: ValueAnswer, upper: str, within: bool) -> str:
    count = f"{upper}_VALUES"
    ends, start = [_LINKS[answer.link]] * 2, ""
    if answer.ends:
        ends, start = [f"z[{end}]" for end in answer.ends], _sorting(upper)
    most = c_text.double(answer.most or 0.0)
    lines = [
        f"    for (int k = 0; k < {count}; k++) {{",
        f"        double low = {_within(ends[0], within, 'k')} - {most};",
        f"        double high = {_within(ends[1], within, 'k')} + {most};",
    ]
    if most.startswith("-"):
        lines += [
            "        if (low > high) { /* nothing is left between the two */",
            "            low = high = (low + high) / 2.0;",
            "        }",
        ]
    lines += [
        "        ends[k] = restored(low, k);",
        f"        ends[{count} + k] = restored(high, k);",
        "    }",
    ]
    return start + "\n".join(lines)


def _inverse(scale: PowerScale) -> str:
    """Return what brings y back from a power or a logarithm, within bounds."""
    if scale.shift:
        up, down = _root("y", scale.exponent), _root("-y", 2.0 - scale.exponent)
        value = f"(y >= 0.0 ? expm1({up}) : -expm1({down}))"
    else:
        value = f"exp({_root('y', scale.exponent)})"
    low, high = map(c_text.double, scale.bounds)
    return f"fmax(fmin({value} * {c_text.double(scale.unit)}, {high}), {low})"


def _root(power: str, exponent: float) -> str:
    """Return ln x of the power (x^e - 1) / e."""
    if not exponent:
        return power
    e = c_text.double(exponent)
    return f"log1p(fmax({e} * {power}, -1.0)) / {e}"
