"""The decode and imb commands, from arguments to text, JSON and exit codes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from PIL import Image
from tests.indicium.samples import FIELDS, content_of

from towncircle.cli import decode, imb
from towncircle.indicium import join
from towncircle.kernel.errors import BadInput
from towncircle.symbol import data_matrix

DUMP_A = Path(__file__).parent.parent / "data" / "ibi_dump_a.hex"
PAYLOAD = join(content_of("imi-std"), bytes(64))
BARS = "AADTFFDFTDADTAADAATFDTDDAAADDTDTTDAFADADDDTFFFDDTTTADFAAADFTDAADA"


def run(*argv: object) -> int:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers(required=True)
    decode.add(subparsers)
    imb.add(subparsers)
    args = parser.parse_args([str(item) for item in argv])
    return int(args.run(args))


def test_a_file_of_hexadecimal_text_is_decoded_to_the_shared_json_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("decode", DUMP_A, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert set(record) == {"layout", "fields", "trailing"}
    assert record["layout"] == "ibi-full"
    assert (record["fields"]["postage_mills"], record["fields"]["date"]) == (10_200, "2010-10-02")


def test_a_file_of_raw_bytes_and_hexadecimal_digits_give_the_same(tmp_path: Path, capsys) -> None:
    raw = tmp_path / "mark.bin"
    raw.write_bytes(PAYLOAD)
    assert run("decode", raw, "--json") == 0
    first = capsys.readouterr().out
    assert run("decode", "--hex", PAYLOAD.hex(" "), "--json") == 0
    assert capsys.readouterr().out == first
    fields = json.loads(first)["fields"]
    assert {name: fields[name] for name in FIELDS["imi-std"]} == FIELDS["imi-std"]


@pytest.mark.parametrize("suffix", ["png", "jpg", "pdf"])
def test_a_scan_is_decoded_with_words_for_people(tmp_path: Path, capsys, suffix: str) -> None:
    scan = tmp_path / f"piece.{suffix}"
    Image.fromarray(data_matrix(PAYLOAD).image(dots=6)).save(scan, dpi=(300, 300))
    assert run("decode", scan) == 0
    text = capsys.readouterr().out
    assert text.startswith("IMI standard (imi-std): 110 bytes, 46 of them signed (ecdsa-p256)\nRead from a Data Matrix")
    assert "$0.78 of postage" in text
    assert "Device TC1A0000000017" in text


def test_a_dump_cut_short_names_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("decode", "--hex", PAYLOAD[:46].hex(), "--json") == 0
    assert json.loads(capsys.readouterr().out)["missing"] == ["signature"]
    assert run("decode", "--hex", PAYLOAD[:46].hex()) == 0
    assert "Cut short: missing are signature." in capsys.readouterr().out


def test_a_foreign_mark_is_named(tmp_path: Path, capsys) -> None:
    mark = tmp_path / "mark"
    mark.write_bytes(b"JGB 011123456712345678CWC1A1A    0             ")
    assert run("decode", mark, "--json") == 0
    assert json.loads(capsys.readouterr().out)["foreign"] == "Royal Mail, Mailmark"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_photo_without_a_symbol_is_a_negative_finding(tmp_path: Path, capsys, as_json: bool) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (200, 100), "grey").save(photo)
    assert run("decode", photo, *(["--json"] if as_json else [])) == 1
    out, err = capsys.readouterr()
    assert "symbol.none-found" in (out if as_json else err)


def test_a_symbol_that_is_no_indicium_and_unknown_bytes_are_negative_findings(tmp_path: Path, capsys) -> None:
    other = tmp_path / "other.png"
    Image.fromarray(data_matrix(b"\x01hello").image(dots=6)).save(other)
    assert run("decode", other) == 1
    assert "symbol.none-an-indicium" in capsys.readouterr().err
    assert run("decode", "--hex", "01 02 03") == 1
    assert "indicium.unknown-version" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "scan.empty-file"), (b"hello world\n", "scan.not-a-mark"), (b"GIF89a", "scan.not-an-image")],
)
def test_input_that_cannot_be_used_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "input"
    path.write_bytes(data)
    with pytest.raises(BadInput) as caught:
        run("decode", path)
    assert caught.value.code == code


def test_a_missing_file_and_digits_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"scan\.no-such-file"):
        run("decode", tmp_path / "none.pdf")
    for text in ("xyz", "abg", "é"):
        with pytest.raises(BadInput, match=r"scan\.not-hex"):
            run("decode", "--hex", text)
    with pytest.raises(BadInput, match=r"indicium\.empty"):
        run("decode", "--hex", "")


def test_digits_become_bars_and_bars_become_digits(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("imb", "encode", "01234567094987654321", "01234567891") == 0
    assert capsys.readouterr().out == BARS + "\n"
    assert run("imb", "encode", "01234567094987654321", "--json") == 0
    assert json.loads(capsys.readouterr().out)["routing"] == ""
    assert run("imb", "decode", BARS, "--json") == 0
    assert json.loads(capsys.readouterr().out)["tracking"] == "01234567094987654321"
    assert run("imb", "decode", BARS) == 0
    assert "mailer id     567094" in capsys.readouterr().out


def test_bars_that_do_not_decode_are_a_negative_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("imb", "decode", "F" + BARS[1:]) == 1
    assert "symbol.imb-unreadable" in capsys.readouterr().err
    with pytest.raises(BadInput, match=r"symbol\.imb-bars"):
        run("imb", "decode", "ADFT")
    with pytest.raises(BadInput, match=r"symbol\.imb-barcode-id"):
        run("imb", "encode", "05234567094987654321")
