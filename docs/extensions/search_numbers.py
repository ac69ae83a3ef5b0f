"""A search that finds numbers, such as the status 401: Sphinx leaves them out of its index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sphinx.search.en import SearchEnglish

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


class SearchWithNumbers(SearchEnglish):
    """English, with numbers as words."""

    def word_filter(self, word: str) -> bool:
        """Return whether a word is kept in the index.

        Args:
            word: The word's stem.
        """
        return word not in self.stopwords


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx."""
    app.add_search_language(SearchWithNumbers)
    # The page's own script leaves them out of what is searched for, too.
    app.add_js_file("search_numbers.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True}
