"""Arguments for a learner's function: by default, by name, by what other functions returned."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal, TypeAlias, get_origin

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, watch
from clearprop.gradcheck.seeing.calling import choices
from clearprop.gradcheck.seeing.calling.choices import CHOSEN, paired_for
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.lessons import Learning, drawn_like
from clearprop.gradcheck.seeing.calling.materials import Data
from clearprop.gradcheck.seeing.calling.pool import Pool
from clearprop.gradcheck.seeing.calling.roles import Role, role_of, roles_of, snake
from clearprop.gradcheck.seeing.calling.samples import (
    batch_for,
    ids_for,
    pairs_for,
    table_for,
    targets_for,
    upstream_for,
)
from clearprop.gradcheck.seeing.calling.sizes import size_for
from clearprop.gradcheck.seeing.calling.unknown import by_items, by_parts, by_usage, settings_for
from clearprop.gradcheck.seeing.calling.usage import used
from clearprop.gradcheck.seeing.calling.usual import layers_with, pair_for
from clearprop.gradcheck.seeing.calling.weights import (
    drawn,
    drawn_flat,
    drawn_lists,
    drawn_tables,
    is_weight,
)

Changing: TypeAlias = Literal["all", "unsaid", "targets", "none"]
"""Arguments: all, those that are inputs or not said, the targets alone, or none of them."""

_EMPTY = inspect.Parameter.empty
_NUMBERS = (
    "sizes",
    "objects",
    "shape",
    "hidden",
    "depth",
    "features",
    "classes",
    "filters",
    "channels",
    "window",
)
_NEVER_DEFAULT = (
    "inputs",
    "targets",
    "pairs",
    "outputs",
    "upstream",
    "cache",
    "parameters",
    "weight",
)


class NoArgumentError(Exception):
    """Nothing is known for an argument."""

    def __init__(self, name: str) -> None:
        super().__init__(f"nothing is known for its argument {name}")


class NoSuchWayError(Exception):
    """The code has nothing that could be called in this way."""


@dataclass(eq=False)
class Arguments:
    """The arguments that a call gets.

    Parameters
    ----------
    defined : Defined
    data : Data
    pool : Pool
    make : callable
        A function that makes an object of one of the learner's classes.
    layers : callable
        A function that makes a chain of layers; an empty one where there are no such classes.
    """

    defined: Defined
    data: Data
    pool: Pool
    make: Callable[[type], Any] | None = None
    layers: Callable[[], list[Any]] | None = None

    def call(
        self,
        function: Callable[..., Any],
        *,
        making: bool = False,
        variant: int = 0,
        fixed: Mapping[str, Any] | None = None,
        changing: Changing = "unsaid",
    ) -> Any:
        """Call a function.

        Parameters
        ----------
        function : callable
        making : bool
            Whether it makes a network.
        variant : int
            0 gives arguments by name; 1 prefers defaults; 2 and 3 give lists and tuples of sizes,
            4 a number, to what they don't know.
        fixed : mapping of str to object, optional
            Arguments that are known.
        changing : str
            Which arguments are changed where the call fails, with data for which that is done.

        Raises
        ------
        NoArgumentError
        """
        given, more = self.fitting(function, making, variant, fixed or {})
        alone = {one.name for one in self._asked(function) if one.kind == one.KEYWORD_ONLY}

        def call(given: dict[str, Any]) -> Any:
            places = [one for name, one in given.items() if name not in alone]
            return function(*places, *more, **{name: given[name] for name in alone})

        if changing == "none" or not self.data.kind.learns:
            return call(given)
        said, data = fixed or {}, self.data
        kept = frozenset(
            name
            for name, one in given.items()
            if (changing == "targets" and one is not data.targets)
            or (changing == "unsaid" and name in said and one is not data.inputs)
        )
        others = self._laid_like_outputs(given) if changing == "targets" else ()
        result, last = Learning(self.defined, data.kind, kept).call(call, given, *others)
        for name, value in last.items():
            if value is not given[name]:
                self._keep(name, given[name], value)
        return result

    def _laid_like_outputs(self, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield arguments with targets that lie as what the forward pass has returned does."""
        targets, outputs = self.data.targets, self.pool.by_role("outputs")
        outputs = self.pool.output if outputs is None else outputs
        with suppress(ValueError):  # of arrays of several shapes
            shape = np.shape(outputs)
            if type(targets) is Watched and shape != targets.shape and targets.dtype.kind == "f":
                laid = drawn_like(targets, shape)
                yield {name: laid if one is targets else one for name, one in given.items()}

    def _keep(self, name: str, before: Any, value: Any) -> None:
        """Take another value for one that did not fit, wherever it is wanted."""
        if before is self.data.inputs:
            self.data.inputs = value
        elif before is self.data.targets:
            self.data.targets = value
        else:
            self.pool.keep(name, value)

    def fitting(
        self, function: Callable[..., Any], making: bool, variant: int, fixed: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Any]]:
        """Return the arguments for a function by name, and what it takes beside them."""
        asked = self._asked(function)
        roles = roles_of([one.name for one in asked], making)
        if not making:
            roles = {
                name: role_of(name, making=True) if _SIZE.search(name) or not role else role
                for name, role in roles.items()
            }
        given: dict[str, Any] = {}
        for one in asked:
            given[one.name] = (
                fixed[one.name]
                if one.name in fixed
                else self._value(function, one, roles, making, variant)
            )
        late = [name for name, value in given.items() if value is _LATER]
        # Tables of which rows are chosen are all of one shape.
        tables = any(used(self.defined, function, one.name).is_index for one in asked)
        found = (
            (drawn_tables(self.data.kind, late) if tables else self._drawn(late)) if late else {}
        )
        self.pool.values |= found
        given |= found
        every = list(inspect.signature(function).parameters.values())
        kinds = [one.kind for one in every]
        if not making or asked or kinds != [inspect.Parameter.VAR_POSITIONAL]:
            return given, []
        objects = role_of(every[0].name, making=True) == "objects"
        layers = self.layers() if objects and self.layers is not None else []
        return given, layers or list(self.data.kind.sizes)

    def _asked(self, function: Callable[..., Any]) -> list[inspect.Parameter]:
        """Return the arguments of a function that have names, those that it looks for, too."""
        try:
            every = [
                # Where annotations are not evaluated they are texts.
                one.replace(annotation=int) if one.annotation == "int" else one
                for one in inspect.signature(function).parameters.values()
            ]
        except (ValueError, TypeError):
            raise NoArgumentError("of any name") from None
        named = [one for one in every if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
        for one in every:
            keys = one.kind == one.VAR_KEYWORD and self.defined.keys(
                function, one.name, needed=True
            )
            named += [inspect.Parameter(key, one.KEYWORD_ONLY) for key in keys or ()]
        return named

    def _drawn(self, names: list[str]) -> dict[str, Any]:
        kind = self.data.kind
        several = kind.outputs > 1 or len(names) > 2
        return drawn(kind, names, reading=self.defined.doubt(kind, "weights", 3) if several else 0)

    def _value(
        self,
        function: Any,
        asked: inspect.Parameter,
        roles: Mapping[str, Role | None],
        making: bool,
        variant: int,
    ) -> Any:
        name, role, default = asked.name, roles[asked.name], asked.default
        has_default = default is not _EMPTY
        if making and asked.annotation is int:
            role = _COUNTED.get(role or "", role)
        kind, data = self.data.kind, self.data
        number = isinstance(default, int) and not isinstance(default, bool)
        if role == "epochs":
            return min(default, choices.FEW) if number else choices.FEW
        if has_default and variant == 1:
            return default
        setting = re.search(r"compile|^_*set$", getattr(function, "__name__", "")) is not None
        is_set = setting and default is None
        if is_set and (made := choices.called_so(self.defined, self.make, name)) is not None:
            return made
        if is_set and role == "decay":
            return next(filter(_PLAIN.search, self.defined.compared(name)), None)
        said = self.defined.namespace.get(name)
        if isinstance(said, list) and said and all(isinstance(one, dict) for one in said):
            return said  # a table of layers, say, which functions take and the file has
        if making and isinstance(default, float) and _SPREAD.search(name) and 0 < default < _SMALL:
            return _WIDE
        if default is False and _IN_TRAINING.search(name):
            return True
        if not has_default and used(self.defined, function, name).calls_pair:
            return pair_for(name)
        if role == "path" and not has_default:
            return "data.csv"
        if role in choices.HYPER:
            return choices.hyper(role, None if default is _EMPTY else default, given=has_default)
        if role == "batch":
            return batch_for(self.defined, data, making=making)
        if default is None and re.search(r"(^|_)(val|test|eval|dev)", snake(name)):
            return None
        if not making:
            found = self._given(function, name, role, has_default, roles)
            if found is not None:
                return found
        paired = paired_for(self.defined, function, name, roles) if role in CHOSEN else None
        if paired is not None:
            return paired
        if has_default and role in CHOSEN and not is_set:
            named = default is None and variant == 4 and self.defined.compared(name)
            known = choices.chosen(self.defined, self.make, name, role, 1) if named else None
            return default if known is None else known
        if making and role == "sizes" and isinstance(default, list | tuple) and not variant:
            # As many layers as it would have: lists of activations go with them.
            whole = self.data.kind.sizes
            return (
                [*whole[: len(default) - 1], whole[-1]] if 1 < len(default) <= len(whole) else whole
            )
        empty = default is None or (isinstance(default, list | tuple) and not default)
        if has_default and not (
            (role in (*_NUMBERS, *_NEVER_DEFAULT) and (number or empty)) or is_set
        ):
            return default
        wanted = (
            ("sizes", "features", "hidden", "classes", "inputs", "targets")
            if making
            else ("inputs", "targets", "outputs", "upstream")
        )
        usage = used(self.defined, function, name)
        if making and usage.attributes == {"backward"}:
            return SimpleNamespace(
                backward=lambda *_: None
            )  # which a loss hands its gradient on to
        if has_default and default is None and role not in wanted and not is_set:
            return default
        noted = self._noted(asked.annotation, name)
        if noted is not None:
            return noted
        noted = choices.object_for(self.defined, self.make, self.pool, usage, name)
        if noted is not None:
            return noted
        if not making and usage.of_items:
            layers = layers_with(sorted(usage.of_items), kind.sizes)
            if layers is not None:
                return layers
        if making and not usage.attributes:
            known = table_for(data, asked.annotation, role)
            if known is not None:
                return known
        others = {one for key, one in roles.items() if key != name}
        if making and len(usage.parts) > 1:
            inner = {"features", "classes"} <= others
            sizes = kind.sizes[:-1] if inner else kind.sizes
            return by_items(self.defined, self.make, usage.parts, sizes)
        if role == "settings" or (making and usage.keys and not usage.is_list):
            return settings_for(self.defined, data, self.make, function, name, usage.keys)
        if making and role is None and "slope" in name.lower() and not usage.attributes:
            return 0.2  # as maximum(x, slope * x) needs less than 1
        size = None
        counted = asked.annotation is int or (usage.is_number and not usage.is_list)
        if role == "objects" and making and not variant and not counted:
            size = self.layers() if self.layers is not None else None
        if not size and (making or role in _NUMBERS):
            size = size_for(self.defined, data, asked, role, others, usage, variant)
        if size is not None:
            return size
        if role in CHOSEN:
            found = choices.chosen(self.defined, self.make, name, role, len(kind.sizes) - 1)
            if usage.is_list and usage.calls_items and not isinstance(found, list):
                found = [found] * (len(kind.sizes) - 1)
            if found is not None:
                return found
        if role == "inputs":
            return data.inputs
        if role == "targets":
            return data.targets
        if role == "pairs":
            return pairs_for(self.defined, data, name)
        if role == "loader":
            return [(data.inputs, data.targets)] * 2
        if role in ("weight", "bias"):
            return False if usage.is_flag else _LATER
        if usage.is_index and role is None and not making:
            return ids_for(len(data.pairs), kind.features, name)
        compared = self.defined.compared(name)
        if compared:
            return compared[0]
        if has_default:
            return default
        way = variant if making else None
        found = by_usage(self.defined, data, self.make, name, role, usage, way)
        if found is not None or not usage.is_mentioned:
            return found
        if making and variant in (2, 3) and _LISTED.search(name):
            return list(kind.sizes) if variant == 2 else tuple(kind.sizes)
        if making and variant == 4 and role not in CHOSEN:
            return kind.hidden
        typed = choices.of_type(asked.annotation)
        if typed is not None:
            return typed
        if kind.learns:
            found = by_parts(self.defined, data, self.pool, function, name)
            return data.inputs if found is None else found
        raise NoArgumentError(name)

    def _given(
        self,
        function: Any,
        name: str,
        role: Role | None,
        has_default: bool,
        roles: Mapping[str, Role | None],
    ) -> Any:
        """Return what a function other than a constructor is given, as far as that is known."""
        pool, data = self.pool, self.data
        if role == "inputs" and (
            name not in pool.values or snake(name) in ("x", "inputs", "input")
        ):
            return data.inputs
        if role == "targets" and not isinstance(pool.values.get(name), list):
            return targets_for(self.defined, data)
        found = pool.find(name)
        if found is not None:
            return found
        if role == "parameters":
            known = pool.by_role("parameters", dict)
            if known is not None:
                return known
            keys = [key for key in self.defined.keys(function, name) if is_weight(key)]
            if not has_default and keys:
                listed = any(
                    re.search(rf"""\[["']{key}["']\]\[""", self.defined.text) for key in keys
                )
                pool.values[name] = drawn_lists(data.kind, keys) if listed else self._drawn(keys)
                return pool.values[name]
        if role == "cache":
            known = pool.by_role("cache")
            if known is None and isinstance(pool.forwarded, tuple):
                known = pool.forwarded[-1]
            return pool.forwarded if known is None else known
        if role == "gradients":
            return pool.by_role("gradients")
        if role == "outputs":
            return pool.output
        if role == "upstream" and not has_default:
            return upstream_for(data, pool.output)
        if role == "pairs" and not has_default:
            is_pair = used(self.defined, function, name).is_pair
            return (data.inputs, data.targets) if is_pair else pairs_for(self.defined, data, name)
        if role == "vector":
            return drawn_flat(data.kind, self.defined.text)
        if role == "count":
            return len(data.pairs)
        if role == "state":
            known = pool.by_role("state", Watched)
            if known is None and isinstance(pool.forwarded, tuple):
                known = pool.forwarded[-1]
            if known is None and not has_default:
                known = watch(np.zeros((data.kind.hidden, 1)), "state")
            return known
        told = set(roles.values())
        if role is None and not has_default and "targets" in told and "outputs" not in told:
            return pool.output  # whatever it is called: it is held against the targets
        return None

    def _noted(self, annotation: Any, name: str) -> Any:
        """Return an object of one of the learner's classes, where an annotation asks for one."""
        kind = self.defined.class_in(annotation)
        if kind is None or self.make is None:
            return None
        if get_origin(annotation) in (list, Sequence, tuple):
            return None
        return self.make(choices.concrete(kind, name))


_LATER = object()
_COUNTED: dict[str, Role] = {"inputs": "features", "targets": "classes", "outputs": "classes"}
_PLAIN = re.compile(r"^no|identity|null", re.I)  # of penalties, which costs rarely have in them
_SIZE = re.compile(r"(size|dim|units|nodes)$|^n(um)?_?(labels|classes)$", re.I)
_SPREAD = re.compile(r"std|scale|sigma", re.I)
_SMALL, _WIDE = 0.1, 0.4  # of first weights: small ones leave nothing to be measured
_IN_TRAINING = re.compile(r"train(?!able)|cache|store|remember", re.I)
_LISTED = re.compile(r"layer|node|neuron|unit|size|dim|param|arch|shape|config|struct|net", re.I)
