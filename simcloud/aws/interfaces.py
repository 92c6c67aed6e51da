"""Network interfaces on network cards: what an EFA instance has and moto's instances have not.

An EFA-only interface has no IP address (EC2 User Guide, "Elastic Fabric Adapter"), so it takes none from its subnet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.ec2.models.elastic_network_interfaces import Attachment, NetworkInterface
from moto.ec2.utils import random_eni_attach_id


class CardInterface(NetworkInterface):  # type: ignore[misc]
    """An interface that knows its network card."""

    network_card_index = 0

    @property
    def attachment(self) -> Attachment | None:
        """The attachment as the API shows it, with the card."""
        attachment = super().attachment
        if attachment is not None:
            attachment.network_card_index = self.network_card_index
        return attachment


def attach(backend: Any, instance: Any, wanted: Mapping[str, Any], card: int, device: int) -> None:
    """Make one more interface and attach it to a running instance."""
    subnet = backend.get_subnet(wanted.get("SubnetId") or instance.subnet_id)
    addressed = wanted.get("InterfaceType") != "efa-only"
    address = subnet.get_available_subnet_ip(instance=instance) if addressed else subnet.cidr_block.split("/")[0]
    made = backend.create_network_interface(
        subnet,
        address,
        device_index=device,
        group_ids=list(wanted.get("Groups") or []),
        description=wanted.get("Description"),
        delete_on_termination=True,
    )
    made.__class__ = CardInterface
    made.network_card_index = card
    made.interface_type = wanted.get("InterfaceType") or "interface"
    if not addressed:
        made.private_ip_address = None
        made.private_ip_addresses = []
        made.private_dns_name = None
    # Not `attach_eni`: moto keeps an instance's interfaces by device index, which repeats from card to card.
    made.instance = instance
    made.attachment_id = random_eni_attach_id()
    made.attach_time = instance.launch_time
    made.status = "in-use"
    made.device_index = device
    instance.nics[card * 1000 + device] = made
