"""`python -m tests.home_with_adapters ...`: casawatt on a machine whose devices are in the folder $TEST_DEVICES.

It looks for devices at its serial ports and nowhere on the network; one source cannot look at all.
"""

import os
from pathlib import Path

from casawatt import searchers
from casawatt.__main__ import main
from casawatt.transports import serial_line

if __name__ == "__main__":
    serial_line.DEVICES = Path(os.environ["TEST_DEVICES"])
    searchers.searcher_names = lambda: ["ecms_udp", "mcee_serial", "no_such_source"]
    main()
