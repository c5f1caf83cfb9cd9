"""An illness with all that is about it, a finding of one, and all findings of an examination."""

import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

from clearprop.configuration import Json
from clearprop.core import html
from clearprop.doctor.case import Case
from clearprop.doctor.treatment import Changes, as_options, in_python
from clearprop.errors import listed

Sentence: TypeAlias = str | Mapping[str, str]
"""A template, or one for each variant of an illness with the usual one under ``""``."""

_HEALTHY = "Healthy: no illness was found."
_WIDTH = 77  # columns of a sentence, which stands behind three of space


@dataclass(frozen=True)
class Illness(ABC):
    """Base of every illness: how it is recognised, what is said of it, and what cures it.

    The sentences are templates of `str.format`, filled in with ``measured``, ``threshold``,
    ``layer``, ``which`` (the samples of the fact ``rows``) and the facts of the finding.

    Attributes
    ----------
    key : str
        The name for programs: ``"small_initial_weights"``.
    name : str
        The name for people.
    threshold : float
        The number beyond which the measured one means illness.
    measurement : str, or mapping of str to str
        The sentence about what was measured; a mapping has one for each variant.
    reason : str, or mapping of str to str
        The sentence about why the threshold lies where it does, and who says so.
    advice : str, or mapping of str to str
        The sentence about what to do.
    cures : tuple of mapping
        The changes of which `proven` advises the one that helps most; empty where `look` chooses.
    class_facts : tuple of str
        The facts that are class numbers, in whose place sentences tell the classes' names.
    is_early : bool
        Whether it can be told before the first update.
    no_rate_helps : bool
        Whether no learning rate helps against it, so that none is tried.
    """

    key: ClassVar[str]
    name: ClassVar[str]
    threshold: ClassVar[float]
    measurement: ClassVar[Sentence]
    reason: ClassVar[Sentence]
    advice: ClassVar[Sentence]
    cures: ClassVar[tuple[Changes, ...]] = ()
    class_facts: ClassVar[tuple[str, ...]] = ()
    is_early: ClassVar[bool] = False
    no_rate_helps: ClassVar[bool] = False

    consequence: ClassVar[str] = "A consequence of what stands above ({cause}), and cured with it."
    trial: ClassVar[str] = (
        "A trial of {updates} updates with the advice reaches {reached}; the training reached "
        "{own}."
    )

    @abstractmethod
    def look(self, case: Case, found: Sequence["Finding"]) -> "Finding | None":
        """Say whether a training has it.

        Parameters
        ----------
        case : Case
        found : sequence of Finding
            The more harmful illnesses that the training has.

        Returns
        -------
        Finding or None
        """

    def finding(
        self,
        measured: float,
        *,
        layer: str | None = None,
        changes: Changes | None = None,
        cause: "Finding | None" = None,
        variant: str = "",
        threshold: float | None = None,
        **facts: Any,
    ) -> "Finding":
        """Make the finding for what was measured; a variant may have a threshold of its own.

        Of the facts, ``rows`` are the places of samples, and ``held_out`` says of which part.
        """
        return Finding(
            of=self,
            measured=float(measured),
            threshold=self.threshold if threshold is None else threshold,
            layer=layer,
            changes=changes or {},
            facts=facts,
            variant=variant,
            cause=None if cause is None else cause.of,
        )

    def proven(
        self,
        case: Case,
        found: Sequence["Finding"],
        measured: float,
        *,
        layer: str | None = None,
        **facts: Any,
    ) -> "Finding | None":
        """Make the finding if one of `cures` helps; what a cause explains needs none of its own.

        Returns
        -------
        Finding or None
            None where nothing helps: then whatever was measured does no harm.
        """
        if case.is_well:
            return None
        if cause := first_cause(found):
            return self.finding(measured, layer=layer, cause=cause, **facts)
        changes = max(self.cures, key=lambda one: case.trials.reach(one).value)
        reached = case.cure(changes)
        if reached is None:
            return None
        trial = case.trial_facts(reached)
        return self.finding(measured, layer=layer, changes=changes, trial=trial, **facts)


@dataclass(frozen=True)
class Finding:
    """One illness of a training, by which measurement, and what to type instead.

    Parameters
    ----------
    of : Illness
    measured : float
        The number that was measured.
    threshold : float
        The number from which on it is an illness.
    layer : str, optional
        The place in the network where it is worst; None where it lies in no layer.
    changes : mapping
        The settings to change, by the names that `clearprop train` gives them, without dashes;
        empty where no setting cures it, or where the change of an earlier finding does.
    facts : mapping
        Everything else that the sentences tell, in JSON values.
    variant : str, default ""
        The way in which it has the illness, where there are several.
    cause : Illness, optional
        The more harmful illness that it is a consequence of.
    harm : int, default 0
        The place among all illnesses by harm: 1 is the worst.
    """

    of: Illness
    measured: float
    threshold: float
    layer: str | None = None
    changes: Changes = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""
    cause: Illness | None = None
    harm: int = 0

    @property
    def illness(self) -> str:
        """The key of the illness: ``"small_initial_weights"``."""
        return self.of.key

    @property
    def name(self) -> str:
        """The name of the illness."""
        return self.of.name

    @property
    def measurement(self) -> str:
        """A sentence or two about what was measured."""
        told = self._told(self.of.measurement)
        trial = self.facts.get("trial")
        return f"{told} {self.of.trial.format(**trial)}" if trial else told

    @property
    def reason(self) -> str:
        """A sentence about why the threshold lies where it does, and who says so."""
        return self._told(self.of.reason)

    @property
    def advice(self) -> str:
        """A sentence about what to do."""
        if self.cause is not None:
            return self.of.consequence.format(cause=self.cause.name.lower())
        return self._told(self.of.advice)

    @property
    def python(self) -> tuple[str, ...]:
        """A line to type in Python for each change."""
        optimizer = self.facts.get("optimizer", "SGD")
        return tuple(in_python(name, value, optimizer) for name, value in self.changes.items())

    @property
    def command(self) -> str:
        """The options to add to ``clearprop train``; empty without changes."""
        return as_options(self.changes)

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
        cause: dict[str, Json] = {} if self.cause is None else {"cause": self.cause.key}
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
            "facts": cause | dict(self.facts),
        }

    @property
    def _title(self) -> str:
        return self.name if self.layer is None else f"{self.name}, layer {self.layer}"

    @property
    def _typed(self) -> list[str]:
        """What to type, in Python and on the command line."""
        typed = [f"Python:        {line}" for line in self.python]
        return [*typed, f"command line:  {self.command}"] if self.command else typed

    def __str__(self) -> str:
        lines = [self._title]
        for sentence in (self.measurement, self.reason, self.advice):
            lines += textwrap.wrap(sentence, _WIDTH)
        return "\n   ".join([*lines, *self._typed])

    def _repr_html_(self) -> str:
        return html.fragment(self.markup())

    def markup(self) -> html.Markup:
        """Return it as HTML."""
        parts = [html.element("strong", self._title, "bad"), html.element("p", self.measurement)]
        parts += [html.element("p", self.reason, "faint"), html.element("p", self.advice)]
        parts += [html.element("pre", "\n".join(self._typed))] if self._typed else []
        return html.Markup("".join(parts))

    def _told(self, sentence: Sentence) -> str:
        """Fill in the template of the variant, or else the usual one."""
        if not isinstance(sentence, str):
            sentence = sentence.get(self.variant) or sentence[""]
        numbers = {"measured": self.measured, "threshold": self.threshold, "layer": self.layer}
        return sentence.format(**self.facts, **numbers, which=self._which())

    def _which(self) -> str:
        """Write the samples that it is about."""
        rows = listed(self.facts.get("rows", ()))
        return listed(self.facts.get("sources", ())) or f"numbers {rows} (counted from 0)"


@dataclass(frozen=True, repr=False)
class Examination(Sequence[Finding]):
    """The findings of an examination, the most harmful first; empty for a healthy training.

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
        """All options to add to ``clearprop train``."""
        return as_options(self.changes)

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
        found = (f"{place}. {finding}" for place, finding in enumerate(self, start=1))
        return "\n\n".join(found) or _HEALTHY

    __repr__ = __str__

    def _repr_html_(self) -> str:
        found = html.Markup("".join(html.element("li", one.markup()) for one in self))
        healthy = html.element("p", html.element("strong", _HEALTHY, "good"))
        return html.fragment(html.element("ol", found) if found else healthy)


@dataclass(frozen=True)
class Names:
    """The names of what findings know by number.

    Parameters
    ----------
    classes : sequence of str, or None
        The names by class number; None where there are no classes.
    trained, held_out : callable
        The source of a training sample, and of a held-out one, by its place.
    features : sequence of str
        The names of a sample's numbers; empty where they have none.
    """

    classes: Sequence[str] | None
    trained: Callable[[int], str]
    held_out: Callable[[int], str]
    features: Sequence[str] = ()

    def put_into(self, finding: Finding) -> Finding:
        """Return a finding whose sentences tell names."""
        facts = dict(finding.facts)
        for fact in finding.of.class_facts:
            if fact in facts and self.classes is not None:
                facts[fact] = self.classes[facts[fact]]
        if "feature" in facts and self.features:
            facts["feature"] = self.features[facts["feature"]]
        if "rows" in facts:
            source = self.held_out if facts["held_out"] else self.trained
            facts["sources"] = [source(row) for row in facts["rows"]]
        return replace(finding, facts=facts)


def first_cause(found: Sequence[Finding]) -> Finding | None:
    """Return the first finding that changes something: what follows may be due to it."""
    return next((finding for finding in found if finding.changes), None)


def is_found(found: Sequence[Finding], *illnesses: type[Illness]) -> bool:
    """Whether one of some illnesses is among the findings."""
    return any(isinstance(finding.of, illnesses) for finding in found)


def merged(found: Sequence[Finding]) -> dict[str, Any]:
    """Put the changes of findings together; the first that changes a setting goes before."""
    changes: dict[str, Any] = {}
    for finding in found:
        for name, value in finding.changes.items():
            changes.setdefault(name, value)
    return changes


def _changed(settings: Any, changes: Changes) -> Any:
    if isinstance(settings, Mapping):
        return {**settings, **changes}
    return replace(settings, **changes)
