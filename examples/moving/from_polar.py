"""Writes the events of Polar as CloudEvents, one a line, for `monometer ingest`.

    python from_polar.py https://api.polar.sh POLAR_TOKEN > events.ndjson
    monometer ingest events.ndjson

The source is `polar` and the id the external id, as if they had come by this server's `/v1`:
clients that send one again send a duplicate. Python's standard library is all that it needs.
"""

import json
import sys
from urllib.request import Request, urlopen

TIMEOUT_S = 60


def main(url: str, token: str) -> None:
    page, last = 1, 1
    while page <= last:
        path = f"{url.rstrip('/')}/v1/events/?sorting=timestamp&limit=100&page={page}"
        request = Request(path, headers={"authorization": f"Bearer {token}"})
        with urlopen(request, timeout=TIMEOUT_S) as answer:
            found = json.load(answer)
        for one in found["items"]:
            subject = one.get("external_customer_id") or one.get("customer_id")
            if subject is None or one.get("source") == "system":
                continue  # Polar's own events, which tell of its billing
            event = {
                "specversion": "1.0",
                "id": one.get("external_id") or one["id"],
                "source": "polar",
                "type": one["name"],
                "subject": subject,
                "time": one["timestamp"],
                "data": one.get("metadata") or {},
            }
            print(json.dumps(event))
        page, last = page + 1, found["pagination"]["max_page"]


if __name__ == "__main__":
    try:
        given_url, given_token = sys.argv[1:]
    except ValueError:
        sys.exit(__doc__)
    main(given_url, given_token)
