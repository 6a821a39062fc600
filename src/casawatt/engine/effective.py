"""The calibrations that a meter's readings are counted by: what was decided about them, laid one over the other."""

from collections.abc import Sequence

import msgspec

from casawatt.engine.spans import Span, covers, union
from casawatt.model.dated import Action, Correction, DatedCalibration
from casawatt.model.meter import NEVER_MS, Binding, Calibration


def effective(
    stored: Sequence[DatedCalibration],
    bindings: Sequence[Binding],
    corrections: Sequence[Correction] = (),
    displaced: Sequence[tuple[int, Span]] = (),
) -> list[Calibration]:
    """Return a meter's calibrations in ascending `from_ms`, each unlike the one before it.

    At each instant: the stored calibration of the latest date not after it; how readings are taken (cadence, gap limit,
    limit) by the binding that holds then, if that was decided later; no limit where a correction restores; nothing
    counted where one discards; `displaced` devices not counted; when a device last came back from elsewhere. `stored`
    ascends and is not empty, its first one holds from the beginning of time; nothing of the others lies before it.
    """
    restored, discarded = (
        union((each.from_ms, each.to_ms) for each in corrections if each.action is action)
        for action in (Action.RESTORE, Action.DISCARD)
    )
    gone: dict[int, tuple[Span, ...]] = {
        device_id: union(span for other, span in displaced if other == device_id) for device_id, _ in displaced
    }
    first_ms = stored[0].calibration.from_ms
    edges = {each.calibration.from_ms for each in stored}
    edges |= {edge for each in bindings for edge in (each.from_ms, each.to_ms) if edge is not None}
    edges |= {edge for spans in (restored, discarded, *gone.values()) for span in spans for edge in span}
    returns = _returns(bindings)
    found: list[Calibration] = []
    for edge_ms in sorted(edge for edge in edges if edge >= first_ms):
        calibration = msgspec.structs.replace(
            _own(stored, bindings, edge_ms),
            from_ms=edge_ms,
            ignored_devices=tuple(sorted(each for each, spans in gone.items() if covers(spans, edge_ms))),
            ignores_all=covers(discarded, edge_ms),
            moved_ms=max((each for each in returns if each <= edge_ms), default=NEVER_MS),
        )
        if covers(restored, edge_ms):
            calibration = msgspec.structs.replace(calibration, limit_mw=None)
        if not found or msgspec.structs.replace(calibration, from_ms=found[-1].from_ms) != found[-1]:
            found.append(calibration)
    return found


def _returns(bindings: Sequence[Binding]) -> list[int]:
    """Return when (UTC ms) devices came back to the meter after they had not measured for it for a time."""
    ends_ms: dict[int, int | None] = {}
    returns = []
    for binding in bindings:
        device_id = binding.device.device_id
        end_ms = ends_ms.get(device_id)
        if end_ms is not None and end_ms < binding.from_ms:
            returns.append(binding.from_ms)
        ends_ms[device_id] = binding.to_ms
    return returns


def _own(stored: Sequence[DatedCalibration], bindings: Sequence[Binding], time_ms: int) -> Calibration:
    """Return the calibration at an instant without any correction."""
    dated = next((each for each in reversed(stored) if each.calibration.from_ms <= time_ms), stored[0])
    for binding in reversed(bindings):
        if binding.from_ms <= time_ms and (binding.to_ms is None or time_ms < binding.to_ms):
            if binding.manner is None or binding.made_ms <= dated.made_ms:
                break
            manner = binding.manner
            return msgspec.structs.replace(
                dated.calibration,
                cadence=manner.cadence,
                gap_limit_ms=manner.gap_limit_ms,
                limit_mw=manner.limit_mw,
                falls_back=manner.falls_back,
            )
    return dated.calibration
