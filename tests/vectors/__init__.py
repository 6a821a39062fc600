"""Test vectors shared with the firmware; the format is told at the top of each file."""

from pathlib import Path

Vector = dict[str, list[str]]


def read_vectors(name: str) -> list[Vector]:
    """Return the blocks of `tests/vectors/<name>`: for each field the values of its lines, in order."""
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    vectors = []
    for block in text.split("\n\n"):
        vector: Vector = {}
        for line in block.splitlines():
            if line and not line.startswith("#"):
                field, _, value = line.partition("=")
                vector.setdefault(field.strip(), []).append(value.strip())
        if vector:
            vectors.append(vector)
    return vectors
