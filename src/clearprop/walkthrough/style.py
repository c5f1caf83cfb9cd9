"""The style sheet of a page: light and dark, on paper too, and inside any notebook."""

from typing import Final

from clearprop.walkthrough.pictures import NEGATIVE, POSITIVE

LEVELS: Final = 8  # of colour
_STRONGEST = 0.6  # so that numbers stay readable on it

_RULES = """
.clearprop-walk { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; }
.clearprop-walk code, .clearprop-walk table, .clearprop-walk .arithmetic {
  font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.clearprop-walk nav ol { columns: 16rem; padding-left: 1.5em; }
.clearprop-walk .step { border-top: 1px solid #8886; padding: .6em 0; }
.clearprop-walk .step > summary { cursor: pointer; }
.clearprop-walk .step > summary h2 { display: inline; font-size: 1.15em; }
.clearprop-walk .matrix { position: relative; margin: 1em 0 1.6em; }
.clearprop-walk .matrix h3 { font-size: 1em; margin: 0; }
.clearprop-walk .formula { display: block; }
.clearprop-walk .shapes { display: block; opacity: .75; }
.clearprop-walk .scroll { overflow-x: auto; }
.clearprop-walk table { border-collapse: collapse; margin: .4em 0; }
.clearprop-walk th { font-weight: normal; opacity: .65; padding: 0 .6em; text-align: right; }
.clearprop-walk td { padding: 0; text-align: right; white-space: nowrap; }
.clearprop-walk td > span, .clearprop-walk td summary { display: block; padding: 0 .6em; }
.clearprop-walk td summary { cursor: pointer; list-style: none; text-decoration: underline dotted; }
.clearprop-walk td summary::-webkit-details-marker { display: none; }
.clearprop-walk td details[open] > summary { outline: 2px solid; }
.clearprop-walk .arithmetic { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.clearprop-walk td .arithmetic { position: absolute; left: 0; right: 0; z-index: 1;
  background: Canvas; color: CanvasText; border: 1px solid; padding: .5em .8em; }
.clearprop-walk .arithmetic p { margin: 0; padding-left: 1.5em; text-indent: -1.5em; }
.clearprop-walk .digits { opacity: .75; }
.clearprop-walk .looked-at { font-weight: bold; opacity: 1; }
.clearprop-walk .wrong { font-weight: bold; outline: 2px solid; }
.clearprop-walk .pictures { display: flex; flex-wrap: wrap; gap: .8em; margin: .5em 0; }
.clearprop-walk figure { margin: 0; }
.clearprop-walk figcaption { font-size: 12px; opacity: .8; }
.clearprop-walk img { display: block; image-rendering: pixelated; border: 1px solid #8886; }
"""


def style_sheet() -> str:
    """Return the rules, with a class for each level of colour: p1, p2, ... and n1, n2, ..."""
    rules = [_RULES.strip()]
    for letter, colour in (("n", NEGATIVE), ("p", POSITIVE)):
        for level in range(1, LEVELS + 1):
            red, green, blue = colour
            share = _STRONGEST * level / LEVELS
            rules.append(
                f".clearprop-walk .{letter}{level} "
                f"{{ background: rgba({red}, {green}, {blue}, {share:.3g}); }}"
            )
    return "\n".join(rules)
