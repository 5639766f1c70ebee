"""Typed ids: each kind reads its own and refuses the others'."""

from collections.abc import Callable

import pytest

from towncircle.kernel.errors import BadInput
from towncircle.kernel.ids import (
    DeviceId,
    LicenseNumber,
    PartyId,
    RequestId,
    TypedId,
)
from towncircle.kernel.randomness import SeededRandomness

KINDS = TypedId.__subclasses__()


def refused(read: Callable[[str], object], text: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(text)
    assert caught.value.code == "id.unreadable"
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_id_is_read_back_as_its_own_kind(kind: type[TypedId]) -> None:
    made = kind.new(SeededRandomness(1, "ids"))
    assert kind.parse(made) == made
    assert type(kind.parse(made)) is kind


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_of_another_kind_is_refused_with_an_example(kind: type[TypedId]) -> None:
    for other in KINDS:
        if other is not kind:
            error = refused(kind.parse, other.new(SeededRandomness(1, "ids")))
            assert kind.__name__ in error.sentence
            assert f"{kind.prefix}-" in error.next_step


def test_no_two_kinds_share_a_prefix() -> None:
    assert len({kind.prefix for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    "text",
    ["", "REQ-", "REQ-7K3MQ9ZX2RT", "REQ-7K3MQ9ZX2RTBB", "req-7K3MQ9ZX2RTB", "REQ-7K3MQ9ZX2RT0", "REQ-7K3MQ9ZX2RTI",
     " REQ-7K3MQ9ZX2RTB", "REQ-7K3MQ9ZX2RTB\n", "REQ_7K3MQ9ZX2RTB", "REQ-7k3mq9zx2rtb", "REQ-\uff17K3MQ9ZX2RTB"],
)  # fmt: skip
def test_a_mistyped_id_is_refused(text: str) -> None:
    refused(RequestId.parse, text)


@pytest.mark.parametrize(
    "text", ["postal.usps", "provider.harbor", "licensee.a", "bank.lockbox", "device.TC1A0000000017"]
)
def test_a_party_has_a_role_and_a_name(text: str) -> None:
    party = PartyId.parse(text)
    assert f"{party.role}.{party.name}" == text
    assert party.role in PartyId.ROLES


@pytest.mark.parametrize(
    "text", ["", "harbor", "judge.harbor", "provider.", "provider.-x", "provider.a b", "provider." + "a" * 33,
             "provider.harbor\n", "Provider.harbor", "provider.ha/rbor", "provider..", "provider.h\u00e4fen"],
)  # fmt: skip
def test_what_is_no_party_is_refused(text: str) -> None:
    refused(PartyId.parse, text)


def test_a_license_number_is_the_office_and_a_running_number() -> None:
    assert LicenseNumber.parse("20260-000001") == "20260-000001"
    for text in ("", "2026-000001", "20260-1", "20260-0000010", "20260 000001", "2026A-000001", "20260-000001\n"):
        refused(LicenseNumber.parse, text)


def test_a_device_id_has_vendor_model_and_a_32_bit_serial() -> None:
    device = DeviceId.parse("TC1A0000000017")
    assert (device.vendor, device.model, device.serial) == ("TC", "1A", 17)
    assert DeviceId.of(vendor="TC", model="1A", serial=17) == device
    assert DeviceId.of(vendor="TC", model="1A", serial=2**32 - 1).serial == DeviceId.MAX_SERIAL


@pytest.mark.parametrize(
    "text", ["", "TC1A17", "TC1A4294967296", "tc1A0000000017", "TC1A-000000017", "TC1A0000000017 ", "TC1A00000000171"]
)
def test_what_is_no_device_id_is_refused(text: str) -> None:
    refused(DeviceId.parse, text)


def test_a_serial_beyond_32_bits_makes_no_device_id() -> None:
    refused(lambda _: DeviceId.of(vendor="TC", model="1A", serial=2**32), "")


def test_an_endless_text_is_shortened_in_the_answer() -> None:
    assert len(refused(DeviceId.parse, "9" * 10_000).sentence) < 100
