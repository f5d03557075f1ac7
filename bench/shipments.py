"""Requests made beforehand, so that the load generator does nothing but send them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from bench.datasets import (
    EVENT_TYPE,
    LATE_BY_MAX,
    LATE_SHARE,
    SUBJECTS,
    SYNTHETIC,
    synthetic_data,
    zipf,
)

PATH = "/api/v1/events"
_numbers = count(1)  # of shipments: each has ids of its own
_WEIGHTS = zipf(SUBJECTS)


@dataclass(frozen=True, slots=True)
class Shipment:
    """`new[k]` is how many different events the first k + 1 requests hold."""

    requests: Sequence[bytes]
    batch: int
    new: Sequence[int]


def shipment(events: int, *, batch: int, duplicates: float) -> Shipment:
    """Live events: their times follow the preloaded ones, a millisecond apart, 1 % come late.

    An event is one of those before it, sent again, in a share of `duplicates`.
    """
    number = next(_numbers)
    dice = random.Random(number)  # noqa: S311 (the same events in every run)
    bodies: list[str] = []
    requests: list[bytes] = []
    new: list[int] = []
    for _ in range(events // batch):
        sent: list[str] = []
        for _ in range(batch):
            if bodies and dice.random() < duplicates:
                sent.append(dice.choice(bodies))
            else:
                bodies.append(_body(f"live-{number}-{len(bodies)}", len(bodies), dice))
                sent.append(bodies[-1])
        requests.append(_single(sent[0]) if batch == 1 else _batch(sent))
        new.append(len(bodies))
    return Shipment(requests, batch, new)


def _body(id_: str, number: int, dice: random.Random) -> str:
    time = SYNTHETIC.end + timedelta(milliseconds=number)
    if dice.random() < LATE_SHARE:
        time -= dice.random() * LATE_BY_MAX
    subject = dice.choices(range(SUBJECTS), cum_weights=_WEIGHTS)[0]
    at = time.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return (
        f'{{"specversion":"1.0","id":"{id_}","source":"bench","type":"{EVENT_TYPE}"'
        f',"subject":"customer-{subject}","time":"{at}Z","data":{synthetic_data(dice)}}}'
    )


def _single(body: str) -> bytes:
    return _request("application/cloudevents+json", body.encode())


def _batch(bodies: Sequence[str]) -> bytes:
    return _request("application/cloudevents-batch+json", f"[{','.join(bodies)}]".encode())


def _request(content_type: str, body: bytes) -> bytes:
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: bench\r\ncontent-type: {content_type}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
