"""How Sphinx makes a site of these documents: ``sphinx-build -W docs site``."""

import re
import shutil

from docutils import nodes
from latex2mathml.converter import convert

from clearprop import __version__

project = "clearprop"
version = release = __version__
root_doc = "README"
exclude_patterns = ["examples", "conf.py"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
default_role = "literal"  # `x` is code in docstrings, as everywhere
autodoc_default_options = {
    "members": True,  # but those that scikit-learn makes: their docstrings refer to its site
    "exclude-members": ",".join(
        f"set_{method}_request" for method in ("fit", "partial_fit", "score", "transform")
    ),
}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc has them in words, with shapes
napoleon_google_docstring = False
html_theme = "furo"
html_title = f"clearprop {__version__}"
html_copy_source = False
html_math_renderer = "mathml"


def setup(app):
    app.connect("source-read", with_menu)
    app.connect("autodoc-process-docstring", as_plain_text, priority=100)  # before napoleon
    app.connect("build-finished", with_index)
    app.add_html_math_renderer("mathml", (in_mathml, None), (in_mathml, None))


_ENTRY = re.compile(r"(?:-|\d+\.) \[.+?\]\(([^)#]+)\.(?:md|rst)\)")


def with_menu(_app, page, source):
    """Put the pages that a section of README lists into the menu, so that they are listed once."""
    if page == root_doc:
        start, *sections = re.split(r"(?m)^(?=## )", source[0])
        menus = (
            _menu(_ENTRY.findall(section), f":caption: {section[3 : section.index(chr(10))]}")
            for section in sections
        )
        source[0] = start + "".join(map("".join, zip(sections, menus, strict=True)))
    elif page.endswith("/README"):
        source[0] += _menu(["*"], ":glob:")


def _menu(pages, option):
    return "\n".join(["", "```{toctree}", ":hidden:", option, "", *pages, "```", "", ""])


def as_plain_text(_app, _what, _name, _obj, _options, lines):
    """Let the signs of formulas outside backticks be signs, not reStructuredText."""
    for number, line in enumerate(lines):
        parts = line.split("`")
        parts[::2] = [re.sub(r"[*|]", r"\\\g<0>", part) for part in parts[::2]]
        lines[number] = "`".join(parts)


def with_index(app, failure):
    """Let the first page be found without its name, too."""
    if failure is None:
        shutil.copy(app.outdir / f"{root_doc}.html", app.outdir / "index.html")


def in_mathml(writer, node):
    """Write a formula in MathML, which browsers draw without a script."""
    if isinstance(node, nodes.math_block):  # the theme would let a tall one scroll
        formula = convert(node.astext(), display="block")
        formula = f'<div style="padding: 0.3em 0">{formula}</div>'
    else:
        formula = convert(node.astext())
    writer.body.append(formula)
    raise nodes.SkipNode
