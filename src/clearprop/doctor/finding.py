"""What the doctor says: one finding, and all of them."""

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from clearprop.configuration import Json
from clearprop.doctor import words
from clearprop.doctor.prescription import as_option, in_python

Changes: TypeAlias = Mapping[str, Any]
"""Settings to change, by the names that `clearprop train` gives them, without dashes."""

_WIDTH = 77  # columns of a sentence, which stands behind three of space


@dataclass(frozen=True)
class Finding:
    """One illness of a training, by which measurement, and what to type instead.

    Parameters
    ----------
    illness : str
        Its key: ``"small_initial_weights"``.
    measured : float
        What was measured.
    threshold : float
        From where on it is an illness.
    layer : str, optional
        Where it is worst, by its place in the network; None where it lies in no layer.
    changes : mapping
        What to change: settings by the names that `clearprop train` gives them, without dashes.
        Empty where no setting cures it, or where the change of an earlier finding does.
    facts : mapping
        What else the sentences tell, in JSON values.
    variant : str, default ""
        Which of several ways to have the illness, where there are several.
    harm : int, default 0
        Its place among all illnesses by harm: 1 is the worst.
    """

    illness: str
    measured: float
    threshold: float
    layer: str | None = None
    changes: Changes = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""
    harm: int = 0

    @property
    def name(self) -> str:
        """What the illness is called."""
        return words.NAMES[self.illness]

    @property
    def measurement(self) -> str:
        """What was measured, in a sentence or two."""
        told = self._told(words.MEASUREMENTS)
        trial = self.facts.get("trial")
        return f"{told} {words.TRIAL.format(**trial)}" if trial else told

    @property
    def reason(self) -> str:
        """Why the threshold lies where it does, and who says so."""
        return self._told(words.REASONS)

    @property
    def advice(self) -> str:
        """What to do, in a sentence."""
        if "cause" in self.facts:
            return words.CONSEQUENCE.format(cause=words.NAMES[self.facts["cause"]].lower())
        return self._told(words.ADVICE)

    @property
    def python(self) -> tuple[str, ...]:
        """What to type in Python, a line for each change."""
        optimizer = self.facts.get("optimizer", "SGD")
        return tuple(in_python(name, value, optimizer) for name, value in self.changes.items())

    @property
    def command(self) -> str:
        """What to add to ``clearprop train`` on the command line; empty without changes."""
        return _command(self.changes)

    def apply(self, settings: Any) -> Any:
        """Return settings with the changes made.

        Parameters
        ----------
        settings : mapping or dataclass instance
            Such as `clearprop.experiment.Settings`, or a dictionary by the same names.

        Returns
        -------
        object
            Of the kind that was given, which is left as it is.
        """
        return _changed(settings, self.changes)

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return {
            "illness": self.illness,
            "name": self.name,
            "harm": self.harm,
            "layer": self.layer,
            "measured": self.measured,
            "threshold": self.threshold,
            "measurement": self.measurement,
            "reason": self.reason,
            "advice": self.advice,
            "changes": dict(self.changes),
            "python": list(self.python),
            "command": self.command,
            "facts": dict(self.facts),
        }

    def __str__(self) -> str:
        where = "" if self.layer is None else words.IN_LAYER.format(layer=self.layer)
        lines = [self.name + where]
        for sentence in (self.measurement, self.reason, self.advice):
            lines += textwrap.wrap(sentence, _WIDTH)
        lines += [f"{words.PYTHON}  {line}" for line in self.python]
        if self.command:
            lines.append(f"{words.COMMAND_LINE}  {self.command}")
        return "\n   ".join(lines)

    def _told(self, templates: Mapping[str, str]) -> str:
        """Fill in the template of the variant, or else of the illness."""
        template = templates.get(f"{self.illness}/{self.variant}") or templates[self.illness]
        numbers = {"measured": self.measured, "threshold": self.threshold, "layer": self.layer}
        return template.format(**self.facts, **numbers, which=self._which())

    def _which(self) -> str:
        """Write the samples that it is about."""
        rows = self.facts.get("rows", ())
        named = self.facts.get("sources")
        return ", ".join(named) if named else words.PLACES.format(rows=", ".join(map(str, rows)))


@dataclass(frozen=True)
class Examination(Sequence[Finding]):
    """What an examination found, the most harmful first; empty for a healthy training.

    Parameters
    ----------
    findings : tuple of Finding
    """

    findings: tuple[Finding, ...]

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, place: Any) -> Any:
        return self.findings[place]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    @property
    def illnesses(self) -> tuple[str, ...]:
        """The keys of what was found, the most harmful first."""
        return tuple(finding.illness for finding in self)

    @property
    def changes(self) -> dict[str, Any]:
        """Every change that the findings advise; where two differ, the more harmful one's."""
        return merged(self.findings)

    @property
    def command(self) -> str:
        """All of it to add to ``clearprop train`` on the command line."""
        return _command(self.changes)

    def apply(self, settings: Any) -> Any:
        """Return settings with every change made, as `Finding.apply` does with one's."""
        return _changed(settings, self.changes)

    def named(self, names: "Names") -> "Examination":
        """Return it with the names of classes and samples in the place of their numbers."""
        return Examination(tuple(names.put_into(finding) for finding in self))

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return {
            "healthy": not self.findings,
            "findings": [finding.to_json() for finding in self],
            "changes": self.changes,
            "command": self.command,
        }

    def __str__(self) -> str:
        if not self.findings:
            return words.HEALTHY
        return "\n\n".join(f"{place}. {finding}" for place, finding in enumerate(self, start=1))


@dataclass(frozen=True)
class Names:
    """How people call what findings know by number.

    Parameters
    ----------
    classes : sequence of str, or None
        By class number; None where there are no classes.
    trained, held_out : callable
        The source of a training sample, and of a held-out one, by its place.
    """

    classes: Sequence[str] | None
    trained: Callable[[int], str]
    held_out: Callable[[int], str]

    def put_into(self, finding: Finding) -> Finding:
        """Return a finding whose sentences tell names."""
        facts = dict(finding.facts)
        for fact in ("answer", "rare", "common"):
            if fact in facts and self.classes is not None:
                facts[fact] = self.classes[facts[fact]]
        if "rows" in facts:
            source = self.held_out if facts["held_out"] else self.trained
            facts["sources"] = [source(row) for row in facts["rows"]]
        return replace(finding, facts=facts)


def merged(findings: Sequence[Finding]) -> dict[str, Any]:
    """Put the changes of findings together; the first that changes a setting goes before."""
    changes: dict[str, Any] = {}
    for finding in findings:
        for name, value in finding.changes.items():
            changes.setdefault(name, value)
    return changes


def _changed(settings: Any, changes: Changes) -> Any:
    if isinstance(settings, Mapping):
        return {**settings, **changes}
    return replace(settings, **changes)


def _command(changes: Changes) -> str:
    return " ".join(as_option(name, value) for name, value in changes.items())
