"""`fleetyard size choose`: the best fleet for a training run over everything that can be bought, and why it won."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from fleetyard.catalog import Buy, Cloud
from fleetyard.cli.words import UNKNOWN, duration, usd
from fleetyard.findings import Exit, FleetyardError, error

if TYPE_CHECKING:
    from fleetyard.sizing.choose import Answer, Question, Row

SHOWN = 12
"""Rows of the front, and reasons, that the text shows; `--json` and `--html` hold all."""


def add(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The subcommand and its arguments."""
    sub = parsers.add_parser("choose", help="choose machine, count, layout and number format for a training run")
    what = sub.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help="a named model (`fleetyard catalog --models`)")
    what.add_argument("--config", type=Path, metavar="FILE", help="a Hugging Face config.json")
    sub.add_argument("--tokens", required=True, help="tokens to train on, such as 1e12")
    sub.add_argument("--deadline", help="such as 14d; held against the upper end of the 80 %% interval")
    sub.add_argument("--budget", help="US dollars for the whole run")
    sub.add_argument("--carbon", help="kilograms of CO2e for the whole run")
    sub.add_argument("--cloud", action="append", choices=[each.value for each in Cloud], default=[])
    sub.add_argument("--region", action="append", default=[])
    sub.add_argument("--machine", action="append", default=[], help="machine type, or type of a TPU slice")
    sub.add_argument("--chip", action="append", default=[])
    sub.add_argument("--buy", action="append", choices=[each.value for each in Buy], default=[])
    sub.add_argument("--precision", action="append", choices=["bf16", "fp8"], default=[])
    sub.add_argument("--batch-tokens", help="tokens of one optimizer step (default: as published)")
    sub.add_argument("--sequence", help="tokens of a sequence (default: as published)")
    sub.add_argument("--most-chips", default="16384")
    sub.add_argument("--by", choices=["cost", "time", "carbon"], default="cost", help="what is made small")
    sub.add_argument("--json", action="store_true", help="print everything as data")
    sub.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots")


def run(args: argparse.Namespace) -> int:
    """Choose, print, and write the page. An impossible question is exit status 1 with the nearest plan."""
    from fleetyard.sizing.choose import choose
    from fleetyard.sizing.result import ImpossibleError

    question = _question(args)
    try:
        answer = choose(question)
    except ImpossibleError as impossible:
        wrong = error(
            "FY1650", "--" + impossible.constraint.removesuffix("s"), str(impossible), impossible.fix, Exit.FINDINGS
        )
        raise FleetyardError(wrong.findings, Exit.FINDINGS) from None
    except ValueError as wrong_number:
        raise error("FY1651", "--" + str(wrong_number).partition(":")[0], str(wrong_number), "a number") from None
    if args.html is not None:
        from fleetyard.sizing.page import page

        try:
            args.html.write_text(page(question, answer), encoding="utf-8")
        except OSError as problem:
            message = f"{args.html.name} cannot be written: {problem.strerror or problem}"
            raise error("FY1632", "--html", message, "a file in a folder that is writable", Exit.PERMISSION) from None
    if args.json:
        print(json.dumps(as_data(answer), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_text(question, answer)))
    return Exit.DONE


def _question(args: argparse.Namespace) -> Question:
    from fleetyard.sizing.choose import Question
    from fleetyard.sizing.models import UnknownModelError, model
    from fleetyard.sizing.offers import Wanted

    try:
        if args.config is not None:
            from fleetyard.sizing.hf import read_config

            wanted_model = read_config(args.config)
        else:
            wanted_model = model(args.model)
    except UnknownModelError as unknown:
        fix = f"one of {', '.join(unknown.near)}" if unknown.near else "`fleetyard catalog --models` lists them"
        raise error("FY1613", "--model", str(unknown), fix) from None
    _refuse_strangers(args)
    batch, sequence = _amount(args.batch_tokens, "--batch-tokens"), _amount(args.sequence, "--sequence")
    return Question(
        model=wanted_model,
        tokens=_amount(args.tokens, "--tokens") or 0.0,
        deadline_s=_deadline(args.deadline),
        budget_usd=_amount(args.budget, "--budget"),
        carbon_kg=_amount(args.carbon, "--carbon"),
        wanted=Wanted(
            clouds=[Cloud(each) for each in args.cloud],
            regions=args.region,
            machines=args.machine,
            chips=args.chip,
            buys=[Buy(each) for each in args.buy] or (Buy.ON_DEMAND,),
        ),
        precisions=tuple(args.precision) or ("bf16",),
        batch_tokens=None if batch is None else int(batch),
        sequence=None if sequence is None else int(sequence),
        most_chips=int(_amount(args.most_chips, "--most-chips") or 0),
        by=args.by,
    )


def _refuse_strangers(args: argparse.Namespace) -> None:
    """Refuse a region, machine or chip that the catalogue does not hold, with the names that look like it."""
    from difflib import get_close_matches

    from fleetyard.catalog import catalog
    from fleetyard.sizing.hardware import chips

    facts = catalog()
    known = {
        "region": {region.name for cloud in Cloud for region in facts.regions(cloud)},
        "machine": {each.name for each in facts.machines()} | {each.type_name for each in facts.tpu_shapes()},
        "chip": {each.id for each in facts.accelerators()} | set(chips()),
    }
    for what, names in known.items():
        for given in getattr(args, what) or ():
            if given not in names:
                near = get_close_matches(given, sorted(names), n=3, cutoff=0.4)
                fix = f"one of {', '.join(near)}" if near else f"a {what} that `fleetyard catalog` lists"
                raise error("FY1651", f"--{what}", f"{given!r} is no {what} that Fleetyard knows", fix)


def _amount(text: str | None, path: str) -> float | None:
    if text is None:
        return None
    try:
        value = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        raise error("FY1651", path, f"{text!r} is no number", "a number such as 1e12") from None
    if not 0 < value < 1e18:
        raise error("FY1651", path, f"{text} cannot be meant", "a number between 0 and 1e18") from None
    return value


def _deadline(text: str | None) -> float | None:
    if text is None:
        return None
    units = {"h": 3600.0, "d": 86400.0, "w": 604800.0}
    scale = units.get(text[-1:])
    if scale is None:
        raise error("FY1651", "--deadline", f"{text!r} has no unit", "such as 36h, 14d or 3w")
    return (_amount(text[:-1], "--deadline") or 0.0) * scale


def as_data(answer: Answer) -> dict[str, object]:
    """An answer as plain data; what is unknown is null."""
    return {
        "chosen": asdict(answer.chosen),
        "binding": answer.binding,
        "relaxed_by_a_tenth": [asdict(each) for each in answer.relaxed],
        "front": [asdict(row) for row in answer.front],
        "lost": [asdict(each) for each in answer.lost],
        "plans_evaluated": answer.plans,
    }


def _text(question: Question, answer: Answer) -> Iterator[str]:
    row = answer.chosen
    yield f"{question.model.name} on {question.tokens:.3g} tokens: {answer.plans:,} layouts looked at"
    yield f"  chosen      {row.units} {row.machine} in {row.region}, {row.buy} ({row.chips} {row.chip})"
    yield f"  layout      {row.layout}, {row.precision}"
    low, high = duration(row.step_low_s), duration(row.step_high_s)
    yield f"  step        {duration(row.step_s)}, 80 % interval {low} to {high}; bound by {row.bound_by}"
    yield f"  time        {duration(row.seconds)}, at most {duration(row.sure_s)}; goodput {row.goodput:.1%}"
    yield f"  memory      {row.memory_gib:.1f} of {row.usable_gib:.1f} GiB"
    yield f"  cost        {usd(row.usd)}; {_kwh(row)}; {_carbon(row)}"
    yield f"  bound by    {answer.binding}"
    yield from (f"  {each}" for each in row.extrapolated)
    for each in answer.relaxed:
        yield f"  10 % more {each.constraint} buys {each.buys}"
    yield ""
    yield f"  {'the front':<30} {'chips':>6} {'time':>10} {'cost':>13} {'CO2e':>12}"
    for front in answer.front[:SHOWN]:
        name = f"{front.units} {front.machine} {front.precision}"
        yield f"  {name:<30} {front.chips:>6} {duration(front.sure_s):>10} {usd(front.usd):>13} {_carbon(front):>12}"
    if len(answer.front) > SHOWN:
        yield f"  and {len(answer.front) - SHOWN} more (--json)"
    yield ""
    yield "  why others lost"
    for lost in answer.lost[:SHOWN]:
        yield f"  {lost.name}: {lost.why}"
    if len(answer.lost) > SHOWN:
        yield f"  and {len(answer.lost) - SHOWN} more (--json)"
    yield ""
    yield "  for a stack file"
    yield from _snippet(question, row)


def _snippet(question: Question, row: Row) -> Iterator[str]:
    field = "slices" if row.unit == "slices" else "count"
    count = "sized" if question.by == "cost" and question.deadline_s is not None else row.units
    precision = "" if row.precision == "bf16" else f", precision: {row.precision}"
    yield f"    cloud: {row.cloud}"
    yield f"    region: {row.region}"
    yield "    pools:"
    yield f"      train: {{role: compute, machine: {row.machine}, {field}: {count}, buy: [{row.buy}]}}"
    yield "    workloads:"
    days = -(-row.sure_s // 86400) if question.deadline_s is None else question.deadline_s / 86400
    yield (
        f"      train: {{kind: train, pool: train, model: {question.model.name}, tokens: "
        f'"{question.tokens:g}", deadline: {days:.0f}d{precision}}}'
    )


def _kwh(row: Row) -> str:
    return f"{row.kwh:,.0f} kWh" if row.kwh is not None else f"energy {UNKNOWN}"


def _carbon(row: Row) -> str:
    return f"{row.carbon_kg:,.0f} kg CO2e" if row.carbon_kg is not None else f"carbon {UNKNOWN}"
