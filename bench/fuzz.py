"""Five thousand broken stack files through `fleetyard check`: never a traceback, always code, path and fix."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.measure import Defect, Plain, Result
from fleetyard.cli.check import check_stack
from fleetyard.findings import Exit, Finding, Level
from tests.infra.broken_stacks import LINE, NAMES, STACKS, garbled, mutated, restructured

FILES = 5000
SHOWN = 5
EVERY = 1000

Break = Callable[[str, random.Random], bytes]
# Most of the ways in which a file is broken leave YAML that is read to its end; bytes are refused at the door.
WAYS: tuple[Break, ...] = (
    lambda text, choice: mutated(text, choice).encode("utf-8", "surrogatepass"),
    lambda text, choice: mutated(text, choice).encode("utf-8", "surrogatepass"),
    lambda text, choice: restructured(text, choice).encode(),
    lambda text, choice: restructured(text, choice).encode(),
    garbled,
)


def fuzz(pairs: int) -> Iterator[Result]:
    """`pairs` times 5,000 files, the same in every run: file n is made from seed n."""
    texts = {name: (STACKS / f"Pulumi.{name}.yaml").read_text(encoding="utf-8") for name in NAMES}
    began = time.perf_counter()
    codes: Counter[str] = Counter()
    fine = 0
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="fleetyard-bench-") as folder:
        for lock in STACKS.glob("*.sizing.json"):
            shutil.copy(lock, folder)
        for number in range(FILES * pairs):
            name = NAMES[number % len(NAMES)]
            broken = WAYS[number % len(WAYS)](texts[name], random.Random(number))
            (Path(folder) / f"Pulumi.{name}.yaml").write_bytes(broken)
            try:
                findings, status = check_stack(Path(folder), name)
            except Exception:
                wrong.append(f"file {number}: {traceback.format_exc(limit=-3)}")
                continue
            if status not in (Exit.DONE, Exit.FINDINGS, Exit.BAD_INPUT):
                wrong.append(f"file {number}: exit status {status}")
            codes.update(finding.code for finding in findings)
            fine += not any(finding.level is Level.ERROR for finding in findings)
            wrong += [f"file {number}: {finding}" for finding in findings if not says_enough(finding)]
            if (number + 1) % EVERY == 0:
                print(f"  {number + 1:,} files", file=sys.stderr, flush=True)
    seconds = time.perf_counter() - began
    files = FILES * pairs
    yield Plain(f"{files:,} broken stack files", f"{files - fine:,} refused, {fine:,} still right, {seconds:.0f} s")
    said = ", ".join(f"{code} {count:,}" for code, count in sorted(codes.items()))
    yield Plain(f"findings by code ({codes.total():,})", said)
    for text in wrong[:SHOWN]:
        yield Defect("a broken stack file", text)
    if len(wrong) > SHOWN:
        yield Defect("broken stack files", f"{len(wrong) - SHOWN} more")


def says_enough(finding: Finding) -> bool:
    """Whether a finding has a code, a path, a sentence and a fix; what is only information needs no fix."""
    return bool(LINE.match(str(finding)) and finding.path and (finding.fix or finding.level is Level.INFO))
