"""Text of a file stays text in Markdown.

What a reader sees is worked out by markdown-it, a parser of its own that comes with rich.
"""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ahsct_trial.rendering.markdown import write_markdown
from ahsct_trial.rendering.sections import Section

HOSTILE = [
    "*bold*",
    "**bold**",
    "a | b",
    "|",
    "<script>alert(1)</script>",
    "_x_",
    "__x__",
    "a_b_c",
    "_a_b",
    "years_to_death",
    "&lt;",
    "&#42;",
    "`code`",
    "``",
    "a\\",
    "\\*",
    "\\|",
    "[bold]red[/bold]",
    "[text](https://example.org)",
    "![image](x.png)",
    "<https://example.org>",
    "~~gone~~",
    "# Heading",
    "{x}",
    "> quoted",
]
BLOCKS = ["- item", "+ item", "1. item", "12) item", "-", "1.", "```", "~~~", "---", "***", "===", "- - -"]


class Reader(HTMLParser):
    """What a page shows, and with which elements."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.shown: list[str] = []
        parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
        self.feed(parser.render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.shown.append(data)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_shows_its_text_and_nothing_else(text: str) -> None:
    page = Reader(write_markdown([Section("Title", headings=("Name", "Years"), rows=((text, "1.0"),))]))
    assert page.shown == ["Title", "Name", "Years", text, "1.0"]
    assert page.elements == ["h2", "table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]


@pytest.mark.parametrize("text", HOSTILE + BLOCKS)
def test_title_lead_and_notes_show_their_text(text: str) -> None:
    page = Reader(write_markdown([Section(f"Of {text} here", lead=(text,), notes=(text, "end"))]))
    # Between two lists without a table between them there is no break: they are one.
    assert page.shown == [f"Of {text} here", text, text, "end"]
    assert [element for element in page.elements if element != "p"] == ["h2", "ul", "li", "li", "li"]


@given(st.text(alphabet="\\`*_{}[]<>()#+-.!|&~:;=ab1é \"'/", min_size=1).filter(lambda text: text.strip()))
def test_any_text_stays_text(text: str) -> None:
    section = Section("Title", headings=("Name",), rows=((text,),), notes=(f"x{text}",))
    page = Reader(write_markdown([section]))
    assert "".join(page.shown) == "TitleName" + text.strip() + ("x" + text).strip()


def test_escapes_as_written_by_hand() -> None:
    text = write_markdown([Section("Sites", headings=("Site",), rows=(("a|b",), ("_x_ a_b",), ("<i>&lt;",)))])
    assert text == "## Sites\n\n| Site |\n| --- |\n| a\\|b |\n| \\_x\\_ a_b |\n| \\<i\\>\\&lt; |\n"


def test_figures_stand_to_the_right_and_headings_on_one_line() -> None:
    section = Section("T", headings=("", "Kaplan–\nMeier", "At\nrisk", "Why"), rows=(("a", "1", "2", "b"),))
    assert write_markdown([section]).splitlines()[2:4] == [
        "|  | Kaplan–Meier | At risk | Why |",
        "| --- | ---: | ---: | ---: |",
    ]
    names_and_values = Section("T", rows=(("a", "1"),))
    assert write_markdown([names_and_values]).splitlines()[2:] == ["|  |  |", "| --- | --- |", "| a | 1 |"]
