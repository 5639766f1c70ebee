"""What a Provider remembers of a device's counter: of every message that the device signed, not of readings alone."""

from __future__ import annotations

from dataclasses import replace

from tests.psd.setting import Story

from towncircle.kernel.store import Record
from towncircle.provider.readings import _trouble
from towncircle.wire.bodies import DeviceAudit
from towncircle.wire.message import body_of, peek


def test_a_word_that_is_no_reading_has_its_counter_remembered() -> None:
    story = Story().to("in service")
    raw = story.client.audit().message
    envelope, reading = peek(raw), body_of(raw)
    assert isinstance(reading, DeviceAudit)
    read = {"message_counter": envelope.counter - 2, "ascending": 1, "pieces": 0}  # more than the reading says
    heard = {"heard_counter": envelope.counter, "heard_at": int(envelope.issued)}
    row = Record(kind="device", key=story.name, owner="harbor", version=1, body={**read, **heard})
    later = replace(envelope, issued=envelope.issued.plus(microseconds=1))
    text = f"its message counter {envelope.counter} is not above {envelope.counter}"
    assert _trouble(None, row, later, reading).startswith(text)  # type: ignore[arg-type]  # nothing is looked up
    for late in (envelope, replace(later, counter=envelope.counter + 1)):  # signed before that word, or after it
        assert _trouble(None, row, late, reading).startswith("a register went back")  # type: ignore[arg-type]
    before = Record(kind="device", key=story.name, owner="harbor", version=1, body=read)  # of an earlier release
    assert _trouble(None, before, later, reading).startswith("a register went back")  # type: ignore[arg-type]
