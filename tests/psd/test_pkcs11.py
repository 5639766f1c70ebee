"""Keys in a token: SoftHSM2, a token made for each test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.psd.setting import DEVICE, Story, batch
from tests.softhsm import need_softhsm

from towncircle.kernel.errors import BadInput, BrokenInvariant, Refused, TowncircleError
from towncircle.kernel.money import Mills
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.randomness import SystemRandomness
from towncircle.pki.verifying import PublicKey, signature_valid, verify
from towncircle.pki.verifying.signatures import P256_HALF_ORDER
from towncircle.psd.commands import Evidence
from towncircle.psd.opening import Keys
from towncircle.psd.pkcs11 import TokenLibrary, TokenSlots, library_at
from towncircle.psd.state import SealedKey
from towncircle.psd.token_names import TokenNames

LIBRARY = next(
    (
        path
        for path in (Path("/usr/lib/softhsm/libsofthsm2.so"), *Path("/usr/lib").glob("*/softhsm/libsofthsm2.so"))
        if path.exists()
    ),
    None,
)
PIN = "1234"


class Token:
    """A fresh SoftHSM2 token with a configuration of its own."""

    def __init__(self, place: Path) -> None:
        library = need_softhsm()
        self.folder = place / "tokens"
        self.folder.mkdir()
        conf = place / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {self.folder}\nobjectstore.backend = file\nlog.level = ERROR\n")
        self.environment = {"SOFTHSM2_CONF": str(conf)}
        made = ["softhsm2-util", "--init-token", "--free", "--label", "device", "--pin", PIN, "--so-pin", "5678"]
        subprocess.run(made, check=True, capture_output=True, env={**os.environ, **self.environment})
        self.library = TokenLibrary(library, environment=self.environment)

    def keys(self) -> list[str]:
        return [path.name for path in self.folder.rglob("*.object") if path.name != "token.object"]

    def slots(self, pin: str = PIN, token: str = "device") -> TokenSlots:
        return TokenSlots(self.library, token=token, pin=lambda: pin, randomness=SeededRandomness(5, "token"))


@pytest.fixture
def token(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Token(tmp_path)
    yield made
    made.library.close()


@pytest.mark.parametrize(("scheme", "width"), [("ecdsa-p256", 64), ("dsa-1024", 40)])
def test_a_token_key_signs_as_a_software_key_does(token: Token, scheme: str, width: int) -> None:
    slots = token.slots()
    slot = slots.make(scheme)
    signer = slots.signer(slot)
    assert signer.scheme == scheme
    made = signer.sign_all([b"%d" % i for i in range(100)])
    for i, signature in enumerate(made):
        assert len(signature) == width
        assert signature_valid(signer.public, signature, b"%d" % i)
        if scheme == "ecdsa-p256":
            assert int.from_bytes(signature[32:], "big") <= P256_HALF_ORDER
    assert b"PRIVATE" not in slot.sealed
    assert len(slot.sealed) < 64


@pytest.mark.parametrize(("regime", "scheme"), [("imi-2024", "ecdsa-p256"), ("ibi-1998", "dsa-1024")])
def test_a_device_lives_its_life_with_its_keys_in_a_token(token: Token, regime: str, scheme: str) -> None:
    from towncircle.psd.client import DeviceClient
    from towncircle.psd.device import Device

    story = Story(regime=regime, scheme=scheme)
    story.device = Device(story.memory, story.name, slots=token.slots(), clock=story.clock)
    story.client = DeviceClient(story.device)
    story.commission()
    story.reset()
    own = {"mail_service": 40} if scheme == "ecdsa-p256" else {"product_data": bytes(9).hex()}
    columns = {"date": "2026-11-21", "category": "FCML", "software_id": "0001", **own}
    done = story.client.evidence(Evidence.of("JOB-1", amounts=[730] * 20, **columns))
    public = PublicKey(scheme, story.client.identify().indicia_public)
    size, width = len(done.contents) // 20, len(done.signatures) // 20
    for i in range(20):
        signature, content = done.signatures[width * i :][:width], done.contents[size * i :][:size]
        assert verify(public, signature, content).accepted
    assert len(token.keys()) == 4
    story.withdraw()
    story.client.zeroise(DEVICE)
    assert token.keys() == []


def test_a_wrong_pin_token_or_library_is_an_error_with_a_next_step(token: Token) -> None:
    with pytest.raises(Refused, match=r"psd\.token-refused") as refused:
        token.slots(pin="9999").make("ecdsa-p256")
    assert "9999" not in str(refused.value)
    with pytest.raises(Refused, match=r"psd\.token-refused"):
        token.slots(token="another").make("ecdsa-p256")
    with pytest.raises(BadInput, match=r"pki\.unknown-scheme"):
        token.slots().make("rsa-512")
    with pytest.raises(Refused, match=r"pki\.key-file-locked"):
        token.slots().signer(SealedKey(public=bytes(65), sealed=b"a software key"))
    nowhere = TokenLibrary(Path("/nowhere/lib.so"))
    with pytest.raises(Refused, match=r"psd\.token-missing"):
        TokenSlots(nowhere, token="t", pin=lambda: PIN, randomness=SeededRandomness(1, "x")).make("ecdsa-p256")
    nowhere.close()


def test_concurrent_callers_get_their_own_signatures(token: Token) -> None:
    slots = token.slots()
    keys = [slots.signer(slots.make("ecdsa-p256")) for _ in range(4)]
    wrong: list[str] = []

    def work(number: int) -> None:
        key = keys[number % 4]
        for i in range(25):
            text = f"{number} {i}".encode()
            if not signature_valid(key.public, key.sign(text), text):
                wrong.append(text.decode())

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert token.library.started == 1


def test_a_worker_that_died_is_replaced_and_the_call_answered(token: Token) -> None:
    slots = token.slots()
    key = slots.signer(slots.make("ecdsa-p256"))
    assert token.library._child is not None
    os.kill(token.library._child.pid, signal.SIGKILL)
    token.library._child.wait()
    assert signature_valid(key.public, key.sign(b"after"), b"after")
    assert token.library.started == 2


def test_a_general_error_ends_the_session_and_a_new_worker_goes_on(token: Token, tmp_path: Path) -> None:
    slots = token.slots()
    key = slots.signer(slots.make("ecdsa-p256"))
    token.library.close()
    flag = tmp_path / "once"
    flag.write_text("general")
    failing = TokenLibrary(
        LIBRARY or Path(), environment={**token.environment, "FAIL_ONCE": str(flag), "PYTHONPATH": str(ROOT)},
        worker="tests.psd.failing_worker",
    )  # fmt: skip
    key = TokenSlots(failing, token="device", pin=lambda: PIN, randomness=SeededRandomness(5, "t")).signer(
        SealedKey(public=key.public.raw, sealed=b"towncircle token key 1\n" + key._name)
    )
    assert signature_valid(key.public, key.sign(b"x"), b"x")
    assert failing.started == 2
    flag.touch()
    flag.chmod(0o400)
    failing.close()


ROOT = Path(__file__).parents[2]


class Misbehaving:
    """A library that misbehaves once, in the way that the flag's text names."""

    def __init__(self, token: Token, place: Path, how: str) -> None:
        (place / "once").write_text(how)
        self.library = TokenLibrary(
            LIBRARY or Path(),
            environment={**token.environment, "FAIL_ONCE": str(place / "once"), "PYTHONPATH": str(ROOT)},
            worker="tests.psd.failing_worker",
            answer_s=8,
        )
        self.slots = TokenSlots(
            self.library, token="device", pin=lambda: PIN, randomness=SeededRandomness(9, "misbehaving")
        )


def test_a_session_and_a_handle_are_looked_up_once_however_often_they_sign(token: Token, tmp_path: Path) -> None:
    others = token.slots()
    slots = [others.make("ecdsa-p256"), others.make("dsa-1024")]  # by another worker
    note = tmp_path / "look-ups"
    environment = {
        **token.environment,
        "LOOK_UPS": str(note),
        "FAIL_ONCE": str(tmp_path / "no"),
        "PYTHONPATH": str(ROOT),
    }
    library = TokenLibrary(LIBRARY or Path(), environment=environment, worker="tests.psd.failing_worker")
    mine = TokenSlots(library, token="device", pin=lambda: PIN, randomness=SeededRandomness(6, "counted"))
    for at, slot in enumerate(slots, start=1):
        for number in range(50):
            text = b"%d" % number
            signer = mine.signer(slot)  # a new one each time: what is kept is kept in the worker
            assert signature_valid(signer.public, signer.sign(text), text)
        signer.sign_all([b"a", b"b", b"c"])
        assert Counter(note.read_text().split()) == {"get_token": 1, "open": 1, "get_key": at}
    assert library.started == 1
    made = mine.make("ecdsa-p256")  # who made a key has its handle already
    assert mine.signer(made).sign(b"x")
    assert Counter(note.read_text().split())["get_key"] == len(slots)
    library.close()


@pytest.mark.parametrize(("how", "workers"), [("die", 2), ("hang", 2), ("print", 1)])
def test_a_batch_is_signed_though_its_worker_dies_hangs_or_chatters(
    token: Token, tmp_path: Path, how: str, workers: int
) -> None:
    slot = token.slots().make("ecdsa-p256")
    bad = Misbehaving(token, tmp_path, how)
    signer = bad.slots.signer(slot)
    texts = [b"%d" % n for n in range(50)]
    made = signer.sign_all(texts)
    assert all(signature_valid(signer.public, one, text) for one, text in zip(made, texts, strict=True))
    assert bad.library.started == workers
    bad.library.close()


def test_a_library_that_hangs_twice_is_refused_within_one_deadline(token: Token, tmp_path: Path) -> None:
    slot = token.slots().make("ecdsa-p256")
    bad = Misbehaving(token, tmp_path, "hang always")
    began = time.monotonic()
    with pytest.raises(Refused, match=r"psd\.token-failed"):
        bad.slots.signer(slot).sign(b"x")
    assert time.monotonic() - began < 15  # of 8 s for both tries; two deadlines would be 16
    bad.library.close()


def test_a_worker_whose_library_hangs_ends_though_its_owner_was_killed(token: Token, tmp_path: Path) -> None:
    name = token.slots().make("ecdsa-p256").sealed[len(b"towncircle token key 1\n") :]
    (tmp_path / "once").write_text("hang always")
    request = {0: "sign", 1: "device", 2: PIN, 3: name, 4: "ecdsa-p256", 5: bytes(32), 6: 1}
    program = f"""
import threading, time
from pathlib import Path
from towncircle.psd.opening import Keys
from towncircle.psd.pkcs11 import TokenLibrary
library = TokenLibrary(Path({str(LIBRARY)!r}), worker="tests.psd.failing_worker", answer_s=6)
threading.Thread(target=library.ask, args=({request!r},), daemon=True).start()
while library._child is None:
    time.sleep(0.05)
print(library._child.pid, flush=True)
time.sleep(60)
"""
    more = {**token.environment, "FAIL_ONCE": str(tmp_path / "once"), "PYTHONPATH": str(ROOT)}
    owner = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, **more}, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    worker = Path("/proc") / owner.stdout.readline().strip()
    time.sleep(2)  # it hangs in the library
    owner.kill()
    owner.communicate()
    assert worker.exists()
    until = time.monotonic() + 30
    while worker.exists() and "Z" not in (worker / "stat").read_text().split()[2] and time.monotonic() < until:
        time.sleep(0.1)
    assert time.monotonic() < until, "the worker outlived its owner"


def test_a_seeded_process_that_starts_again_takes_no_name_of_a_key_in_use(
    token: Token, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "operator.pin").write_text(PIN)
    for name, value in token.environment.items():
        monkeypatch.setenv(name, value)
    keys = Keys(token=LIBRARY, label="device")
    made = []
    for _ in range(2):
        slots = keys.slots(tmp_path, SeededRandomness(7, "device"))
        assert isinstance(slots, TokenSlots)
        made.append(slots.make("ecdsa-p256"))
        slots._library.close()
    assert all(token.slots().signer(slot).sign(b"x") for slot in made)
    assert len(token.keys()) == 4


def test_signatures_of_another_length_are_no_signatures(token: Token, tmp_path: Path) -> None:
    slot = token.slots().make("ecdsa-p256")
    bad = Misbehaving(token, tmp_path, "short")
    with pytest.raises(Refused, match=r"psd\.token-failed"):
        bad.slots.signer(slot).sign_all([b"a", b"b"])
    bad.library.close()


def test_a_key_made_by_a_worker_that_died_is_made_once(token: Token, tmp_path: Path) -> None:
    bad = Misbehaving(token, tmp_path, "die making")
    slot = bad.slots.make("ecdsa-p256")
    assert bad.library.started == 2
    assert signature_valid(bad.slots.signer(slot).public, bad.slots.signer(slot).sign(b"x"), b"x")
    assert len(token.keys()) == 2  # one private and one public key
    bad.library.close()


def test_two_processes_share_a_token_and_a_key_destroyed_by_the_other_signs_no_more(token: Token) -> None:
    other = TokenLibrary(LIBRARY or Path(), environment=token.environment)
    mine = token.slots()
    theirs = TokenSlots(other, token="device", pin=lambda: PIN, randomness=SeededRandomness(6, "other"))
    slot = mine.make("ecdsa-p256")
    for slots in (mine, theirs, mine):
        assert signature_valid(mine.signer(slot).public, slots.signer(slot).sign(b"x"), b"x")
    theirs.destroy(slot)
    for slots in (theirs, mine):
        with pytest.raises(Refused, match=r"psd\.token"):
            slots.signer(slot).sign(b"x")
    again = mine.make("ecdsa-p256")  # and the library is not harmed
    assert signature_valid(mine.signer(again).public, mine.signer(again).sign(b"x"), b"x")
    other.close()


def test_a_wrong_pin_opens_nothing_beside_a_session_that_is_logged_in(token: Token) -> None:
    slot = token.slots().make("ecdsa-p256")
    with pytest.raises(Refused, match=r"psd\.token-refused"):
        token.slots(pin="9999").signer(slot).sign(b"x")
    assert token.slots().signer(slot).sign(b"x")


def test_a_device_whose_token_is_away_is_zeroised_when_it_is_back_and_not_before(token: Token) -> None:
    from towncircle.psd.client import DeviceClient
    from towncircle.psd.device import Device

    story = Story()
    story.device = Device(story.memory, story.name, slots=token.slots(), clock=story.clock)
    story.client = DeviceClient(story.device)
    story.commission()
    story.withdraw()
    away = token.folder.rename(token.folder.with_name("away"))
    token.library.close()
    with pytest.raises(Refused, match=r"psd\.token"):
        story.client.zeroise(DEVICE)
    assert story.state().state == "withdrawn"
    token.library.close()
    away.rename(token.folder)
    assert token.keys() != []
    story.client.zeroise(DEVICE)
    assert (token.keys(), story.state().state) == ([], "zeroised")


def test_the_pin_is_in_no_argument_and_no_environment_of_the_worker(token: Token) -> None:
    token.slots().make("ecdsa-p256")
    assert token.library._child is not None
    place = Path("/proc") / str(token.library._child.pid)
    for name in ("cmdline", "environ"):
        words = (place / name).read_bytes().split(b"\0")
        assert not any(word == PIN.encode() or word.endswith(b"=" + PIN.encode()) for word in words)


def test_a_token_that_fails_its_pairwise_test_keeps_no_key(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("towncircle.psd.pkcs11.TokenKey.sign", lambda *_: bytes(64))
    with pytest.raises(BrokenInvariant, match=r"psd\.pairwise-failed"):
        token.slots().make("ecdsa-p256")
    assert token.keys() == []
    from towncircle.psd.client import DeviceClient
    from towncircle.psd.device import Device

    story = Story()
    story.device = Device(story.memory, story.name, slots=token.slots(), clock=story.clock)
    with pytest.raises(BrokenInvariant, match=r"psd\.pairwise-failed"):
        story.workshop.initialise(DeviceClient(story.device), story.name, story.now)
    assert (story.state().state, token.keys()) == ("faulted", [])


def test_no_signature_leaves_when_the_token_fails_and_asking_again_settles(token: Token) -> None:
    from towncircle.psd.client import DeviceClient
    from towncircle.psd.device import Device

    story = Story()
    story.device = Device(story.memory, story.name, slots=token.slots(), clock=story.clock)
    story.client = DeviceClient(story.device)
    story.commission()
    story.reset()
    before = story.state()
    away = token.folder.rename(token.folder.with_name("away"))
    token.library.close()
    with pytest.raises(Refused, match=r"psd\.token"):
        story.client.evidence(batch())
    assert story.state() == before
    token.library.close()
    away.rename(token.folder)
    assert story.client.evidence(batch()).registers.ascending == 730


def test_a_device_process_is_told_where_its_keys_lie(
    token: Token, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.psd.setting import START

    from towncircle.bench.workshop import Workshop
    from towncircle.pki.passphrase import store_parameters
    from towncircle.psd.client import DeviceClient
    from towncircle.psd.opening import PASSPHRASE
    from towncircle.psd.ports import ProcessPort
    from towncircle.psd.process import create

    (clock := tmp_path / "clock.json").write_text(f'{{"mode": "frozen", "now_us": {int(START)}}}')
    (pin := tmp_path / "pin").write_text(f"{PIN}\n")
    (phrase := tmp_path / "phrase").write_text("a town circle has no beginning\n")
    for name, value in token.environment.items():
        monkeypatch.setenv(name, value)
    told = {
        "token": ["--token", str(LIBRARY), "--token-label", "device", "--pin-from", str(pin)],
        "passphrase": ["--passphrase-from", str(phrase)],
    }
    for name, words in told.items():
        workshop, place = Workshop(START), tmp_path / name
        create(place, secret=None, **workshop.birth(DEVICE))
        store_parameters(place / PASSPHRASE, SeededRandomness(3, "salt"), iterations=1, memory_kib=64)
        with ProcessPort(place, arguments=["--clock", str(clock), *words]) as port:
            workshop.commission(DeviceClient(port), DEVICE, START)
        with ProcessPort(place, arguments=["--clock", str(clock), *words]) as port:
            client = DeviceClient(port)
            workshop.reset(client, DEVICE, Mills.dollars(10), START)
            assert client.evidence(batch()).count == 1
        with ProcessPort(place, arguments=["--clock", str(clock)]) as port, pytest.raises(TowncircleError):
            DeviceClient(port).evidence(batch("JOB-2"))


def test_a_key_in_the_token_that_nobody_has_is_destroyed_at_a_later_start(token: Token, tmp_path: Path) -> None:
    at = 4  # the counter of the device's state

    def slots(library: TokenLibrary) -> TokenSlots:
        chance, names = SystemRandomness(), TokenNames(tmp_path, lambda: at)
        return TokenSlots(library, token="device", pin=lambda: PIN, randomness=chance, names=names)

    kept, orphan, ended = (slots(token.library).make("ecdsa-p256") for _ in range(3))
    names = TokenNames(tmp_path, lambda: at)
    names.add(bytes(16))  # the power failed before the token made it
    assert len(token.keys()) == 6
    nowhere = TokenLibrary(Path("/nowhere/lib.so"))
    slots(nowhere).settle([kept])  # a token that is away: nothing is forgotten
    with pytest.raises(Refused):
        slots(nowhere).destroy(ended)
    nowhere.close()
    slots(token.library).settle([kept])  # the commit that would have used them did not come, or a copy is put back
    assert len(names.all()) == 4
    at = 5
    slots(token.library).settle([kept])
    assert len(token.keys()) == 2
    assert len(names.all()) == 1
    assert slots(token.library).signer(kept).sign(b"x")
    with pytest.raises(Refused):
        slots(token.library).signer(orphan).sign(b"x")
    (tmp_path / "token.names").write_text("not a name")
    with pytest.raises(Refused, match=r"psd\.keys-unclear"):
        slots(token.library).settle([kept])


def test_everybody_in_a_process_shares_the_one_worker_of_a_library() -> None:
    assert library_at(Path("/nowhere/a.so")) is library_at(Path("/nowhere/../nowhere/a.so"))
    assert library_at(Path("/nowhere/a.so")) is not library_at(Path("/nowhere/b.so"))
