"""The site: `make docs` builds build/site from these pages and the docstrings of the package."""

import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from pygments.lexers.special import TextLexer
from sphinx.util.docutils import SphinxTranslator

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

project = author = "nst_tf"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = [
    *("README.md", "CONTRIBUTING.md", "docs/**.md", "docs/**.rst", "images/CREDITS.md"),
    *("notebooks/**.md", "model/README.md"),
]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4  # the anchors of headings as on GitHub
suppress_warnings = ["myst.xref_missing"]  # directories, which a site has no page for
autodoc_typehints = "none"  # the docstrings have shapes, too
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "nst_tf"
html_show_sourcelink = html_copy_source = html_show_copyright = False
html_math_renderer = "mathml"  # without a script from elsewhere
highlight_language = "none"  # of blocks of commands


def as_mathml(display):
    """Return a visitor that writes a formula as MathML, which browsers draw themselves."""

    def visit(writer: SphinxTranslator, node: nodes.Node):
        tag = "div" if display == "block" else "span"
        formula = convert(node.astext(), display=display)
        writer.body.append(f'<{tag} class="math" style="padding: 0.2em 0">{formula}</{tag}>')
        raise nodes.SkipNode

    return visit, None


def setup(app):
    """Register the lexer and the writer of formulas with Sphinx."""
    app.add_lexer("csv", TextLexer)
    app.add_html_math_renderer("mathml", as_mathml("inline"), as_mathml("block"))
