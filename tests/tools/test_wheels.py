"""The wheel folder is an index that pip can install from, each file checked."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("wheels", ROOT / "tools" / "wheels.py")
assert _spec
assert _spec.loader
wheels = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(wheels)


def test_each_project_has_a_page_with_its_files_and_their_hashes(tmp_path: Path) -> None:
    made = tmp_path / "wheels"
    made.mkdir()
    for name in ("Ml_Dtypes-1-cp311-x.whl", "Ml_Dtypes-1-cp313-x.whl", "six-1-py3-none-any.whl"):
        (made / name).write_text(name)
    wheels.index(made, tmp_path / "simple")
    assert sorted(path.name for path in (tmp_path / "simple").iterdir()) == ["index.html", "ml-dtypes", "six"]
    page = (tmp_path / "simple" / "ml-dtypes" / "index.html").read_text()
    links = re.findall(r'href="([^"#]+)#sha256=([0-9a-f]+)"', page)
    assert [name for name, _ in links] == ["Ml_Dtypes-1-cp311-x.whl", "Ml_Dtypes-1-cp313-x.whl"]
    for name, sha256 in links:
        content = (tmp_path / "simple" / "ml-dtypes" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256


def test_another_lock_is_another_folder(tmp_path: Path, monkeypatch) -> None:
    before = wheels.folder()
    lock = tmp_path / "requirements.txt"
    lock.write_text(wheels.LOCK.read_text() + "# more\n")
    monkeypatch.setattr(wheels, "LOCK", lock)
    assert wheels.folder() != before


def test_every_package_of_the_stack_is_locked_by_hash_and_the_same_for_every_python() -> None:
    text = wheels.LOCK.read_text()
    pins = re.findall(r"^([a-z0-9-]+)==(\S+) *(;.*)?\\$", text, re.M)
    assert {name for name, _, _ in pins} >= {"jax", "jaxlib", "numpy", "boto3"}
    assert len({name for name, _, _ in pins}) == len(pins)
    assert not [marker for _, _, marker in pins if marker]
    for block in re.split(r"^(?=[a-z])", text, flags=re.M)[1:]:
        assert "--hash=sha256:" in block, block
