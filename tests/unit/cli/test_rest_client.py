"""What the commands say of a gateway that cannot be reached."""

from __future__ import annotations

import pytest

from lipstream.cli.rest_client import RestClient
from lipstream.errors import BadInput, LipstreamError, Unavailable


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:1", Unavailable),
        ("localhost:8080", BadInput),
        ("studio", BadInput),
        ("http://[::1", BadInput),
    ],
)
def test_the_address_is_named_with_a_remedy(url: str, kind: type[LipstreamError]) -> None:
    with pytest.raises(kind) as caught, RestClient(url) as client:
        client.webhooks()
    assert url in caught.value.message
    assert "--url" in caught.value.remedy


def test_so_it_is_where_an_answer_is_a_stream() -> None:
    with RestClient("http://127.0.0.1:1") as client, pytest.raises(Unavailable):
        next(client.events("/v1/videos/x/events"))
