"""The operator's secret from a passphrase."""

import json
from pathlib import Path

import pytest

from towncircle.kernel.errors import BadInput, Refused
from towncircle.kernel.randomness import SeededRandomness
from towncircle.pki.keyfile import open_key, seal_key
from towncircle.pki.keys import SoftwareKey
from towncircle.pki.passphrase import secret_from, store_parameters

RANDOMNESS = SeededRandomness(4, "passphrase")
PHRASE = "a town circle has no beginning"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    store_parameters(tmp_path / "operator.json", RANDOMNESS, iterations=1, memory_kib=64)
    return tmp_path / "operator.json"


def test_the_passphrase_opens_what_it_sealed_and_another_does_not(place: Path) -> None:
    key = SoftwareKey.generate("ecdsa-p256", RANDOMNESS)
    sealed = seal_key(key, secret_from(place, lambda: PHRASE), RANDOMNESS)
    assert open_key(sealed, secret_from(place, lambda: PHRASE)).public == key.public
    with pytest.raises(Refused, match=r"pki\.key-file-locked"):
        open_key(sealed, secret_from(place, lambda: PHRASE + "!"))


def test_it_is_asked_once_and_nothing_of_it_is_stored(place: Path) -> None:
    asked: list[int] = []
    provider = secret_from(place, lambda: (asked.append(1), PHRASE)[1])
    assert provider() == provider()
    assert len(asked) == 1
    stored = place.read_bytes()
    assert PHRASE.encode() not in stored
    assert provider() not in stored
    assert provider().hex().encode() not in stored
    assert place.stat().st_mode & 0o077 == 0


def test_two_stores_under_one_passphrase_have_two_secrets(place: Path, tmp_path: Path) -> None:
    store_parameters(tmp_path / "other.json", RANDOMNESS, iterations=1, memory_kib=64)
    assert secret_from(place, lambda: PHRASE)() != secret_from(tmp_path / "other.json", lambda: PHRASE)()


def test_argon2id_gives_the_answer_of_rfc_9106(place: Path) -> None:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    kdf = Argon2id(
        salt=b"\x02" * 16, length=32, iterations=3, lanes=4, memory_cost=32, ad=b"\x04" * 12, secret=b"\x03" * 8
    )
    assert kdf.derive(b"\x01" * 32).hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


def test_a_short_passphrase_and_a_spoiled_file_are_refused(place: Path) -> None:
    with pytest.raises(BadInput, match=r"pki\.passphrase-short"):
        secret_from(place, lambda: "short")()
    good = json.loads(place.read_text())
    for change in ({"kdf": "md5"}, {"salt": "00"}, {"memory_kib": 2**40}, {"iterations": 0}, {"lanes": "4"}):
        place.write_text(json.dumps({**good, **change}))
        with pytest.raises(BadInput, match=r"pki\.bad-passphrase-file"):
            secret_from(place, lambda: PHRASE)()
    place.unlink()
    with pytest.raises(BadInput, match=r"pki\.bad-passphrase-file"):
        secret_from(place, lambda: PHRASE)()
