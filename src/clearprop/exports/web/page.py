"""A model as a page of its own: draw, drop a picture, use the camera or fill in a row."""

from pathlib import Path
from typing import ClassVar

from clearprop.exports.description import Description
from clearprop.exports.rows import Rows
from clearprop.exports.target import NotRun, Ran, Target, Written
from clearprop.exports.web.node import run_script
from clearprop.exports.web.script import embedded, notes_on
from clearprop.files.models import Model
from clearprop.page import language_of_system, pack, parts_alone
from clearprop.preprocessing import PictureRecipe

_STYLES = ("page", "pictures_and_rows")


class PageTarget(Target):
    """A page that asks a person and answers with the model."""

    name: ClassVar[str] = "html"
    ending: ClassVar[str] = ".html"
    title: ClassVar[str] = "a page to draw, drop a picture or fill in a row"

    def write(self, model: Model, description: Description) -> Written:
        """Write a page in the system's language."""
        text = page_text(model, title=description.name).encode()
        return Written({self.ending: text}, notes=notes_on(model))

    def run(self, path: Path, description: Description, rows: Rows) -> Ran | NotRun:
        """Run the modules within it by Node."""
        return run_script(path, rows.raw(description.inputs), is_page=True)


def page_text(model: Model, *, title: str, language: str | None = None) -> str:
    """Return a page of HTML that answers a person's own input with a model.

    It works from disk, without a network: its script, its styles and the model lie within it.

    Parameters
    ----------
    model : Model
    title : str
        What the model is called.
    language : str, optional
        The language of its words, by its name in `clearprop.page.LANGUAGES`; the system's unless
        given.

    Raises
    ------
    UsageError
        If the model has a layer, a loss or an initializer of one's own, takes the features of a
        pretrained network, or is too large for a text.
    UnknownNameError
        If the page has no such language.
    """
    file, types = embedded(model, "A page")
    inputs = None if model.preprocessing is None else model.preprocessing.inputs
    kind = "pictures" if isinstance(inputs, PictureRecipe) else "rows"
    return pack(
        {"name": title, "model": file},
        title=title,
        language=language or language_of_system(),
        parts=parts_alone(f"view/alone_{kind}.js", types, _STYLES),
    )
