"""What every service runs on: settings, logs, metrics, queues, objects, servers.

Import the parts by their modules, so that a process loads only what it uses.
"""

from lipstream.runtime.settings import Settings, load_settings

__all__ = ["Settings", "load_settings"]
