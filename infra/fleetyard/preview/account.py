"""The head previewed against what really stands: the shell's own backend and credentials, which need only read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from fleetyard.cli.project import STACKS, no_such_stack, stack_names
from fleetyard.copies import copy
from fleetyard.preview import worker
from fleetyard.preview.change import Facts, Outcome, Preview, StackChange, changes_of
from fleetyard.preview.sides import work_tree
from fleetyard.preview.worker import Job
from fleetyard.settings import refuse_mixed_settings, simulated

WHERE = "the account"


def preview_account(root: Path, wanted: Sequence[str] | None, say: Callable[[str], None]) -> Preview:
    """Preview stacks one after the other, in a copy of the project: Pulumi may write into stack files.

    Raises FleetyardError for settings that are half simulated (FY1401), or a stack that has no file (FY1001).
    """
    refuse_mixed_settings(os.environ)
    names = stack_names(root / STACKS)
    for name in wanted or ():
        if name not in names:
            raise no_such_stack(root / STACKS, name)
    where = "the simulated account" if simulated(os.environ) else WHERE
    with tempfile.TemporaryDirectory(prefix="fleetyard-account-") as folder:
        project = copy(root, Path(folder), keep_secrets=True)
        found = []
        for name in wanted or names:
            ran = worker.run(Job("preview", name, project, dict(os.environ)))
            say(f"{name}: {'previewed' if ran.ok else 'failed'}")
            outcome = Outcome.CHANGED if ran.ok else Outcome.FAILED
            after = Facts(**dict(ran.facts))
            found.append(StackChange(name, outcome, changes_of(ran.steps), after, after, ran.said))
    return Preview("what stands", work_tree(root).label, where, tuple(found))
