"""The documentation as a site: `scripts/docs`.

The pages are those that are read in the repository as well, so their links are plain relative
ones; a link that leads nowhere, or a name of the API that is not there, ends the build.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

_ROOT = Path(__file__).parents[1]
_START = "docs/README"

project = "Fresco"
root_doc = _START
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
include_patterns = [
    "*.md",
    "docs/**",
    "bench/*.md",
    "sample/*.md",
    "training/*.md",
    "server/**/*.md",
]
exclude_patterns = [".venv", "build", "tests", "docs/conf.py"]
html_theme = "furo"
html_title = "Fresco"
html_show_copyright = False
myst_heading_anchors = 3
nitpicky = True
# What the API's signatures name of other libraries, whose own pages say what it is; of types cut in
# two where they have commas; and of classes that a script is handed and hands on unopened.
_FOREIGN = r"(pathlib|datetime|fractions|collections|numpy|torch|types)\..*|tuple\[int.*|Path"
_HANDED_ON = (
    r"fresco_client\.transport\.base\.Endpoint|"
    r"fresco_media\.(writing\.originals\.Originals|files\.state\.(ClipState|KnownFile))|"
    r"fresco_engine\.(checkpoint|interpolation|correspondence|diffusion)\.\w+\.\w+|"
    r"fresco_engine\.(progress_tracker\.ProgressTracker|remote_parts\.RemoteParts|types\.FrameQuality)|"
    r"ControlKind"
)
nitpick_ignore_regex = [("py:.*", _FOREIGN), ("py:.*", _HANDED_ON)]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"  # who makes a session or a stream need not know how
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False
python_use_unqualified_type_names = True


def _add_pages(app: Sphinx, page: str, source: list[str]) -> None:
    """The first page's list of links is the order of the pages too."""
    if page == _START:
        links = re.findall(r"^- \[[^\]]+\]\(([^)]+)\.md\)", source[0], re.MULTILINE)
        pages = "\n".join(f"/docs/{link}" for link in links)
        source[0] += f"\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _add_pages)
