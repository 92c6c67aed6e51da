"""What is done to hosts so that they are as the world says."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from simcloud.hosts.decide import Do, Present, Step, steps
from simcloud.hosts.model import Machine


def machine(key: str = "i-1", **more: object) -> Machine:
    said = {
        "cloud": "aws",
        "key": key,
        "name": key,
        "host_name": key,
        "network": "vpc-1",
        "subnet": "s",
        "cidr": "10.0.0.0/24",
        "address": "10.0.0.4",
        "machine": "m7i.xlarge",
        "zone": "a",
        "region": "r",
        "image": "ami",
        "identity": "",
        "disk": "1",
        "boots": 1,
        "power": True,
        **more,
    }
    return Machine(**said)  # type: ignore[arg-type]


def one(wanted: Machine, was: Machine, runs: bool = True) -> list[Do]:
    return [step.do for step in steps([wanted], {was.key: Present(was, runs)})]


def test_what_is_wanted_and_not_there_boots_unless_it_is_off() -> None:
    assert steps([machine()], {}) == [Step(Do.BOOT, machine())]
    assert steps([machine(power=False)], {}) == []


def test_what_is_there_and_not_wanted_goes() -> None:
    assert [step.do for step in steps([], {"i-1": Present(machine(), True)})] == [Do.REMOVE]


def test_a_stop_shuts_down_and_failed_hardware_does_not() -> None:
    assert one(machine(power=False), machine()) == [Do.STOP]
    assert one(machine(power=False, failed=True), machine()) == [Do.CUT_POWER]


def test_a_start_after_a_stop_boots_the_same_disk() -> None:
    assert one(machine(boots=2), machine(power=False), runs=False) == [Do.BOOT]


def test_what_shut_itself_down_stays_down_until_the_world_starts_it() -> None:
    assert one(machine(), machine(), runs=False) == []
    assert one(machine(boots=2), machine(), runs=False) == [Do.BOOT]


def test_more_boots_than_seen_is_a_restart() -> None:
    assert one(machine(boots=2), machine()) == [Do.RESTART]


def test_another_disk_is_another_machine() -> None:
    assert one(machine(disk="2"), machine()) == [Do.REMOVE]


def test_a_cut_network_is_cut_and_joined() -> None:
    assert one(machine(reachable=False), machine()) == [Do.CUT_NETWORK]
    assert one(machine(), machine(reachable=False)) == [Do.JOIN_NETWORK]


MACHINES = st.builds(
    machine,
    key=st.sampled_from(["i-1", "i-2", "i-3"]),
    disk=st.sampled_from("12"),
    boots=st.integers(1, 3),
    power=st.booleans(),
    reachable=st.booleans(),
    failed=st.booleans(),
)


def _unique(found: list[Machine]) -> list[Machine]:
    return list({each.key: each for each in found}.values())


@given(st.lists(MACHINES).map(_unique), st.lists(st.tuples(MACHINES, st.booleans())))
def test_carrying_the_steps_out_comes_to_rest(wanted: list[Machine], there: list[tuple[Machine, bool]]) -> None:
    """However wrong things are, a few rounds set them right, and then nothing is done any more."""
    # What runs had power; the world counts no boots back.
    present = {each.key: Present(replace(each, power=each.power or runs, boots=1), runs) for each, runs in there}
    for _ in range(6):
        todo = steps(wanted, present)
        if not todo:
            break
        for step in todo:
            key, was = step.machine.key, present.get(step.machine.key)
            if step.do is Do.REMOVE:
                del present[key]
            else:
                on = step.do in (Do.BOOT, Do.RESTART) or (was is not None and was.runs and step.machine.power)
                present[key] = Present(step.machine, on)
    assert steps(wanted, present) == []
    assert set(present) <= {each.key for each in wanted}
    for each in wanted:
        if not each.power:
            assert each.key not in present or not present[each.key].runs
