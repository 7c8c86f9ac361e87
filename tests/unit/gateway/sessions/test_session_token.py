"""What opens a session's socket, and for how long."""

from __future__ import annotations

import pytest

from lipstream.gateway.refusals import Forbidden
from lipstream.gateway.sessions.session_token import check_token, new_secret, new_token


def test_a_token_opens_its_own_session_until_it_expires() -> None:
    secret = new_secret()
    token = new_token(secret, 60)
    check_token(token, secret)
    for given, of, code in (
        (new_token(secret, -1), secret, "expired_token"),
        (token, new_secret(), "bad_token"),
        (f"f{token}", secret, "bad_token"),  # which would be good until later
        (token[:-1], secret, "bad_token"),
        ("", secret, "bad_token"),
        ("é.ü", secret, "bad_token"),
    ):
        with pytest.raises(Forbidden) as refused:
            check_token(given, of)
        assert refused.value.code == code
