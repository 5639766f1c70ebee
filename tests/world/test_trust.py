import pytest

from towncircle.kernel.errors import Refused
from towncircle.kernel.instants import Instant
from towncircle.world.config import POSTAL
from towncircle.world.trust import REVOCATIONS, TRUST_LIST
from towncircle.world.world import World

NOON = Instant.parse("2026-11-23T14:00Z")


@pytest.fixture
def folder(tmp_path):
    World.create(tmp_path / "w", regime="imi-2024", seed=1, start=NOON).close()
    return tmp_path / "w"


def test_both_lists_are_published_and_checked(folder):
    assert (folder / TRUST_LIST).is_file()
    assert (folder / REVOCATIONS).is_file()
    World.open(folder).close()


@pytest.mark.parametrize("name", [TRUST_LIST, REVOCATIONS])
def test_a_list_with_one_flipped_bit_is_refused(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1
    (folder / name).write_bytes(bytes(data))
    with pytest.raises(Refused):
        World.open(folder)


def test_a_certificate_of_another_world_is_refused(folder, tmp_path):
    World.create(tmp_path / "other", regime="imi-2024", seed=2, start=NOON).close()
    theirs = tmp_path / "other" / "certificates" / "provider.harbor.der"
    (folder / "certificates" / "provider.harbor.der").write_bytes(theirs.read_bytes())
    with pytest.raises(Refused, match=r"world\.untrusted"):
        World.open(folder)


def test_another_root_than_the_pinned_one_is_refused(folder, tmp_path):
    World.create(tmp_path / "other", regime="imi-2024", seed=2, start=NOON).close()
    theirs = tmp_path / "other" / "certificates" / "root.der"
    (folder / "certificates" / "root.der").write_bytes(theirs.read_bytes())
    with pytest.raises(Refused):
        World.open(folder)


def test_the_lists_are_renewed_before_they_run_out_and_their_numbers_rise(folder):
    world = World.open(folder)
    world.advance("20d")
    world.close()
    world = World.open(folder)
    with world.store(POSTAL).reading() as view:
        row = view.get("list", REVOCATIONS)
        assert row is not None
        assert row.body["number"] == 2
    world.advance("13mo")
    world.close()
    World.open(folder).close()
