"""What the pages show of the code: written into the Markdown, so that it can be read where it is.

`uv run python -m tests.support.generated_docs` writes all of it.
"""
