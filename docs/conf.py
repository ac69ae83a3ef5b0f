"""The documentation site: Markdown by Sphinx, with what is generated from the code.

    uv run sphinx-build -W --keep-going docs output/site

Nothing comes from outside, so that the pages can be read from a folder, without a network.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import metadata
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

project = "target-dotdigital"
author = "The target-dotdigital developers"
project_copyright = author
distribution = metadata("target-dotdigital")
# What comes after + names a commit, and makes the title too long for a phone.
release = distribution["Version"].partition("+")[0]
version = release
language = "en"

extensions = [
    "myst_parser",
    "sphinx_copybutton",
    "changelog",
    "light_dark",
    "outside",
    "search_numbers",
    "stacked_tables",
]
exclude_patterns = ["_build"]

myst_heading_anchors = 3
myst_links_external_new_tab = False
highlight_language = "none"
# Texts that a program prints are shown as it prints them.
smartquotes = False
# What you run or write has a button; what is printed has none.
copybutton_selector = "div.highlight-shell pre, div.highlight-yaml pre, div.highlight-sql pre"

html_theme = "furo"
html_title = f"target-dotdigital {release}"
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

# Where the repository is: in `project.urls` of pyproject.toml, or in this variable. Without it, no
# page has a link to it.
repository_url = os.environ.get("DOCS_REPOSITORY_URL") or next(
    (
        url.partition(", ")[2]
        for url in distribution.get_all("Project-URL", [])
        if url.startswith("Repository, ")
    ),
    "",
)
if repository_url:
    html_theme_options |= {
        "source_repository": repository_url,
        "source_branch": "main",
        "source_directory": "docs/",
        "footer_icons": [{"name": "Repository", "url": repository_url, "html": "Repository"}],
    }
