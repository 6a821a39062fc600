"""Topics with named parts, as in `zigbee2mqtt/{device#}`: what to subscribe to, and what the parts stand for. Pure."""

import re

NAMED = re.compile(r"\{([a-z_]+)(#?)\}")


class TopicPattern:
    """A topic whose parts are words, `+`, a last `#`, `{name}` for one part or `{name#}` for one or more.

    Raises ValueError for one that cannot be used.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        expression, subscription, whole = [], [], False
        parts = pattern.split("/")
        for number, part in enumerate(parts):
            named = NAMED.fullmatch(part)
            if part == "#" and number == len(parts) - 1:
                expression.append(".+")
            elif named:
                expression.append(f"(?P<{named[1]}>{'.+' if named[2] else '[^/]+'})")
            elif part == "+":
                expression.append("[^/]+")
            elif set(part) & set("+#{}") or not part:
                message = f"{pattern!r} is no topic: {part!r} must be a word, +, # (last), {{name}} or {{name#}}"
                raise ValueError(message)
            else:
                expression.append(re.escape(part))
            whole = whole or part == "#" or bool(named and named[2])
            if not whole:
                subscription.append("+" if named else part)
        self.subscription = "/".join([*subscription, *(["#"] if whole else [])])
        try:
            self._expression = re.compile("/".join(expression))
        except re.error:
            message = f"{pattern!r} is no topic: a name stands in it twice"
            raise ValueError(message) from None
        self.names = set(self._expression.groupindex)
        self.wide = {name for name, several in NAMED.findall(pattern) if several}
        """Those that may stand for several levels."""

    def match(self, topic: str) -> dict[str, str] | None:
        """Return what the named parts stand for in a topic, None when it is not of this pattern."""
        found = self._expression.fullmatch(topic)
        return None if found is None else found.groupdict()


def without_overlap(subscriptions: list[str]) -> list[str]:
    """Return topic filters without those that another covers, so that no message comes twice."""
    distinct = list(dict.fromkeys(subscriptions))
    return [each for each in distinct if not any(other != each and covers(other, each) for other in distinct)]


def covers(wide: str, narrow: str) -> bool:
    """Return whether every topic of the filter `narrow` is one of the filter `wide`."""
    wide_parts, narrow_parts = wide.split("/"), narrow.split("/")
    for number, part in enumerate(wide_parts):
        if part == "#":
            return True
        if number >= len(narrow_parts) or narrow_parts[number] == "#":
            return False
        if part not in {"+", narrow_parts[number]}:
            return False
    return len(wide_parts) == len(narrow_parts)
