"""What belongs to one tenant is not there for another."""

from __future__ import annotations

from tests.integration.security.conftest import PICTURE, Guarded


def test_another_tenants_video_is_not_found(guarded: Guarded) -> None:
    acme, other = guarded.key("acme"), guarded.key("other")
    guarded.add_avatar("acme.grace")
    with guarded.http() as http:
        wanted = {"avatar": "grace", "text": "Hello"}
        made = http.post("/v1/videos", json=wanted, headers=acme)
        assert made.status_code == 202, made.text
        document = made.json()
        assert document["avatar"] == "grace"
        assert http.post("/v1/videos", json=wanted, headers=other).status_code == 404
        path = document["links"]["self"]
        assert http.get(path, headers=acme).json()["id"] == document["id"]
        for method, at in (("GET", ""), ("GET", "/events"), ("GET", "/file"), ("DELETE", "")):
            answer = http.request(method, path + at, headers=other)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert http.get("/v1/videos", headers=other).json() == []
        assert [one["id"] for one in http.get("/v1/videos", headers=acme).json()] == [
            document["id"]
        ]
        assert http.delete(path, headers=acme).status_code == 204
        assert http.get("/v1/videos", headers=acme).json() == []


def test_tenants_have_avatars_of_the_same_name(guarded: Guarded) -> None:
    acme, other, nobody = guarded.key("acme"), guarded.key("other"), guarded.key("default")
    for avatar_id in ("acme.grace", "grace"):
        guarded.add_avatar(avatar_id)
    with guarded.http() as http:
        assert [one["id"] for one in http.get("/v1/avatars", headers=acme).json()] == ["grace"]
        assert http.get("/v1/avatars", headers=other).json() == []
        assert http.get("/v1/avatars/grace", headers=other).status_code == 404
        assert http.get("/v1/avatars/grace/preview", headers=acme).content == PICTURE
        # A full id is nobody's name: not its own tenant's, not the default tenant's.
        for headers in (acme, other, nobody):
            for path in ("acme.grace", "acme.grace/preview", "acme.grace/events"):
                assert http.get(f"/v1/avatars/{path}", headers=headers).status_code == 404
            wanted = {"avatar": "acme.grace", "text": "Hello"}
            assert http.post("/v1/videos", json=wanted, headers=headers).status_code == 422
            answer = http.post("/v1/sessions", json={"avatar": "acme.grace"}, headers=headers)
            assert answer.status_code == 422
        assert http.delete("/v1/avatars/grace", headers=acme).status_code == 204
        assert http.get("/v1/avatars/grace", headers=acme).status_code == 404
        assert http.get("/v1/avatars/grace", headers=nobody).status_code == 200


def test_a_fit_is_its_tenants_alone(guarded: Guarded) -> None:
    acme, other = guarded.key("acme"), guarded.key("other")
    with guarded.http() as http:
        for headers in (acme, other):  # the name is free for each
            answer = http.post(
                "/v1/avatars",
                data={"name": "ada", "consent": "It is my own face."},
                files={"photo": ("me.jpg", b"not looked at: the stage is away")},
                headers=headers,
            )
            assert answer.status_code == 202, answer.text
            assert answer.json()["id"] == "ada"
        assert http.delete("/v1/avatars/ada", headers=other).status_code == 204
        assert http.get("/v1/avatars/ada", headers=other).status_code == 404
        assert http.get("/v1/avatars/ada", headers=acme).json()["status"] == "queued"
