import gzip
from pathlib import Path

import pytest

from casawatt.model.errors import ImportFileError
from casawatt.recordings.recording_file import LINE_MAX_CHARACTERS, RecordingFile, head


def lines_of(path: Path) -> list[tuple[int, str]]:
    with RecordingFile(path) as recording:
        return list(recording)


def test_plain_and_gzip_read_the_same_whatever_the_name(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.csv.gz", tmp_path / "packed.csv"
    plain.write_bytes(b"a;1\r\nb;2\n")
    packed.write_bytes(gzip.compress(b"a;1\nb;2"))
    assert lines_of(plain) == lines_of(packed) == [(1, "a;1"), (2, "b;2")]


def test_a_byte_order_mark_and_an_old_encoding_do_not_stop_it(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes(b"\xef\xbb\xbfZeit;W\xe4rme\n1;2\n")
    assert lines_of(path) == [(1, "Zeit;W\N{REPLACEMENT CHARACTER}rme"), (2, "1;2")]


def test_a_file_without_line_ends_comes_in_bounded_pieces(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_bytes(b"x" * (2 * LINE_MAX_CHARACTERS + 1))
    assert [len(line) for _, line in lines_of(path)] == [LINE_MAX_CHARACTERS, LINE_MAX_CHARACTERS, 1]


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="nowhere"):
        RecordingFile(tmp_path / "nowhere.csv")


def test_a_cut_gzip_gives_what_is_there_and_then_the_line_where_it_breaks(tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    packed = gzip.compress(b"".join(b"%d;%d\n" % (n, n * n) for n in range(20_000)))
    path.write_bytes(packed[: len(packed) // 2])
    with RecordingFile(path) as recording:
        lines = iter(recording)
        seen = [next(lines) for _ in range(1000)]
        with pytest.raises(ImportFileError, match="breaks off") as caught:
            seen.extend(lines)
    assert f"{path}:{len(seen) + 1}:" in str(caught.value)


def test_the_head_leaves_empty_lines_out(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("\na\n\nb\nc\n")
    assert head(path, 2) == ["a", "b"]
