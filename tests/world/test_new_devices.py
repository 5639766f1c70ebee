"""A new device and the power: what opens its keys is on the disk before it has any, and a lost name loses no device."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from towncircle.bench.workshop import Workshop as Provider
from towncircle.kernel.errors import TowncircleError
from towncircle.kernel.ids import DeviceId
from towncircle.kernel.instants import Instant
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keys import SoftwareKey
from towncircle.psd.opening import CHOICE, Keys
from towncircle.psd.sqlite import SqliteMemory
from towncircle.world.devices import DeviceShelf, Workshop, here_port

DEVICE, NOW = DeviceId.of(vendor="TC", model="1A", serial=17), Instant.parse("2026-11-21T15:00:00Z")


class Town:
    def __init__(self, place: Path) -> None:
        (place / "clock.json").write_text(f'{{"mode": "frozen", "now_us": {int(NOW)}}}')
        self.provider, self.randomness = Provider(NOW), SeededRandomness(1, "town")
        self.birth = self.provider.birth(DEVICE)
        self.shelf = DeviceShelf(place / "devices", here_port(place / "clock.json", None))
        self.bench = Workshop(
            self.shelf,
            provider=str(self.birth["provider"]),
            signer=SoftwareKey.generate("ecdsa-p256", self.randomness),
            root=bytes(32),
            randomness=self.randomness,
            ships=True,
            make=self._made,
        )

    def _made(self, draft: Path, **_: object) -> None:
        """As the bench makes one, with the test Provider's own key and root."""
        Workshop._in_a_folder(self.bench, draft, **self.birth)


@pytest.mark.parametrize("passphrase", [False, True])
def test_what_opens_the_keys_is_on_the_disk_before_the_device_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passphrase: bool
) -> None:
    done: list[str] = []
    town, devices = Town(tmp_path), tmp_path / "devices"
    if passphrase:
        Keys(passphrase=tmp_path / "words").keep(tmp_path)
        (tmp_path / "words").write_text("correct horse battery\n")

    def fsync(handle: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{handle}").readlink()))

    def noted(owner: type, name: str) -> None:
        real = getattr(owner, name)

        def call(*arguments: object, **named: object) -> object:
            done.append(name)
            return real(*arguments, **named)

        monkeypatch.setattr(owner, name, call)

    monkeypatch.setattr(os, "fsync", fsync)
    noted(SqliteMemory, "commit")
    noted(Path, "rename")
    with town.bench.client(DEVICE):
        done.append("asked")
    draft = devices / f"{DEVICE}.new"
    files = ("operator.argon2id", CHOICE) if passphrase else ("operator.secret",)
    born = done.index("commit")
    names = max(at for at, what in enumerate(done[:born]) if what == str(draft))
    assert all(done.index(str(draft / f"{name}.draft")) < names for name in files)
    assert str(tmp_path) in done[:born]  # the name of the devices' folder
    assert done.index("rename") < len(done) - done[::-1].index(str(devices)) < done.index("asked") + 1


def test_a_device_with_keys_that_a_lost_name_left_as_a_draft_is_the_device(tmp_path: Path) -> None:
    town, folder = Town(tmp_path), tmp_path / "devices" / DEVICE
    with town.bench.client(DEVICE) as client:
        first = client.identify()
    folder.rename(folder.with_suffix(".new"))  # new still: made again, as after a crash before its name was changed
    secret = (folder.with_suffix(".new") / "operator.secret").read_bytes()
    with town.bench.client(DEVICE) as client:
        assert client.identify() == first
        town.provider.commission(client, DEVICE, NOW)
        town.provider.reset(client, DEVICE, Mills.dollars(100), NOW)
    assert (folder / "operator.secret").read_bytes() != secret
    folder.rename(folder.with_suffix(".new"))
    with town.bench.client(DEVICE) as client:
        assert client.status().registers.descending == Mills.dollars(100)
        assert client.audit().message
    (folder / "device.sqlite").unlink()
    folder.rename(folder.with_suffix(".new"))
    with town.bench.client(DEVICE) as client:
        assert client.status().state == "manufactured"


@pytest.mark.parametrize("form", [0, 1])
def test_a_store_that_a_kill_left_before_anything_was_committed_to_it_is_made_anew(tmp_path: Path, form: int) -> None:
    town, draft = Town(tmp_path), tmp_path / "devices" / f"{DEVICE}.new"
    draft.mkdir(parents=True)
    with closing(apsw.Connection(str(draft / "device.sqlite"))) as store:  # as it was after its first pragmas
        store.execute("PRAGMA page_size=4096")
        store.execute("PRAGMA journal_mode=WAL")
        if form:  # the tables are there, and no device
            store.close()
            (draft / "device.sqlite").unlink()
            SqliteMemory(draft / "device.sqlite", create=True).close()
    assert (draft / "device.sqlite").stat().st_size
    with town.bench.client(DEVICE) as client:
        assert client.status().state == "manufactured"


def test_a_draft_that_cannot_be_read_is_nobodys_to_remove(tmp_path: Path) -> None:
    town, draft = Town(tmp_path), tmp_path / "devices" / f"{DEVICE}.new"
    with town.bench.client(DEVICE) as client:
        town.provider.commission(client, DEVICE, NOW)
    draft.with_suffix("").rename(draft)
    raw = (draft / "device.sqlite").read_bytes()
    (draft / "device.sqlite").write_bytes(raw[:60] + bytes(4) + raw[64:])  # the number of its form alone
    with pytest.raises(TowncircleError, match=r"psd\.store-damaged"), town.bench.client(DEVICE):
        pass
    assert (draft / "device.sqlite").exists()
