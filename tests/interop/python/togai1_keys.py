"""What PyPI togai-client 1.0 raises for whoever may not: prints the names of its classes.

Reads {baseUrl, keys} as its argument, one key after the other; None is none at all.
"""

import json
import sys
from typing import Any

import togai_client as togai  # type: ignore[import-not-found]

story = json.loads(sys.argv[1])
told: list[Any] = []
for key in story["keys"]:
    configuration = togai.Configuration(host=f"{story['baseUrl']}/togai", access_token=key)
    with togai.ApiClient(configuration) as client:
        try:
            made = togai.UsageMetersApi(client).delete_usage_meter("um.00000000000.00000")
        except togai.ApiException as error:
            told.append([type(error).__name__, error.status, error.data.message])
        else:
            told.append(made.success)
json.dump(told, sys.stdout)
