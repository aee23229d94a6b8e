"""Measures the reference's event stream: one measurement per line read, its value per line written.

A line read is a JSON array of the measurement's name and its arguments; nothing is written for what can't be measured but
{"error": ...}.
"""

import json
import os
import shutil
import sys
import tempfile
import threading
import time

# The reference logs to standard output, which is for the values here.
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
os.environ.setdefault("LOG_LEVEL", "ERROR")
os.environ["LOG_TO_FILE"] = "0"
home = tempfile.mkdtemp()
os.chdir(home)

from openhands.events.action import CmdRunAction, MessageAction  # noqa: E402
from openhands.events.event import EventSource  # noqa: E402
from openhands.events.event_filter import EventFilter  # noqa: E402
from openhands.events.event_store import EventStore  # noqa: E402
from openhands.events.stream import EventStream, EventStreamSubscriber  # noqa: E402
from openhands.storage.local import LocalFileStore  # noqa: E402
from openhands.storage.memory import InMemoryFileStore  # noqa: E402


def publish(store, command):
    count = 5000
    stream = EventStream("benchmark", store)
    start = time.perf_counter()
    for _ in range(count):
        stream.add_event(CmdRunAction(command=command), EventSource.AGENT)
    rate = count / (time.perf_counter() - start)
    stream.close()
    return rate


def publish_memory(command):
    return publish(InMemoryFileStore(), command)


def publish_os(command):
    return publish(LocalFileStore(tempfile.mkdtemp(dir=home)), command)


def deliver(command):
    """The median time in microseconds from add_event to the subscriber's call, when nothing else is under way."""
    delays = []
    delivered = threading.Event()
    started = 0.0

    def receive(_):
        delays.append(time.perf_counter() - started)
        delivered.set()

    stream = EventStream("benchmark", InMemoryFileStore())
    stream.subscribe(EventStreamSubscriber.TEST, receive, "benchmark")
    for _ in range(3000):
        delivered.clear()
        started = time.perf_counter()
        stream.add_event(CmdRunAction(command=command), EventSource.AGENT)
        delivered.wait()
    stream.close()
    return sorted(delays)[len(delays) // 2] * 1e6


def fanout(command):
    count, subscribers = 500, 100
    left = threading.Semaphore(0)
    stream = EventStream("benchmark", InMemoryFileStore())
    for number in range(subscribers):
        stream.subscribe(EventStreamSubscriber.TEST, lambda _: left.release(), str(number))
    start = time.perf_counter()
    for _ in range(count):
        stream.add_event(CmdRunAction(command=command), EventSource.AGENT)
    for _ in range(count * subscribers):
        left.acquire()
    rate = count * subscribers / (time.perf_counter() - start)
    stream.close()
    return rate


def replay(folder):
    """Events per second of a session in `folder`/sessions/benchmark, read into typed events."""
    start = time.perf_counter()
    count = sum(1 for _ in EventStore("benchmark", LocalFileStore(folder), None).search_events())
    return count / (time.perf_counter() - start)


def scan(folder):
    """Events per second of a session, looked at for type and source."""
    store = EventStore("benchmark", LocalFileStore(folder), None)
    count = store.cur_id
    wanted = EventFilter(include_types=(MessageAction,), source="user")
    start = time.perf_counter()
    for _ in store.search_events(filter=wanted):
        pass
    return count / (time.perf_counter() - start)


def opening(folder):
    """The time in milliseconds until a session is open and its next id known."""
    start = time.perf_counter()
    stream = EventStream("benchmark", LocalFileStore(folder))
    _ = stream.cur_id
    duration = time.perf_counter() - start
    stream.close()
    return duration * 1000


try:
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = {"value": globals()[name](*arguments)}
        except Exception as error:
            answer = {"error": repr(error)}
        answers.write(json.dumps(answer) + "\n")
finally:
    shutil.rmtree(home, ignore_errors=True)
