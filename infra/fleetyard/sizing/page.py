"""The answer to a sizing question as one page: what was chosen, the front, plots, and why everything else lost."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fleetyard.report.document import document
from fleetyard.sizing.choose import Answer, Question, Row
from fleetyard.sizing.plot import CSS, Point, bar, scatter

DAY_S = 86400.0

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:860px;
margin:2rem auto;padding:0 1rem;color:#1d2530;background:#fcfcfb}
table{border-collapse:collapse;width:100%;margin:1rem 0;font-size:13px}
th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid #8d97a544}
th:first-child,td:first-child{text-align:left}
.lost td{text-align:left}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.chosen{font-weight:600;background:#6aa84f22}
@media (prefers-color-scheme:dark){body{color:#e6eaf0;background:#15191f}}
"""


def page(question: Question, answer: Answer) -> str:
    """A whole HTML page that needs nothing beside it."""
    return document(f"{question.model.name}: sizing", f"{STYLE}{CSS}", _body(question, answer))


def cost_plot(answer: Answer) -> str:
    """Time against cost of every fleet that keeps the limits and has a price."""
    priced = [row for row in answer.rows if row.usd]
    points = [_point(row, row.usd or 0.0, row == answer.chosen) for row in priced]
    front = [_point(row, row.usd or 0.0, marked=False) for row in _lower([row for row in answer.front if row.usd])]
    return scatter("Days and dollars", "days, at most", "US dollars for the run", points, front)


def _lower(rows: list[Row]) -> list[Row]:
    """Of rows, those that no faster one undercuts in price."""
    kept: list[Row] = []
    for row in sorted(rows, key=lambda each: each.sure_s):
        if not kept or (row.usd or 0.0) < (kept[-1].usd or 0.0):
            kept.append(row)
    return kept


def _point(row: Row, y: float, marked: bool) -> Point:
    name = f"{row.units} {row.machine} in {row.region}, {row.precision}"
    return Point(row.sure_s / DAY_S, y, f"{row.chip} {row.precision}", f"{name}: {row.layout}", marked)


def _body(question: Question, answer: Answer) -> Iterator[str]:
    row = answer.chosen
    yield f"<h1>{escape(question.model.name)} on {question.tokens:.3g} tokens</h1>"
    yield (
        f"<p>{row.units} × {escape(row.machine)} in {escape(row.region)} ({escape(row.buy)}): "
        f"{row.chips:,} {escape(row.chip)}, {escape(row.layout)}, {escape(row.precision)}. "
        f"{row.seconds / DAY_S:.1f} days, at most {row.sure_s / DAY_S:.1f} by the 80 % interval; "
        f"{_usd(row)}; {_kg(row)}. "
        f"Bound by {escape(answer.binding)}. {answer.plans:,} layouts were looked at.</p>"
    )
    limits = [
        ("deadline", None if question.deadline_s is None else f"{question.deadline_s / DAY_S:g} days"),
        ("budget", None if question.budget_usd is None else f"${question.budget_usd:,.0f}"),
        ("carbon", None if question.carbon_kg is None else f"{question.carbon_kg:,.0f} kg CO2e"),
    ]
    kept = ", ".join(f"{name} {value}" for name, value in limits if value is not None)
    yield f"<p>Asked: the least {question.by}" + (f" within {escape(kept)}.</p>" if kept else ".</p>")
    for given in answer.relaxed:
        yield f"<p>Ten per cent more {escape(given.constraint)} buys {escape(given.buys)}.</p>"
    yield cost_plot(answer)
    emitting = [each for each in answer.rows if each.carbon_kg]
    points = [_point(each, each.carbon_kg or 0.0, each == row) for each in emitting]
    yield scatter("Days and carbon", "days, at most", "kg CO2e for the run", points)
    yield bar("Memory of one chip", row.parts, row.usable_gib, "GiB")
    yield "<h2>The front</h2>"
    heads = ("fleet", "chips", "days", "at most", "cost", "CO2e", "bound by")
    yield "<table><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>"
    for each in answer.front:
        mark = ' class="chosen"' if each == row else ""
        name = f"{each.units} × {each.machine}, {each.region}, {each.precision}"
        cells = [f"{each.chips:,}", f"{each.seconds / DAY_S:.1f}", f"{each.sure_s / DAY_S:.1f}", _usd(each), _kg(each)]
        said = "".join(f"<td>{escape(cell)}</td>" for cell in (name, *cells, each.bound_by))
        yield f"<tr{mark}>{said}</tr>"
    yield "</table><h2>Why the others lost</h2><table class='lost'>"
    for lost in answer.lost:
        yield f"<tr><td>{escape(lost.name)}</td><td>{escape(lost.why)}</td></tr>"
    yield "</table>"


def _usd(row: Row) -> str:
    return f"${row.usd:,.0f}" if row.usd is not None else "unknown"


def _kg(row: Row) -> str:
    return f"{row.carbon_kg:,.0f} kg CO2e" if row.carbon_kg is not None else "unknown"
