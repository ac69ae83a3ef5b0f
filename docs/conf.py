"""The documentation site: Markdown by Sphinx, with what is generated from the code.

    uv run sphinx-build -W --keep-going docs output/site

Nothing comes from outside, so that the pages can be read from a folder, without a network.
"""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

project = "target-dotdigital"
author = "The target-dotdigital developers"
project_copyright = author
release = installed_version("target-dotdigital")
version = release
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "light_dark",
    "messages",
    "outside",
    "rooms",
    "schemas",
]
exclude_patterns = ["_build"]

myst_heading_anchors = 3
myst_links_external_new_tab = False
highlight_language = "none"
# Texts that a program prints are shown as it prints them.
smartquotes = False
# Docstrings write names in single backticks.
default_role = "code"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_class_signature = "separated"
add_module_names = False

html_theme = "furo"
html_title = "target-dotdigital"
html_favicon = "static/icon.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0b6b63",
        "color-brand-content": "#0b6b63",
        "color-brand-visited": "#0b6b63",
    },
    "dark_css_variables": {
        "color-brand-primary": "#62cbbf",
        "color-brand-content": "#62cbbf",
        "color-brand-visited": "#62cbbf",
    },
}
