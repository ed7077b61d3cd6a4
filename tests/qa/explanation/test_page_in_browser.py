"""The page as a browser shows it, wide and narrow, light and dark."""

import re
import shutil
import subprocess
from html import escape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dragon_core.qa.explanation import explanation_page
from tests.qa.explanation.examples import explanation_of, milk, read_graph

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; install the Debian package chromium")

OPTIONS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
MORE_OPTIONS = "--disable-component-update --disable-sync --hide-scrollbars"
LIGHT = {"question": "#2166ac", "choice": "#d6604d", "other": "#8a96a3"}
DARK = {"question": "#6aaee8", "choice": "#f08a75", "other": "#8d99a6"}
# Windows have a least width, frames have none.
FRAME = """<title></title><iframe style="border: 0; height: 900px; width: {width}px" srcdoc="{page}" onload="
const page = this.contentDocument.documentElement; document.title = `${{page.scrollWidth}} of ${{page.clientWidth}}`
"></iframe>"""


def browse(folder: Path, page: str, width: int, *options: str) -> str:
    """Open a page in a new browser, and give what that prints."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [CHROMIUM or "", *OPTIONS.split(), *MORE_OPTIONS.split(), profile, f"--window-size={width},2600"]
    address = (folder / "page.html").as_uri()
    done = subprocess.run([*command, *options, address], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def pixels_of(picture: Path, color: str) -> int:
    wanted = [int(color[start : start + 2], 16) for start in (1, 3, 5)]
    return int((np.asarray(Image.open(picture).convert("RGB")) == wanted).all(-1).sum())


@pytest.mark.parametrize(
    ("width", "colors", "options"),
    [(1280, LIGHT, ()), (360, LIGHT, ()), (1280, DARK, ("--blink-settings=preferredColorScheme=0",))],
    ids=["wide", "narrow", "dark"],
)
def test_concepts_of_all_kinds_are_seen(
    tmp_path: Path, width: int, colors: dict[str, str], options: tuple[str, ...]
) -> None:
    picture = tmp_path / "page.png"
    browse(tmp_path, explanation_page(milk()), width, f"--screenshot={picture}", *options)
    assert Image.open(picture).size == (width, 2600)
    for color in colors.values():
        # More than the marks of the legend.
        assert pixels_of(picture, color) > 200


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(tmp_path: Path, width: int) -> None:
    long = "an_unbreakable_name_" * 6
    graph = read_graph(f"milk at {long}; milk like fridge", ["milk"], [long])
    explanation = explanation_of(f"What is {long}?", [long, "fridge"], [graph, graph])
    for shown in (milk(), explanation):
        framed = FRAME.format(width=width, page=escape(explanation_page(shown)))
        title = re.search(r"<title>(\d+) of (\d+)</title>", browse(tmp_path, framed, 1600, "--dump-dom"))
        assert title is not None
        assert int(title[1]) <= int(title[2]) == width
