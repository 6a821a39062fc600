"""Messages for tests of what comes by MQTT."""

import json
from pathlib import Path
from typing import Any

from casawatt.transports.mqtt import Message

CAPTURES = Path(__file__).parents[1] / "captures"


def captured(source: str) -> list[Message]:
    """Return the recorded messages of a source, in order."""
    lines = (CAPTURES / source / "messages.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" ", 1) for line in lines if not line.startswith("#")]
    return [Message(topic, payload.encode(), retained=False) for topic, payload in pairs]


def message(topic: str, payload: Any, *, retained: bool = False) -> Message:
    """Return a message; what is not text already is written as JSON."""
    text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
    return Message(topic, text.encode() if isinstance(text, str) else text, retained)
