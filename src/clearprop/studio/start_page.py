"""The pages of the studio: plain forms without a script, every text escaped."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import clearprop.page
from clearprop.core.html import Markup, element, escape
from clearprop.core.reading import read_bounded
from clearprop.experiment.runs import Listed
from clearprop.studio import upload
from clearprop.studio.children import Child
from clearprop.studio.desk import Desk
from clearprop.studio.words import Words

FIELDS = ("target", "layers", "epochs", "learning_rate")
"""The settings that the start page asks for; all may be left open."""

_LARGEST_STYLE, _MOST_RUNS = 2**20, 100


@dataclass(frozen=True)
class StudioPages:
    """The pages of a studio, in a language.

    Parameters
    ----------
    desk : Desk
    words : Words
    """

    desk: Desk
    words: Words

    def start(self, trainings: Sequence[Child], problem: str = "", chosen: str = "") -> str:
        """Return the page from which trainings start.

        Parameters
        ----------
        trainings : sequence of Child
            Those that were started here.
        problem : str, optional
            The reason why what was asked for could not be done.
        chosen : str, optional
            The data that are chosen in its form, if they are listed.
        """
        say = self.words.say
        said = Markup(f'<p class="error" role="alert">{escape(problem)}</p>') if problem else ""
        return self._page(
            "clearprop studio",
            said,
            '<div class="panels">',
            _panel(say("Train a network"), self._train_form(chosen)),
            _panel(say("Upload a table"), self._upload_form()),
            _panel(say("Trainings"), self._trainings(trainings)),
            _panel(say("Runs in this folder"), self._runs(self.desk.runs())),
            "</div>",
        )

    def waiting(self, child: Child) -> str:
        """Return the page of a training that has no page of its own yet, or never will."""
        say = self.words.say
        back = Markup(f'<p><a href="/">{escape(say("Back to the studio"))}</a></p>')
        if child.is_alive:
            return self._page(say("Training on {data} begins ...", data=child.data), back)
        lines = element("pre", "\n".join(child.said) or say("It said nothing."))
        return self._page(say("Training on {data} could not begin", data=child.data), lines, back)

    def _page(self, title: str, *parts: str) -> str:
        return (
            f'<!doctype html>\n<html lang="{self.words.html}">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"{element('title', title)}\n<style>{_style()}</style>\n</head>\n<body>\n"
            f'<main id="page">\n<header class="page-head"><p class="eyebrow">clearprop</p>'
            f"{element('h1', title)}</header>\n{''.join(parts)}\n</main>\n</body>\n</html>\n"
        )

    def _train_form(self, chosen: str) -> str:
        desk, say = self.desk, self.words.say
        own = [(f"./{name}", name) for name in desk.data()]
        if desk.chosen is not None:
            own.insert(0, (desk.chosen, desk.chosen))
        examples = [(name, name) for name in desk.examples]
        groups = _options(say("Your data"), own, chosen)
        groups += _options(say("Examples"), examples, chosen)
        none = say("There are no data in the folder of the studio.")
        return (
            f'<form method="post" action="/train">{"" if own else element("p", none, "note")}'
            f'<p><label for="data">{escape(say("Data"))}</label><br>'
            f'<select id="data" name="data">{groups}</select></p>'
            f"{''.join(self._field(name) for name in FIELDS)}"
            f'<p><button class="primary">{escape(say("Train"))}</button></p></form>'
        )

    def _field(self, name: str) -> str:
        say = self.words.say
        title, about = {
            "target": (
                say("Target"),
                say(
                    "the column of a table to learn; unless said: target, label, class, y, or "
                    "the last"
                ),
            ),
            "layers": (say("Hidden layers"), say("units of each, such as 20,7,5, or none")),
            "epochs": (say("Epochs"), say("how often every sample is seen")),
            "learning_rate": (say("Learning rate"), say("such as 0.01")),
        }[name]
        return (
            f'<p><label for="{name}">{escape(title)}</label><br>'
            f'<input type="text" id="{name}" name="{name}" maxlength="100" autocomplete="off" '
            f'aria-describedby="of-{name}"> <span class="faint small" id="of-{name}">'
            f"{escape(about)}</span></p>"
        )

    def _upload_form(self) -> str:
        say = self.words.say
        about = say(
            "Up to {megabytes} MB: {kinds}. It is put into the folder {folder}, in the place of "
            "nothing. Put a folder of pictures beside it by hand.",
            megabytes=upload.LARGEST // 10**6,
            kinds=", ".join(upload.SUFFIXES),
            folder=upload.FOLDER,
        )
        return (
            '<form method="post" action="/upload" enctype="multipart/form-data">'
            f'<p><label for="file">{escape(say("A table"))}</label><br>'
            f'<input type="file" id="file" name="file" required accept="{escape(upload.ACCEPTED)}" '
            f'aria-describedby="of-file"></p><p class="faint small" id="of-file">{escape(about)}'
            f"</p><p><button>{escape(say('Upload'))}</button></p></form>"
        )

    def _trainings(self, trainings: Sequence[Child]) -> str:
        say = self.words.say
        if not trainings:
            return element("p", say("None was started here yet."), "note")
        rows = "".join(
            f"<tr><td>{one.number}</td>{element('td', one.data)}{element('td', self._state(one))}"
            f'<td><a href="/training?number={one.number}">{escape(say("Look"))}</a></td>'
            f"<td>{self._end_form(one)}</td></tr>"
            for one in reversed(trainings)
        )
        return f'<div class="scroll"><table>{rows}</table></div>'

    def _state(self, one: Child) -> str:
        say = self.words.say
        if one.is_alive and one.address is None:
            return say("begins")
        if one.is_alive:
            return say("saved") if one.is_saved else say("trains")
        return say("failed") if one.has_failed else say("closed")

    def _end_form(self, one: Child) -> str:
        say = self.words.say
        if not one.is_alive:
            return ""
        word = say("Close its page") if one.is_saved else say("Stop")
        return (
            f'<form method="post" action="/end"><input type="hidden" name="number" '
            f'value="{one.number}"><button>{escape(word)}</button></form>'
        )

    def _runs(self, runs: Sequence[Listed]) -> str:
        say = self.words.say
        if not runs:
            return element("p", say("There are none in runs/ yet."), "note")
        rows = "".join(self._run(run) for run in runs[:_MOST_RUNS])
        more = say("... and {count} more: clearprop runs", count=f"{len(runs) - _MOST_RUNS:,}")
        left = element("p", more, "note") if len(runs) > _MOST_RUNS else ""
        names = ("", say("Run"), say("Data"), say("Ended"), say("Score"))
        head = "".join(element("th", name) for name in names)
        return (
            f'<form method="get" action="/show"><div class="scroll"><table><thead><tr>{head}</tr>'
            f"</thead><tbody>{rows}</tbody></table></div>{left}"
            f"<p><button>{escape(say('Show, or compare several'))}</button></p></form>"
        )

    def _run(self, run: Listed) -> str:
        name, score = escape(run.folder.name), ""
        if run.score is not None:
            score = f"{self.words.known(str(run.score_name).replace('_', ' '))} {run.score:.4f}"
        cells = (run.folder.name, Path(run.data).name, self.words.known(run.ended), score)
        return (
            f'<tr><td><input type="checkbox" name="run" value="{name}" aria-label="{name}"></td>'
            f"{''.join(element('td', one) for one in cells)}</tr>"
        )


def styles_policy() -> str:
    """Return the content security policy of these pages: their style, their forms, no script."""
    digest = b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'self' "
        "http://127.0.0.1:*; frame-ancestors 'none'"
    )


@cache
def _style() -> str:
    """Return the style of the page of runs: both look alike."""
    path = Path(clearprop.page.__file__).parent / "styles/page.css"
    return read_bounded(path, _LARGEST_STYLE).decode()


def _panel(title: str, inside: str) -> str:
    return f'<section class="panel">{element("h2", title)}{inside}</section>'


def _options(title: str, values: Iterable[tuple[str, str]], chosen: str) -> str:
    options = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>'
        f"{escape(shown)}</option>"
        for value, shown in values
    )
    return f'<optgroup label="{escape(title)}">{options}</optgroup>' if options else ""
