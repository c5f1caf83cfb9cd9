"""Arguments of a program that was given none, and asks for some all the same."""

import argparse
from typing import Any

_GIVEN = "3"  # several hidden units, rounds or samples show more than one
_NUMBERS: dict[Any, Any] = {int: 3, float: 0.1, bool: True}
_PARSE = argparse.ArgumentParser.parse_args  # itself, while another stands in for it


class Arguments(list[str]):
    """The arguments of a program; those that are not there are given."""

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, int) and place >= len(self):
            return _GIVEN
        return super().__getitem__(place)


def parsed(parser: argparse.ArgumentParser, *args: Any, **named: Any) -> Any:
    """Parse arguments as `argparse` does; where some are missing, give all."""
    try:
        return _PARSE(parser, *args, **named)
    except SystemExit:
        actions = [one for one in parser._actions if one.default is not argparse.SUPPRESS]
        return argparse.Namespace(**{one.dest: _value(one) for one in actions})


def _value(action: argparse.Action) -> Any:
    if action.default is not None or not (action.required or not action.option_strings):
        return action.default
    value = next(iter(action.choices), None) if action.choices else None
    if value is None:
        kind: Any = action.type
        value = _NUMBERS.get(kind, action.dest if kind in (None, str) else _GIVEN)
    return [value] if action.nargs in ("+", "*") or isinstance(action.nargs, int) else value
