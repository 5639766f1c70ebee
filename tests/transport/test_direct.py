"""Messages inside one process."""

import pytest

from towncircle.kernel.errors import Refused
from towncircle.transport import Direct


def test_a_message_goes_to_its_audience_and_the_reply_comes_back() -> None:
    direct = Direct({"bank.lockbox": lambda raw: b"bank " + raw, "postal.usps": lambda raw: b"post " + raw})
    assert direct.send("bank.lockbox", b"x") == b"bank x"


def test_nobody_at_that_name_is_refused_and_says_what_happens_to_the_message() -> None:
    with pytest.raises(Refused) as caught:
        Direct({}).send("bank.lockbox", b"x")
    assert caught.value.code == "transport.unreachable"
    assert "finished at the next contact" in caught.value.sentence
