"""How the site is built: `python -m sphinx -W --keep-going -n -b html docs docs/_build/html`, without the network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "sphinx_extensions"))

from numpydoc.xref import DEFAULT_LINKS

import perceptron_theory
from perceptron_theory.version import __version__

project = "perceptron_theory"
author = "The perceptron_theory developers"
project_copyright = "The perceptron_theory developers, MIT license"
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "sphinx_click",
    "bars_are_bars",
    "build_time_math",
    "committed_notebooks",
    "doctest_blocks",
    "public_names",
]
exclude_patterns = ["_build", "command_times.md"]
templates_path = ["_templates"]

# Signatures show names and defaults; docstrings say what values mean.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# Module names that differ in case only would be one file on some systems.
autosummary_filename_map = {
    "perceptron_theory.Influence": "perceptron_theory.Influence-class",
    "perceptron_theory.metrics.Forgetting": "perceptron_theory.metrics.Forgetting-class",
}
numpydoc_show_class_members = False
# Types of arguments link to our own pages, and to nothing outside.
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = {name: name for name in DEFAULT_LINKS} | {
    name: f"perceptron_theory.{name}" for name in perceptron_theory.__all__ if name[0].isupper()
}

# Notebooks are shown with the outputs that are committed with them.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# Options such as --help stay as they are typed.
smartquotes = False

highlight_language = "text"
html_theme = "furo"
html_title = f"perceptron_theory {__version__}"
html_static_path = ["_static"]
html_css_files = ["layout.css"]
html_copy_source = False
