"""A plain aiomqtt subscriber that writes nothing: run as `python -m benchmarks.mqtt_listener PORT TOPIC COUNT`.

It counts the messages of a topic at QoS 1, in a session that outlives it; with COUNT 0 it only begins that session.
Prints `ready` when it is subscribed and then, when it has so many or hears nothing for a while, what it counted, as
JSON.
"""

import asyncio
import json
import resource
import sys
import time

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

SILENCE_S = 10.0


def cpu_s() -> float:
    """Return how much processor time this process has used, in s."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main(port: int, topic: str, count: int) -> None:
    """Count."""
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    client = aiomqtt.Client(
        "127.0.0.1",
        port,
        identifier="plain-aiomqtt",
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=False,
        properties=properties,
    )
    begun_s, used_s, heard = time.monotonic(), cpu_s(), 0
    async with client:
        await client.subscribe(topic, qos=1)
        print("ready", flush=True)
        messages = aiter(client.messages)
        try:
            while heard < count:
                await asyncio.wait_for(anext(messages), SILENCE_S)
                heard += 1
        except TimeoutError:
            pass
        took_s = time.monotonic() - begun_s
    json.dump({"heard": heard, "took_s": took_s, "cpu_s": cpu_s() - used_s}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
