"""What the real package makes of events: openhands-ai 0.62.0, run with a Python that has it.

usage: reference.py again INPUT OUTPUT     reads each line's event and writes it again, as the package does both
       reference.py missing INPUT OUTPUT   lists kinds and fields of the package that no line has, or none with another value than the default
       reference.py filter INPUT OUTPUT    adds to each line's filter the ids of the events of kinds.jsonl that it includes
"""

import dataclasses
import json
import os
import sys

from openhands.events.event_filter import EventFilter
from openhands.events.serialization.action import ACTION_TYPE_TO_CLASS
from openhands.events.serialization.event import event_from_dict, event_to_dict
from openhands.events.serialization.observation import OBSERVATION_TYPE_TO_CLASS


def again(line):
    try:
        return json.dumps(event_to_dict(event_from_dict(json.loads(line))))
    except Exception as error:
        return json.dumps({"error": f"{type(error).__name__}: {error}"})


def missing(lines):
    events = [event_from_dict(json.loads(line)) for line in lines]
    for kinds in (ACTION_TYPE_TO_CLASS, OBSERVATION_TYPE_TO_CLASS):
        for kind, kind_class in kinds.items():
            samples = [event for event in events if type(event) is kind_class]
            if not samples:
                yield f"{kind_class.__name__} ({kind})"
            for field in dataclasses.fields(kind_class):
                # A field whose value is fixed by the class.
                if field.name in ("action", "observation"):
                    continue
                default = field.default
                if field.default_factory is not dataclasses.MISSING:
                    default = field.default_factory()
                if samples and all(getattr(event, field.name) == default for event in samples):
                    yield f"{kind_class.__name__}.{field.name}"


def filtered(line):
    conditions = json.loads(line)
    conditions.pop("ids", None)
    arguments = dict(conditions)
    for name in ("include_types", "exclude_types"):
        if name in arguments:
            arguments[name] = tuple((ACTION_TYPE_TO_CLASS if part == "action" else OBSERVATION_TYPE_TO_CLASS)[kind] for part, kind in arguments[name])
    path = os.path.join(os.path.dirname(__file__), "openhands-0.62", "kinds.jsonl")
    with open(path, encoding="utf-8") as file:
        events = [event_from_dict(json.loads(line)) for line in file.read().split("\n") if line]
    ids = [event.id for event in events if EventFilter(**arguments).include(event)]
    return json.dumps({**conditions, "ids": ids})


mode, source, target = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    lines = [line for line in file.read().split("\n") if line]
with open(target, "w", encoding="utf-8") as file:
    for line in {"again": lambda: map(again, lines), "missing": lambda: missing(lines), "filter": lambda: map(filtered, lines)}[mode]():
        file.write(line + "\n")
