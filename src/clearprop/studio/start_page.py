"""The pages of the studio: plain forms without a script, every text escaped."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import clearprop.page
from clearprop.core.html import Markup, element, escape
from clearprop.core.reading import read_bounded
from clearprop.experiment.runs import Listed
from clearprop.studio.children import Child
from clearprop.studio.desk import Desk

FIELDS = {
    "target": (
        "Target",
        "the column of a table to learn; unless said: target, label, class, y, or the last",
    ),
    "layers": ("Hidden layers", "units of each, such as 20,7,5, or none"),
    "epochs": ("Epochs", "how often every sample is seen"),
    "learning_rate": ("Learning rate", "such as 0.01"),
}
"""The settings that the start page asks for, with what is said of each; all may be left open."""

_LARGEST_STYLE, _MOST_RUNS = 2**20, 100


def start_page(desk: Desk, trainings: Sequence[Child], problem: str = "") -> str:
    """Return the page from which trainings start.

    Parameters
    ----------
    desk : Desk
    trainings : sequence of Child
        Those that were started here.
    problem : str, optional
        The reason why what was asked for could not be done.
    """
    said = element("p", problem, "error") if problem else Markup("")
    return _page(
        "clearprop studio",
        said,
        '<div class="panels">',
        _panel("Train a network", _train_form(desk)),
        _panel("Trainings", _trainings(trainings)),
        _panel("Runs in this folder", _runs(desk.runs())),
        "</div>",
    )


def waiting_page(child: Child) -> str:
    """Return the page of a training that has no page of its own yet, or never will."""
    back = Markup('<p><a href="/">Back to the studio</a></p>')
    if child.is_alive:
        return _page(f"Training on {child.data} begins ...", back)
    lines = element("pre", "\n".join(child.said) or "It said nothing.")
    return _page(f"Training on {child.data} could not begin", lines, back)


def styles_policy() -> str:
    """Return the content security policy of these pages: their style, their forms, no script."""
    digest = b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'self' "
        "http://127.0.0.1:*; frame-ancestors 'none'"
    )


def _page(title: str, *parts: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{element('title', title)}\n<style>{_style()}</style>\n</head>\n<body>\n"
        f'<main id="page">\n<header class="page-head"><p class="eyebrow">clearprop</p>'
        f"{element('h1', title)}</header>\n{''.join(parts)}\n</main>\n</body>\n</html>\n"
    )


@cache
def _style() -> str:
    """Return the style of the page of runs: both look alike."""
    path = Path(clearprop.page.__file__).parent / "styles/page.css"
    return read_bounded(path, _LARGEST_STYLE).decode()


def _panel(title: str, inside: str) -> str:
    return f'<section class="panel">{element("h2", title)}{inside}</section>'


def _train_form(desk: Desk) -> str:
    own = [(f"./{name}", name) for name in desk.data()]
    if desk.chosen is not None:
        own.insert(0, (desk.chosen, desk.chosen))
    groups = _options("Your data", own) + _options("Examples", [(n, n) for n in desk.examples])
    fields = "".join(
        f'<p><label for="{name}">{escape(title)}</label><br>'
        f'<input type="text" id="{name}" name="{name}" maxlength="100" autocomplete="off" '
        f'aria-describedby="of-{name}"> <span class="faint small" id="of-{name}">'
        f"{escape(about)}</span></p>"
        for name, (title, about) in FIELDS.items()
    )
    none = "" if own else element("p", "There are no data in the folder of the studio.", "note")
    return (
        f'<form method="post" action="/train">{none}'
        f'<p><label for="data">Data</label><br><select id="data" name="data">{groups}</select></p>'
        f"{fields}"
        '<p><button class="primary">Train</button></p></form>'
    )


def _options(title: str, values: Iterable[tuple[str, str]]) -> str:
    options = "".join(
        f'<option value="{escape(value)}">{escape(shown)}</option>' for value, shown in values
    )
    return f'<optgroup label="{escape(title)}">{options}</optgroup>' if options else ""


def _trainings(trainings: Sequence[Child]) -> str:
    if not trainings:
        return element("p", "None was started here yet.", "note")
    rows = "".join(
        f"<tr><td>{one.number}</td>{element('td', one.data)}{element('td', _state(one))}"
        f'<td><a href="/training?number={one.number}">Look</a></td><td>{_end_form(one)}</td></tr>'
        for one in reversed(trainings)
    )
    return f'<div class="scroll"><table>{rows}</table></div>'


def _state(one: Child) -> str:
    if one.is_alive:
        return "saved" if one.is_saved else "trains" if one.address else "begins"
    return "failed" if one.has_failed else "closed"


def _end_form(one: Child) -> str:
    if not one.is_alive:
        return ""
    word = "Close its page" if one.is_saved else "Stop"
    return (
        f'<form method="post" action="/end"><input type="hidden" name="number" '
        f'value="{one.number}"><button>{word}</button></form>'
    )


def _runs(runs: Sequence[Listed]) -> str:
    if not runs:
        return element("p", "There are none in runs/ yet.", "note")
    rows = "".join(_run(run) for run in runs[:_MOST_RUNS])
    more = len(runs) - _MOST_RUNS
    left = element("p", f"... and {more:,} more: clearprop runs", "note") if more > 0 else ""
    head = "".join(element("th", name) for name in ("", "Run", "Data", "Ended", "Score"))
    return (
        f'<form method="get" action="/show"><div class="scroll"><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div>{left}"
        "<p><button>Show, or compare several</button></p></form>"
    )


def _run(run: Listed) -> str:
    name = run.folder.name
    score = "" if run.score is None else f"{run.score_name} {run.score:.4f}".replace("_", " ")
    box = f'<input type="checkbox" name="run" value="{escape(name)}" aria-label="{escape(name)}">'
    cells = "".join(element("td", one) for one in (name, Path(run.data).name, run.ended, score))
    return f"<tr><td>{box}</td>{cells}</tr>"
