"""A process that takes messages, says which, and never has one safe: for killing."""

import asyncio
import sys

from casawatt.config_sections import BrokerConfig
from casawatt.transports.mqtt import Broker, Message
from tests.mosquitto import HOST
from tests.transports.taker import CLIENT


async def main(port: int) -> None:
    broker = Broker("home", BrokerConfig(host=HOST, port=port), CLIENT, listeners=1)

    def take(message: Message) -> None:
        sys.stdout.write(message.payload.decode() + "\n")
        sys.stdout.flush()

    async def kept() -> None:
        await asyncio.Event().wait()

    async with broker.listening(["a"], take, kept):
        await broker.run()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
