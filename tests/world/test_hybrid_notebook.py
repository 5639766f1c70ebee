"""The notebook of the hybrid port: where each request went is never lost and never mixed up."""

from towncircle.world.hybrid import _lines


def test_half_a_line_that_a_power_cut_left_is_taken_off(tmp_path):
    book = tmp_path / "notes"
    for torn in (b"REQ-2", b"REQ-2\tfi", b""):
        book.write_bytes(b"REQ-1\tfirst\n" + torn)
        assert _lines(book) == ["REQ-1\tfirst"]
        assert book.read_bytes() == b"REQ-1\tfirst\n"
    assert _lines(tmp_path / "new") == []
