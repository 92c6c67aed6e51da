"""Programs under the Python language host beside the engine: ours, or the official one where there is one."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from engine_bench import Engine


def test_output_exceptions_and_exit_codes_reach_the_person(engine: Engine) -> None:
    engine.use_program(
        "import pulumi\nprint('hello from the program')\npulumi.export('a', pulumi.Config().require('word'))\n"
    )
    missing = engine.pulumi("preview", fails=True)
    assert "hello from the program" in missing.text
    assert "Missing required configuration variable 'plain:word'" in missing.text
    engine.pulumi("config", "set", "word", "yes")
    engine.pulumi("up", "--yes", "--skip-preview")
    assert engine.pulumi("stack", "output", "a").out.strip() == "yes"
    program = engine.project / "__main__.py"
    program.write_text("raise ValueError('what is wrong')\n")
    failed = engine.pulumi("preview", fails=True)
    assert "ValueError: what is wrong" in failed.text
    program.write_text("import sys\nsys.exit(3)\n")
    ended = engine.pulumi("preview", fails=True)
    assert "3" in ended.text


def test_a_virtualenv_that_is_not_there_is_named(engine: Engine) -> None:
    engine.use_program("import pulumi\n")
    (engine.project / "Pulumi.yaml").write_text(
        "name: plain\nruntime:\n  name: python\n  options:\n    virtualenv: nowhere\n"
    )
    assert "nowhere" in engine.pulumi("preview", fails=True).text


def test_an_interrupt_ends_the_program_too(engine: Engine) -> None:
    marker = engine.project / "pid"
    engine.use_program(f"import os, time\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\ntime.sleep(120)\n")
    pulumi = __import__("shutil").which("pulumi", path=engine.env["PATH"])
    assert pulumi
    running = subprocess.Popen(
        [pulumi, "preview", "--non-interactive", "--stack", "dev"],
        cwd=engine.project,
        env=engine.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(300):
            if marker.exists() and marker.read_text():
                break
            time.sleep(0.1)
        program = int(marker.read_text())
        # Twice, as an impatient person does it: the first asks, the second insists.
        for _ in range(2):
            os.killpg(running.pid, signal.SIGINT)
            time.sleep(0.5)
        running.wait(timeout=60)
        for _ in range(100):
            if not _alive(program):
                break
            time.sleep(0.1)
        assert not _alive(program)
    finally:
        if running.poll() is None:
            running.kill()


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not collected yet does not."""
    try:
        state = (__import__("pathlib").Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
