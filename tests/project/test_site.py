"""The documentation site: built without a warning, complete, and readable without a network."""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from typing_extensions import override

import target_dotdigital
from target_dotdigital import errors
from target_dotdigital.errors import TargetDotdigitalError
from tests.support.browser import needs_browser, started
from tests.support.generated_docs.settings import OF_A_STREAM, anchor
from tests.support.settings_files import stream_settings, top_level_settings
from tests.support.target.command import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(target_dotdigital.__file__).parent
MODULES = [path for path in PACKAGE.rglob("[!_]*.py") if PACKAGE / "sandbox" not in path.parents]
"""Those of the target: the sandbox says nothing in a run."""

REJECT_CODE = re.compile(r"(?:record|identifier|field|dotdigital)\.[A-Za-z_]\w*")
MESSAGES = "reference/messages.html"
RESOURCES = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "srcset"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("site"))


class Page(HTMLParser):
    """What is in a page of the site."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.resources: list[str] = []
        self.rows: list[list[str]] = []
        self._texts: list[str] = []
        self._is_cell = False
        self.feed(path.read_text(encoding="utf-8"))

    @property
    def text(self) -> str:
        return " ".join("".join(self._texts).split())

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.anchors.add(str(found["id"]))
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if found.get(RESOURCES.get(tag, "")):
            self.resources.append(str(found[RESOURCES[tag]]))
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")
            self._is_cell = True

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._is_cell = False

    @override
    def handle_data(self, data: str) -> None:
        self._texts.append(data)
        if self._is_cell and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def pages(site: Path) -> dict[str, Page]:
    return {str(path.relative_to(site)): Page(path) for path in site.rglob("*.html")}


def test_every_page_is_there(site: Path) -> None:
    sources = {
        str(path.relative_to(REPOSITORY / "docs").with_suffix(".html"))
        for path in (REPOSITORY / "docs").rglob("*.md")
    }
    assert sources == pages(site).keys() - {"genindex.html", "py-modindex.html", "search.html"}


def test_nothing_comes_from_outside(site: Path) -> None:
    for page in pages(site).values():
        assert [each for each in page.resources if urlsplit(each).netloc] == []
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//|@import", style.read_text()), style


def test_links_within_the_site_lead_somewhere(site: Path) -> None:
    found = pages(site)
    for name, page in found.items():
        for link in page.links:
            url, anchor = urldefrag(urljoin(name, link) if link[0] != "#" else f"{name}{link}")
            if urlsplit(url).scheme:
                continue
            assert url in found or (site / url).is_file(), (name, link)
            assert not anchor or unquote(anchor) in found[url].anchors, (name, link)


def test_every_setting_has_a_section_that_can_be_linked_to(site: Path) -> None:
    anchors = Page(site / "reference/settings.html").anchors
    for of in ("", OF_A_STREAM):
        for setting in stream_settings() if of else top_level_settings():
            assert anchor(setting, of) in anchors


def keys(schema: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a JSON schema
    if isinstance(schema, dict):
        for name, part in schema.items():
            if name == "properties":
                yield from part
            yield from keys(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from keys(part)


@pytest.mark.parametrize("name", ["report", "verification"])
def test_the_report_has_every_key_of_its_schema(site: Path, name: str) -> None:
    schema = json.loads((PACKAGE / f"{name}.schema.json").read_text(encoding="utf-8"))
    rows = Page(site / "reference/report.html").rows
    shown = {row[0].rpartition(".")[2].removesuffix("[]") for row in rows if row}
    assert set(keys(schema)) <= shown


# What a run can say is on the page about messages.


@functools.cache
def strings() -> frozenset[str]:
    """Return all texts that are in the package, without those of the sandbox."""
    return frozenset(
        node.value
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def test_every_reject_code_is_told(site: Path) -> None:
    codes = {text for text in strings() if REJECT_CODE.fullmatch(text)}
    assert codes >= {"record.invalid", "field.type", "dotdigital.unknown"}
    shown = Page(site / MESSAGES).text.lower()
    assert [code for code in sorted(codes) if code.lower() not in shown] == []


def error_classes() -> set[type[Exception]]:
    for path in MODULES:
        import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
    found: set[type[Exception]] = {
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, Exception)
    }
    waiting: list[type[Exception]] = [TargetDotdigitalError]
    while waiting:
        found.add(one := waiting.pop())
        waiting += one.__subclasses__()
    return {each for each in found if each.__module__.startswith("target_dotdigital.")}


def test_every_error_class_is_told_with_who_must_act(site: Path) -> None:
    page = Page(site / MESSAGES)
    told = {each for each in error_classes() if not each.__name__.startswith("_")}
    assert len(told) > 10
    assert [each.__name__ for each in told if each.__name__ not in page.text] == []
    acts = {each.act for each in told if issubclass(each, TargetDotdigitalError)}
    assert [act for act in acts if act not in page.text] == []


def test_messages_are_those_of_the_code(site: Path) -> None:
    text = Page(site / MESSAGES).text
    for message in (
        "… is a gzip file that is cut off. Run the tap again",
        "sandbox_path, api_url: set only one of the two",
        "…: Dotdigital's Data Watchdog refused it (RejectedByWatchdog). Do not send it again",
        "…: … cannot be written: …",
        "Property '…' is empty",
    ):
        assert message in text, message


def test_the_changelog_is_a_page(site: Path) -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    shown = Page(site / "changelog.html").text
    for title in re.findall(r"^## (.+)$", text, re.MULTILINE):
        assert title in shown


def test_every_page_shows_the_version(site: Path) -> None:
    shown = f"target-dotdigital {version('target-dotdigital').partition('+')[0]}"
    for name, page in pages(site).items():
        assert shown in page.text, name


def build(folder: Path, **variables: str) -> Path:
    built = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"),
            *("--doctree-dir", folder / "doctrees", REPOSITORY / "docs", folder / "html"),
        ],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (built.returncode, built.stderr) == (0, "")
    return folder / "html"


def test_pages_lead_to_the_repository_once_its_url_is_known(site: Path, tmp_path: Path) -> None:
    url = "https://github.com/example/target-dotdigital"
    linked = Page(build(tmp_path, DOCS_REPOSITORY_URL=url) / "mapping.html").links
    assert url in linked
    assert f"{url}/edit/main/docs/mapping.md" in linked
    assert not [link for link in Page(site / "mapping.html").links if "/edit/" in link]


# The front page, as it is seen.


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        @override
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@needs_browser
def test_the_front_page_is_readable_light_and_dark_wide_and_narrow(site: Path) -> None:
    with served(site) as url, started() as browser:
        for scheme, other in (("light", "dark"), ("dark", "light")):
            for width in (1_280, 390):
                browser.emulate(scheme)
                browser.resize(width, 800)
                browser.open(f"{url}/index.html")
                browser.one("article h1")
                shown = [
                    str(image.get_attribute("src"))
                    for image in browser.all("article img")
                    if image.is_displayed()
                ]
                assert len(shown) == 1
                assert shown[0].endswith(f"-{scheme}.png")
                assert f"-{other}" not in shown[0]
                across = "return document.documentElement.scrollWidth"
                assert browser.driver.execute_script(across) <= width
                assert browser.console() == []


@needs_browser
def test_a_number_can_be_searched_for(site: Path) -> None:
    with served(site) as url, started() as browser:
        browser.open(f"{url}/search.html?q=401")
        browser.until(lambda: browser.all("#search-results li a"), "results")
        found = [str(link.get_attribute("href")) for link in browser.all("#search-results li a")]
        assert any(MESSAGES in link for link in found)


@needs_browser
def test_what_is_run_can_be_copied_and_what_is_printed_cannot(site: Path) -> None:
    with served(site) as url, started() as browser:
        browser.open(f"{url}/quick-start.html")
        browser.until(lambda: browser.all("button.copybtn"), "copy buttons")
        commands = browser.all("div.highlight-shell")
        assert commands
        assert len(browser.all("div.highlight-shell button.copybtn")) == len(commands)
        assert browser.all("div.highlight-none")
        assert not browser.all("div.highlight-none button.copybtn")
        assert browser.console() == []


@needs_browser
def test_no_page_is_wider_than_a_phone(site: Path) -> None:
    with served(site) as url, started() as browser:
        browser.resize(390, 800)
        for name in pages(site):
            browser.open(f"{url}/{name}")
            across = "return document.documentElement.scrollWidth"
            assert browser.driver.execute_script(across) <= 390, name
            assert browser.console() == [], name
