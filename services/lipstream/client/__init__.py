"""For programs that talk to a lipstream server: `pip install 'lipstream[client]'`."""

from lipstream.client.live import LiveClient, LiveEvent
from lipstream.wire.live_media import MediaKind, MediaMessage

__all__ = ["LiveClient", "LiveEvent", "MediaKind", "MediaMessage"]
