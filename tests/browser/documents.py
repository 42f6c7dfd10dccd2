"""A small folder of documents: Markdown, a PDF of two pages, and text full of markup."""

from __future__ import annotations

from pathlib import Path

OTTERS = """# Sea otters

## Sleep

Sea otters sleep on their backs at the surface. They wrap themselves in kelp so that they do not
drift away while they sleep. A resting group of otters is called a raft.

## Food

An adult otter eats about a quarter of its body weight every day. Its favourite food is the
purple sea urchin, which it opens with a flat stone.
"""

MARKUP = """# Prices & <b>markup</b>

The zeppelin ticket costs $45 on Mondays and $60 on Sundays. <script>alert('run')</script> is what
the zeppelin ticket machine prints when it is broken, see [the manual](https://example.com/manual)
and ![a picture](https://example.com/picture.png).

<img src=x onerror="document.title='taken over'"> ends the zeppelin leaflet.
"""

LIGHTHOUSE = (
    (
        "The Lighthouse of Kerring",
        "The lighthouse stands on the north cliff of the island. It was built of grey granite "
        "that came by ship from the mainland.",
        "Its tower is forty-one metres high and has two hundred and four steps.",
    ),
    (
        "Keepers",
        "The last keeper of the Kerring lighthouse was Agnes Thorvald, who lit the lamp for the "
        "final time in 1974. Since then an electric motor turns the lens.",
        "Keepers were paid in coal and candles until 1902.",
    ),
)


def write_documents(folder: Path) -> None:
    """Write the documents into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "otters.md").write_text(OTTERS, encoding="utf-8")
    (folder / "markup.txt").write_text(MARKUP, encoding="utf-8")
    _write_pdf(folder / "lighthouse.pdf")


def _write_pdf(path: Path) -> None:
    from reportlab.lib.pagesizes import A5
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer

    styles = getSampleStyleSheet()
    story = []
    for heading, *paragraphs in LIGHTHOUSE:
        story.append(Paragraph(heading, styles["Heading1"]))
        for text in paragraphs:
            story += [Paragraph(text, styles["BodyText"]), Spacer(1, 12)]
        story.append(PageBreak())
    SimpleDocTemplate(str(path), pagesize=A5, title="The Lighthouse of Kerring").build(story)
