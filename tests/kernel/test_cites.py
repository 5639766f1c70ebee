"""`@cites`: what keeps which requirement."""

from towncircle.kernel.cites import CITED, cites


def test_a_citation_names_the_thing_and_leaves_it_as_it_is() -> None:
    def keeper() -> int:
        return 7

    try:
        assert cites("TEST-1", "TEST-2")(keeper) is keeper
        assert CITED["TEST-1"] == CITED["TEST-2"] == [f"{__name__}.{keeper.__qualname__}"]
    finally:
        CITED.pop("TEST-1", None)
        CITED.pop("TEST-2", None)
