"""A report as pages: one page with everything in it, and for each exhibit a page with the rows behind its numbers.

The rules that must stay true: the pages work without script and from a folder, fetch nothing, and hold no text that was
not escaped; every number that rests on rows is a link to them. Figures stand in the page as SVG with their numbers
below as a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from equipoise.documents.figure import svg
from equipoise.documents.report import Cell, Evidence, Exhibit, Report, both_of
from equipoise.words.text import Language

STYLE = """
:root { color-scheme: light; --ink: #1f2933; --grey: #52606d; --rule: #cbd2d9; --mark: #7a4100; }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; color: var(--ink); background: #fff;
  font: 1rem/1.5 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif }
h1 { font-size: 1.6rem; line-height: 1.25 }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem }
h3 { font-size: 1rem }
a { color: #0b4f8a } a:focus-visible { outline: 3px solid #0b4f8a; outline-offset: 2px }
.banner { border: 2px solid var(--mark); color: var(--mark); padding: .5rem .75rem; font-weight: 700; margin: 0 0 1rem }
section { scroll-margin-top: 5.5rem }
.stuck { position: sticky; top: 0; background: #fff; z-index: 1 }
.quiet { color: var(--grey); margin: 0 0 .5rem }
.scroll { overflow-x: auto; margin: .5rem 0 }
table { border-collapse: collapse;
  font-variant-numeric: tabular-nums; font-size: .9rem; min-width: 22rem }
th, td { padding: .2rem .6rem .2rem 0; text-align: left; vertical-align: top }
thead th { border-bottom: 2px solid var(--ink); vertical-align: bottom }
tbody tr { border-bottom: 1px solid var(--rule) }
tbody th { font-weight: 400 }
tr.head th { font-weight: 700; padding-top: .6rem }
.i1 { padding-left: 1.25rem }
.i2 { padding-left: 2.5rem }
.notes { font-size: .85rem; color: var(--grey); padding-left: 1.1rem }
figure { margin: .5rem 0 }
figure svg { max-width: 100%; height: auto }
dl { display: grid;
  grid-template-columns: auto 1fr; gap: .15rem 1rem }
dt { color: var(--grey) }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere }
nav ol { list-style: none; padding: 0 }
nav li { padding: .1rem 0 }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr } }
@media print { .stuck { position: static } a { color: inherit; text-decoration: none }
h2 { break-before: page } }
"""


def report_html(report: Report, language: Language) -> Mapping[str, str]:
    """File name -> page: `report.LANG.html`, and `rows.LANG/ID.html` for each exhibit with rows."""
    pages = {f"report.{language}.html": _whole(report, language)}
    for exhibit in report.exhibits:
        sets = _row_sets(exhibit)
        if sets:
            pages[f"rows.{language}/{exhibit.id}.html"] = _rows_page(report, exhibit, sets, language)
    return pages


def _whole(report: Report, language: Language) -> str:
    word = {name: escape(text.say(language)) for name, text in report.words.items()}
    facts = "".join(
        f"<dt>{escape(label.say(language))}</dt><dd>{escape(both_of(value, language))}</dd>"
        for label, value in report.facts
    )
    contents = "".join(
        f'<li><a href="#{one.id}">{one.id} {escape(one.title.say(language))}</a></li>'
        for one in report.exhibits
    )
    said = "".join(f"<p>{escape(text.say(language))}</p>" for text in report.said)
    body = "".join(_exhibit(report, one, language) for one in report.exhibits)
    inner = (
        f"<header><h1>{escape(report.title.say(language))}</h1>{said}<dl>{facts}</dl></header>"
        f'<nav aria-label="{word["contents"]}"><h2>{word["contents"]}</h2><ol>{contents}</ol></nav><main>{body}</main>'
    )
    return _page(report, report.title.say(language), inner, language)


def _page(report: Report, title: str, inner: str, language: Language) -> str:
    banners = [report.banner.say(language)] if report.banner is not None else []
    if report.rehearsal:
        banners.append(report.words["rehearsal"].say(language))
    said = escape(" · ".join(banners))
    stuck = f'<aside class="banner stuck" aria-label="{said}">{said}</aside>' if banners else ""
    tag = "zh-Hans" if language == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{tag}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · {escape(report.study)}</title><style>{STYLE}</style></head>"
        f"<body>{stuck}{inner}</body></html>\n"
    )


def _exhibit(report: Report, one: Exhibit, language: Language) -> str:
    sets = _row_sets(one)
    estimand = f"<p class=quiet>{escape(one.estimand.say(language))}</p>" if one.estimand is not None else ""
    notes = "".join(f"<li>{escape(note.say(language))}</li>" for note in one.notes)
    listed = f"<ul class=notes>{notes}</ul>" if notes else ""
    drawn = "".join(
        f'<figure role="img" aria-label="{escape(each.alternative.say(language))}">'
        f"{_unspoken(svg(each.description[language]).decode())}</figure>"
        for each in one.figures
    )
    return (
        f'<section id="{one.id}" aria-labelledby="h-{one.id}">'
        f'<h2 id="h-{one.id}">{one.id} {escape(one.title.say(language))}</h2>'
        f"<p class=quiet>{escape(one.about(language))}</p>{estimand}{drawn}"
        f"{_table(report, one, sets, language)}{listed}</section>"
    )


def _table(report: Report, one: Exhibit, sets: Mapping[tuple[Evidence, ...], int], language: Language) -> str:
    if not one.lines:
        return f"<p>{escape(report.words['nobody'].say(language))}</p>"
    head = "".join(f'<th scope="col">{_lines(text.say(language))}</th>' for text in (one.lead, *one.columns))
    rows = []
    for line in one.lines:
        indent = f' class="i{min(line.indent, 2)}"' if line.indent else ""
        if line.head:
            rows.append(
                f'<tr class="head"><th scope="rowgroup" colspan="{len(one.columns) + 1}"{indent}>'
                f"{escape(line.say(language))}</th></tr>"
            )
            continue
        cells = "".join(f"<td>{_cell(one, cell, sets, language)}</td>" for cell in line.cells)
        rows.append(f'<tr><th scope="row"{indent}>{escape(line.say(language))}</th>{cells}</tr>')
    label = escape(f"{one.id} {one.title.say(language)}: {report.words['table'].say(language)}")
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _unspoken(drawing: str) -> str:
    """The drawing for eyes alone: its words are the figure's label, its numbers the table below."""
    return drawing.replace("<svg ", '<svg aria-hidden="true" ', 1)


def _lines(text: str) -> str:
    return "<br>".join(escape(part) for part in text.split("\n"))


def _cell(one: Exhibit, cell: Cell, sets: Mapping[tuple[Evidence, ...], int], language: Language) -> str:
    text = escape(cell.say(language))
    if not cell.rows or not text:
        return text
    return f'<a href="rows.{language}/{one.id}.html#r{sets[cell.rows]}">{text}</a>'


def _row_sets(one: Exhibit) -> Mapping[tuple[Evidence, ...], int]:
    """Every different set of rows behind a number of the exhibit, numbered in the order of the table."""
    found: dict[tuple[Evidence, ...], int] = {}
    for line in one.lines:
        for cell in line.cells:
            if cell.rows:
                found.setdefault(cell.rows, len(found) + 1)
    return found


def _rows_page(
    report: Report, one: Exhibit, sets: Mapping[tuple[Evidence, ...], int], language: Language
) -> str:
    word = {name: escape(text.say(language)) for name, text in report.words.items()}
    where = _where(one, sets, language)
    parts = "".join(_row_set(number, rows, where[number], word) for rows, number in sets.items())
    title = f"{one.id} {one.title.say(language)}"
    inner = (
        f'<main><p><a href="../report.{language}.html#{one.id}">{word["back"]}</a></p><h1>{escape(title)}</h1>'
        f"<p>{word['evidence']}</p>{parts}</main>"
    )
    return _page(report, title, inner, language)


def _where(
    one: Exhibit, sets: Mapping[tuple[Evidence, ...], int], language: Language
) -> Mapping[int, Sequence[str]]:
    """Number of a set of rows -> the numbers of the table that rest on it: label, column, text."""
    found: dict[int, list[str]] = {number: [] for number in sets.values()}
    above: list[str] = []
    for line in one.lines:
        above = [*above[: line.indent], line.say(language)]
        for column, cell in zip(one.columns, line.cells, strict=False):
            if cell.rows:
                named = " › ".join(above)
                said = f"{named} | {column.say(language).replace(chr(10), ' ')} | {cell.say(language)}"
                found[sets[cell.rows]].append(said)
    return found


def _row_set(number: int, rows: tuple[Evidence, ...], where: Sequence[str], word: Mapping[str, str]) -> str:
    named = "<br>".join(escape(one) for one in where)
    body = "".join(
        f"<tr><td>{escape(row.dataset)}</td><td>{escape(row.key)}</td><td>{escape(row.entries)}</td></tr>"
        for row in rows
    )
    return (
        f'<section id="r{number}"><h2>{len(rows)} {word["rows"]}</h2><p class=quiet>{named}</p>'
        f'<div class="scroll"><table><thead><tr><th scope="col">{word["dataset"]}</th>'
        f'<th scope="col">{word["key"]}</th><th scope="col">{word["entries"]}</th></tr>'
        f"</thead><tbody>{body}</tbody></table></div></section>"
    )
