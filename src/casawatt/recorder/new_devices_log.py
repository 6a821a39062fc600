"""Names new devices in the log, a bounded number of them."""

import logging

from casawatt.model.reading import Reading

log = logging.getLogger(__name__)

NEW_DEVICES_NAMED = 200
"""So many new devices are named in the log; forged ones must not fill it."""


class NewDevicesLog:
    """Counts the new devices since the start."""

    def __init__(self) -> None:
        self._count = 0

    def name(self, reading: Reading) -> None:
        """Name the device of a reading that belongs to no meter, or say once that no more are named."""
        self._count += 1
        if self._count <= NEW_DEVICES_NAMED:
            log.info("new device: %s %s", reading.source, reading.address)
        elif self._count == NEW_DEVICES_NAMED + 1:
            log.warning("%d new devices, some of them forged perhaps: no further ones are named", NEW_DEVICES_NAMED)
