"""What the catalogue promises: complete rows, sources that exist, unknown as a value, no import of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fleetyard.catalog import (
    Answer,
    Buy,
    Cloud,
    Fabric,
    NotInCatalogError,
    Port,
    Unknown,
    UnknownMachineError,
    catalog,
    known,
)
from fleetyard.catalog.load import CatalogDataError, load


def test_every_row_names_a_source_that_is_listed() -> None:
    book = catalog()
    sources = {source.id for source in book.sources()}
    used = {machine.source for machine in book.machines()}
    used |= {legal.source for machine in book.machines() for legal in machine.buy.values()}
    used |= {chip.source for chip in book.accelerators()}
    used |= {shape.source for shape in book.tpu_shapes()}
    used |= {image.source for image in book.images()}
    used |= {price.source for price in book.prices()}
    assert used <= sources


def test_every_machine_answers_for_every_way_to_buy() -> None:
    for machine in catalog().machines():
        assert set(machine.buy) == set(Buy), machine.name
        assert all(legal.reason for legal in machine.buy.values()), machine.name


def test_a_way_that_is_legal_has_a_limit_or_says_that_none_is_known() -> None:
    for machine in catalog().machines():
        for buy, quota in machine.quota.items():
            assert quota.unit in {"vcpu", "gpu", "chip"}
            assert not known(quota.per_machine) or quota.per_machine > 0, f"{machine.name} {buy}"


def test_the_primary_interface_is_never_efa_only() -> None:
    for machine in catalog().machines("aws"):
        for variant, interfaces in catalog().layouts(machine).items():
            if machine.network_cards:
                assert (interfaces[0].card, interfaces[0].device) == (0, 0), f"{machine.name} {variant}"
                assert interfaces[0].kind is not Port.EFA_ONLY, f"{machine.name} {variant}"


def test_the_documented_layout_of_p4d_takes_one_address() -> None:
    interfaces = catalog().layout(catalog().machine("aws", "p4d.24xlarge"))
    assert [(i.card, i.device, i.kind.value) for i in interfaces] == [
        (0, 0, "interface"),
        (0, 1, "efa-only"),
        (1, 0, "efa-only"),
        (2, 0, "efa-only"),
        (3, 0, "efa-only"),
    ]


def test_b300_has_a_card_for_ip_and_sixteen_for_efa() -> None:
    machine = catalog().machine("aws", "p6-b300.48xlarge")
    assert [card.efa for card in machine.network_cards] == [False] + [True] * 16
    assert machine.efa == 16


def test_a_layout_that_nobody_published_is_refused_by_name() -> None:
    with pytest.raises(NotInCatalogError, match="efa-everywhere"):
        catalog().layout(catalog().machine("aws", "p4d.24xlarge"), "efa-everywhere")


def test_a_mistyped_machine_is_answered_with_near_names() -> None:
    with pytest.raises(UnknownMachineError) as caught:
        catalog().machine("aws", "p4d.24xlage")
    assert caught.value.near[0] == "p4d.24xlarge"
    assert "p4d.24xlarge" in str(caught.value)


def test_unknown_is_falsy_and_never_a_number() -> None:
    price = catalog().price(catalog().machine("aws", "p5e.48xlarge"), "us-east-1")
    assert isinstance(price, Unknown)
    assert not price
    assert not known(price)
    assert "p5e.48xlarge" in price.reason
    assert str(price) == "unknown"


def test_prices_carry_region_date_and_unit() -> None:
    price = catalog().price(catalog().machine("aws", "p4d.24xlarge"), "us-east-1")
    assert known(price)
    assert (price.usd_per_hour, price.per, price.date) == (21.957642, "machine", "2026-07-20")
    chip = catalog().price(catalog().machine("gcp", "ct5lp-hightpu-4t"), "us-central1", Buy.SPOT)
    assert known(chip)
    assert (chip.usd_per_hour, chip.per) == (0.63, "chip")
    assert not known(catalog().price("tpu-v6e", "us-east1"))


def test_slices_multiply_out_and_stand_on_machines_that_exist() -> None:
    for shape in catalog().tpu_shapes():
        host = catalog().machine(Cloud.GCP, shape.machine)
        assert shape.hosts * shape.chips_per_host == shape.chips, shape.type_name
        assert shape.chips_per_host == host.accelerators, shape.type_name
        assert host.accelerator is not None
        assert host.accelerator.generation == shape.generation, shape.type_name


@pytest.mark.parametrize(
    ("name", "topology", "chips", "hosts"),
    [
        ("v5litepod-16", "4x4", 16, 4),
        ("v5litepod-8", "2x4", 8, 1),
        ("v4-8", "2x2x1", 4, 1),
        ("v5p-128", "4x4x4", 64, 16),
    ],
)
def test_names_count_chips_for_v5e_and_cores_for_v4_and_v5p(name: str, topology: str, chips: int, hosts: int) -> None:
    shape = catalog().tpu_shape(name)
    assert (shape.topology, shape.chips, shape.hosts) == (topology, chips, hosts)


def test_tpu_zones_lie_in_regions_that_are_known() -> None:
    shape = catalog().tpu_shape("v5litepod-16")
    host = catalog().machine("gcp", shape.machine)
    assert catalog().offered(host, "us-west4") == ("us-west4-a",)
    assert catalog().offered(host, "us-east1") == ()
    assert not known(catalog().offered(catalog().machine("gcp", "a2-highgpu-8g"), "us-central1"))


def test_images_are_pinned_to_one_build() -> None:
    for region in ("us-east-1", "us-east-2", "us-west-2"):
        for name in ("ubuntu-22.04", "ubuntu-24.04"):
            image = catalog().image("aws", name, region)
            assert known(image)
            assert image.id.startswith("ami-")
            assert len(image.id) == 21
    google = catalog().image("gcp", "ubuntu-22.04", "us-west4")
    assert known(google)
    assert google.id == "projects/ubuntu-os-cloud/global/images/ubuntu-2204-jammy-v20260901"
    assert not known(catalog().image("aws", "ubuntu-22.04", "eu-north-1"))


def test_no_two_images_share_an_id() -> None:
    ids = [image.id for image in catalog().images()]
    assert len(set(ids)) == len(ids)


def test_what_the_open_driver_cannot_drive_is_refused() -> None:
    for machine in catalog().machines():
        chip = machine.accelerator
        if chip is not None and chip.open_driver is False:
            assert machine.refused, machine.name
            assert all(legal.answer is Answer.NO for legal in machine.buy.values()), machine.name


@pytest.mark.parametrize(
    ("cloud", "name", "fabric"),
    [
        ("aws", "p4d.24xlarge", Fabric.EFA),
        ("aws", "m7i.xlarge", Fabric.NONE),
        ("gcp", "a3-megagpu-8g", Fabric.TCPXO),
        ("gcp", "a4-highgpu-8g", Fabric.ROCE),
        ("gcp", "ct5lp-hightpu-4t", Fabric.ICI),
    ],
)
def test_the_fabric_follows_the_machine(cloud: str, name: str, fabric: Fabric) -> None:
    assert catalog().machine(cloud, name).fabric is fabric


def test_no_machine_has_more_than_sixteen_accelerators() -> None:
    """So a plan that asks for 64 accelerators in one server (an article does) cannot be expressed."""
    assert max(machine.accelerators for machine in catalog().machines()) == 16


def test_importing_the_catalogue_brings_no_sdk_and_no_other_room() -> None:
    code = "import sys, json; from fleetyard.catalog import catalog; catalog();print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = json.loads(out)
    assert not [m for m in loaded if m.split(".")[0] in {"pulumi", "pulumi_aws", "pulumi_gcp", "pydantic", "moto"}]
    assert {m for m in loaded if m.startswith("fleetyard.")} <= {
        "fleetyard.catalog",
        "fleetyard.catalog.index",
        "fleetyard.catalog.load",
        "fleetyard.catalog.model",
    }


def test_a_data_file_with_a_gap_is_an_error_that_names_the_key(tmp_path: Path) -> None:
    (tmp_path / "accelerators.toml").write_text('[x]\nvendor = "v"\nkind = "gpu"\n', encoding="utf-8")
    with pytest.raises(CatalogDataError, match="generation"):
        load(tmp_path)


def test_a_missing_data_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(CatalogDataError, match=r"accelerators\.toml"):
        load(tmp_path)
