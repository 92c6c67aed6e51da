"""`python tools/stand_ins`: make the repositories, and say where they are.

`python tools/stand_ins CLOUD MACHINE`: host variables of a node that plays this machine, as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stand_ins import fill


def main(words: list[str]) -> int:
    """The program."""
    tree = fill()
    if len(words) == 2:
        from stand_ins.variables import node

        print(json.dumps(node(words[0], words[1], tree), indent=2))
    else:
        print(tree)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
