"""The report for a terminal and as one page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fleetyard.drift.model import CLOUD, Difference, Report, counted
from fleetyard.report.document import document
from fleetyard.report.tables import table

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;
margin:2rem auto;padding:0 1rem;color:#1d2530;background:#fcfcfb}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem;font-size:13px}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8d97a544;vertical-align:top;overflow-wrap:anywhere}
th{color:#5c6673;font-weight:600}
td:first-child{white-space:nowrap}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:1.5rem 0 0}
.sum{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0}
.sum span{border:1px solid #8d97a566;border-radius:6px;padding:.3rem .7rem}
.sum b{font-size:1.2rem;margin-right:.3rem}
.gone{color:#b3261e}.new{color:#386a20}
@media (prefers-color-scheme:dark){
body{color:#e6eaf0;background:#15191f}th{color:#9aa5b3}.gone{color:#f2908a}.new{color:#9ccc7e}}
"""


def render(report: Report) -> str:
    """The differences, by place; then what could not be asked."""
    return "\n".join(_lines(report)) + "\n"


def _summary(report: Report) -> str:
    where = "on the simulated cloud" if report.simulated else "on the account"
    if report.clean:
        return f"{report.stack} {where}: no drift; the cloud and {len(report.asked)} hosts are as they were left"
    kinds = ", ".join(f"{number} {kind}" for kind, number in counted((*report.cloud, *report.nodes)).items())
    drifted = f"{len(report.drifted())} of {len(report.asked)} hosts differ"
    unknown = f"; {len(report.unknown)} could not be asked" if report.unknown else ""
    return f"{report.stack} {where}: {kinds or 'no difference found'}; {drifted}{unknown}"


def _lines(report: Report) -> Iterator[str]:
    yield _summary(report)
    for where in [CLOUD, *report.drifted()]:
        if rows := report.of(where):
            yield ""
            yield where
            yield table([(f"  {row.kind}", row.name, row.said()) for row in rows]).rstrip("\n")
    if report.unknown:
        yield ""
        yield "not known"
        yield table([(f"  {host}", why) for host, why in report.unknown]).rstrip("\n")


def page(report: Report) -> str:
    """A whole HTML page that needs nothing beside it."""
    head = f"<h1>{escape(report.stack)}: drift</h1><p>{escape(_summary(report))}</p>"
    return document(f"{report.stack}: drift", STYLE, [head, *_counts(report), *_sections(report)])


def _counts(report: Report) -> Iterator[str]:
    found = counted((*report.cloud, *report.nodes))
    if found:
        inner = "".join(f"<span><b>{number}</b>{escape(kind)}</span>" for kind, number in found.items())
        yield f'<div class="sum">{inner}</div>'


def _sections(report: Report) -> Iterator[str]:
    for where in [CLOUD, *report.drifted()]:
        if rows := report.of(where):
            yield f"<h2>{escape(where)}</h2><table><tr><th>kind<th>what<th>was<th>is</tr>"
            yield from (_row(row) for row in rows)
            yield "</table>"
    if report.unknown:
        yield "<h2>not known</h2><table><tr><th>host<th>why</tr>"
        yield from (f"<tr><td>{escape(host)}<td>{escape(why)}</tr>" for host, why in report.unknown)
        yield "</table>"


def _row(row: Difference) -> str:
    was = '<td class="new">not there' if row.was is None else f"<td>{escape(row.was)}"
    now = '<td class="gone">gone' if row.now is None else f"<td>{escape(row.now)}"
    return f"<tr><td>{escape(row.kind)}<td>{escape(row.name)}{was}{now}</tr>"
