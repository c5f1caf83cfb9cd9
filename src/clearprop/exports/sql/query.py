"""A query of SQL as it is put together: common table expressions, and the arithmetic in them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from clearprop.core.printable import printable
from clearprop.errors import UsageError
from clearprop.exports.normal_distribution import normal_distribution

KEY = "row_id"
"""The column that names a row."""

MOST_COLUMNS = 1600
"""Columns of a table at most: PostgreSQL holds 1,664 in a query, SQLite 2,000."""

_ONE_BY_ONE = f"FIRST_VALUE({KEY}) OVER (ROWS CURRENT ROW) AS {KEY}"
_EXPONENT = 300.0  # whose exponentials, and their products with numbers of this size, are finite


@dataclass(frozen=True)
class Term:
    """A piece of SQL that gives a number.

    Parameters
    ----------
    text : str
    uses : frozenset of str
        The columns that it needs.
    level : int
        The number of tables that must be made before these are all there.
    is_simple : bool
        Whether it is a column or a constant, which may be written any number of times.
    """

    text: str
    uses: frozenset[str] = frozenset()
    level: int = 0
    is_simple: bool = False


def column(name: str) -> Term:
    """Return a column that is there."""
    return Term(name, frozenset((name,)), is_simple=True)


def number(value: float | np.floating) -> Term:
    """Return a constant."""
    text = literal(value)
    return Term(f"({text})" if text.startswith("-") else text, is_simple=True)


def literal(value: float | np.floating) -> str:
    """Write a number of float64, which the E says it is, by as few digits as its type needs."""
    mantissa, _, exponent = np.format_float_scientific(value, trim="-").partition("e")
    return f"{mantissa}E{int(exponent)}"


def text_literal(text: str, what: str) -> str:
    """Write a text.

    Raises
    ------
    UsageError
        If no database can hold it.
    """
    _require_text(text, what)
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str, what: str) -> str:
    """Write the name of a column of the user's table.

    Raises
    ------
    UsageError
        If no database can have such a column.
    """
    _require_text(name, what)
    if not name:
        raise UsageError(f"{what} has no name, and SQL has no columns without. Name it, and train.")
    return '"' + name.replace('"', '""') + '"'


def comment(text: str) -> str:
    """Write lines that a database passes over, whatever they say."""
    lines = (printable(line, one_line=True) for line in text.split("\n"))
    return "\n".join(f"-- {line}".rstrip() for line in lines)


def of(template: str, *terms: Term) -> Term:
    """Put terms into the places ``{0}``, ``{1}``, ... of a text, each of which appears once."""
    uses = frozenset[str]().union(*(one.uses for one in terms))
    level = max((one.level for one in terms), default=0)
    return Term(template.format(*(one.text for one in terms)), uses, level)


def needing(text: str, *terms: Term) -> Term:
    """Return a text as it is, which the columns of some terms must be there for."""
    needed = of("", *terms)
    return Term(text, needed.uses, needed.level)


def total(terms: Sequence[Term]) -> Term:
    """Add terms two by two: a chain of a thousand is deeper than SQLite goes."""
    while len(terms) > 1:
        pairs = [terms[at : at + 2] for at in range(0, len(terms), 2)]
        terms = [of("({0} + {1})", *pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return terms[0]


@dataclass
class Query:
    """Tables one after the other, and formulas as SQL has them.

    Attributes
    ----------
    tables : list of str
        The common table expressions.
    columns : list of str
        The columns of the last one.
    """

    tables: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    _held: dict[str, Term] = field(default_factory=dict)
    _names: dict[str, Term] = field(default_factory=dict)
    _last: str = "data"
    _count: int = 0

    def start(self, columns: Mapping[str, str], key: str, remark: str) -> None:
        """Make the first table of the user's own."""
        chosen = [f"{key} AS {KEY}", *(f"{text} AS {name}" for name, text in columns.items())]
        self._make("source", chosen, remark)
        self.columns = list(columns)

    def held(self, term: Term) -> Term:
        """Return a column of its own for what is written more than once."""
        if term.is_simple:
            return term
        if term.text not in self._names:
            self._count += 1
            name = f"t{self._count}"
            self._held[name] = term
            self._names[term.text] = Term(name, frozenset((name,)), term.level + 1, is_simple=True)
        return self._names[term.text]

    def table(
        self, name: str, results: Mapping[str, Term], keep: Iterable[str], remark: str = ""
    ) -> None:
        """Make a table of results, and those before it of what they hold.

        Parameters
        ----------
        name : str
        results : mapping of str to Term
            The new columns.
        keep : iterable of str
            The columns of before that are needed later, too.
        remark : str, default ""
            What is said of it.
        """
        last = max((one.level for one in results.values()), default=0)
        kept_on = set(keep)
        for level in range(last + 1):
            made = {key: one for key, one in self._held.items() if one.level == level}
            later = [one for one in self._held.values() if one.level > level]
            if level == last:
                made, later = dict(results), []
            else:
                later += results.values()
            needed = kept_on.union(*(one.uses for one in later))
            kept = [one for one in self.columns if one in needed]
            self.columns = [*kept, *made]
            called = name if level == last else f"{name}_{level + 1}"
            new = [f"{one.text} AS {key}" for key, one in made.items()]
            self._make(called, [_ONE_BY_ONE, *kept, *new], remark if level == 0 else "")
        self._held, self._names = {}, {}

    def text(self) -> str:
        """Return the statement: all columns of the last table."""
        chosen = ",\n  ".join([KEY, *self.columns])
        tables = ",\n".join(self.tables)
        return f"WITH\n{tables}\nSELECT\n  {chosen}\nFROM {self._last};\n"

    def _make(self, name: str, chosen: list[str], remark: str) -> None:
        if len(chosen) > MOST_COLUMNS:
            raise UsageError(
                f"The table {name} of the query would have {len(chosen):,} columns, and databases "
                f"hold {MOST_COLUMNS:,}. Train a narrower network, or export to another format."
            )
        said = f"{comment(remark)}\n" if remark else ""
        lines = ",\n  ".join(chosen)
        self.tables.append(f"{said}{name} AS (\n  SELECT\n  {lines}\n  FROM {self._last}\n)")
        self._last = name

    # Formulas: what `clearprop.core.spelling.spelled` puts together.

    def number(self, value: float) -> Term:
        """Return a constant."""
        return number(value)

    def add(self, left: Term, right: Term) -> Term:
        """Return left + right."""
        return of("({0} + {1})", left, right)

    def multiply(self, left: Term, right: Term) -> Term:
        """Return left * right."""
        if left is right:
            left = right = self.held(left)
        return of("({0} * {1})", left, right)

    def divide(self, left: Term, right: Term) -> Term:
        """Return left / right."""
        return of("({0} / {1})", left, right)

    def negative(self, one: Term) -> Term:
        """Return -one."""
        return of("(-{0})", one)

    def call(self, name: str, arguments: tuple[Term, ...]) -> Term:
        """Return the function of that name, or what it is by others."""
        if name == "max":
            return self.larger(*arguments)
        (x,) = arguments
        if name == "Phi":
            return normal_distribution(self.held(x), self, self.held)
        if name == "exp":
            return of("EXP({0})", self.between(x, -_EXPONENT, _EXPONENT))
        if name == "tanh":  # which older databases lack
            twice = of("2E0 * {0}", self.between(x, -_EXPONENT / 2, _EXPONENT / 2))
            return of("(1E0 - 2E0 / (EXP({0}) + 1E0))", twice)
        return of(f"{'LN' if name == 'log' else name.upper()}({{0}})", x)

    def choose(self, tested: Term, then: Term, otherwise: Term) -> Term:
        """Return one of two, by whether tested > 0."""
        return of("CASE WHEN {0} > 0E0 THEN {1} ELSE {2} END", tested, then, otherwise)

    def larger(self, left: Term, right: Term) -> Term:
        """Return the larger one; NULL where the left one is."""
        left, right = self.held(left), self.held(right)
        a, b = left.text, right.text
        return needing(f"CASE WHEN {a} <= {b} THEN {b} ELSE {a} END", left, right)

    def between(self, x: Term, low: float, high: float) -> Term:
        """Return the nearest number from low to high; NULL where x is."""
        x = self.held(x)
        below, above = (
            f"WHEN {x.text} {sign} {literal(end)} THEN {literal(end)}"
            for sign, end in (("<", low), (">", high))
        )
        return needing(f"CASE {below} {above} ELSE {x.text} END", x)


def _require_text(text: str, what: str) -> None:
    if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise UsageError(
            f"{what} {text!r} holds a character that no text of a database can. Rename it in the "
            "data, and train again."
        )
