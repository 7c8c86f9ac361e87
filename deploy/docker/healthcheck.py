"""Whether the service of this container takes work, for engines without probes of their own."""

import os
import urllib.request

port = os.environ.get("LIPSTREAM_METRICS_PORT") or os.environ.get("LIPSTREAM_GATEWAY_PORT", "8080")
# Raises, and so exits with 1, unless the answer is 200.
urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3)
