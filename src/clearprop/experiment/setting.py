"""What a field of `Settings` says of itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clearprop.experiment import values
from clearprop.experiment.defaults import Extent

if TYPE_CHECKING:
    from clearprop.experiment.settings import Settings


@dataclass(frozen=True)
class Setting:
    """The facts that a field of `Settings` carries.

    Parameters
    ----------
    kind : Kind
    help : str
        A sentence for whom name and kind are not enough.
    told : str
        The default as it is typed, or in words.
    rule : callable, optional
        Takes the settings that were given and the `Extent` of the data, and returns the value for
        the place of None.
    group : str
        The heading that its option stands under.
    marks : bool
        Whether the result depends on it: what leaves no mark is not kept with a run.
    """

    kind: values.Kind
    help: str = ""
    told: str = ""
    rule: Callable[["Settings", Extent], Any] | None = None
    group: str = ""
    marks: bool = True


def setting(
    kind: values.Kind,
    help: str = "",  # noqa: A002 - as click and argparse call it
    *,
    default: Any = None,
    told: str = "",
    rule: Callable[["Settings", Extent], Any] | None = None,
    group: str = "Options",
    marks: bool = True,
) -> Any:
    """Make a field of `Settings` with a default, and with the facts of a `Setting`."""
    told = told or ("" if default is None else kind.write(default))
    about = Setting(kind, help, told, rule, group, marks)
    return field(default=default, metadata={"setting": about})
