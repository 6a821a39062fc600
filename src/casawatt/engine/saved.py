"""States as bytes that say which version of the engine made them."""

from typing import Generic, TypeVar

import msgspec

State = TypeVar("State", bound=msgspec.Struct)


class Saved(Generic[State]):
    """Writes and reads the states of one kind."""

    def __init__(self, kind: type[State], version: int) -> None:
        """`version` (0 to 255) counts up whenever the same input would give other states."""
        self._version = bytes([version])
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(kind)

    def dump(self, state: State) -> bytes:
        """Return a state as bytes: the version, then msgpack."""
        return self._version + self._encoder.encode(state)

    def load(self, data: bytes) -> State | None:
        """Return the state that `dump` made bytes of; None when another version did, or nobody."""
        if data[:1] != self._version:
            return None
        try:
            return self._decoder.decode(data[1:])
        except msgspec.DecodeError:
            return None
