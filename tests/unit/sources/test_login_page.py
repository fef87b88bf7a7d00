"""Whose login page an answer is, by what such pages have in common."""

import pytest

from watchdog.sources.flower.access.login_page import UNNAMED, login_page

ASKED = "https://flower.example.com/healthcheck"
GOOGLES = "https://accounts.google.com/o/oauth2/v2/auth?client_id=1.apps.googleusercontent.com&response_type=code"


@pytest.mark.parametrize(
    ("location", "whose"),
    [
        ("/oauth2/start?rd=%2Fhealthcheck", "oauth2-proxy"),
        ("https://auth.example.com/oauth2/sign_in", "oauth2-proxy"),
        (GOOGLES, "Google"),
        ("https://sso.example.com/realms/prod/protocol/openid-connect/auth?client_id=f", "Keycloak"),
        ("https://sso.example.com/auth/realms/prod/protocol/openid-connect/auth", "Keycloak"),
        ("https://team.cloudflareaccess.com/cdn-cgi/access/login/flower.example.com", "Cloudflare Access"),
        ("https://login.microsoftonline.com/0a/oauth2/v2.0/authorize", "Microsoft"),
        ("https://dev-1.okta.com/oauth2/default/v1/authorize", "Okta"),
        ("https://shop.eu.auth0.com/authorize", "Auth0"),
        ("https://auth.example.com/outpost.goauthentik.io/start", "authentik"),
        ("/login?next=%2F", UNNAMED),
        ("https://id.example.com/x?response_type=code&client_id=f", UNNAMED),
    ],
)
def test_a_redirect_to_a_login_page_is_recognised(location: str, whose: str) -> None:
    assert login_page(302, b"", location, ASKED) == whose


@pytest.mark.parametrize(
    "location", ["https://flower.example.com/healthcheck", "/flower/", "http://[", "", "https://example.com/?q=login", "/catalogin"]
)
def test_another_redirect_is_none(location: str) -> None:
    assert login_page(302, b"", location, ASKED) == ""


@pytest.mark.parametrize(
    ("page", "whose"),
    [
        (b'<form method="GET" action="/oauth2/start">', "oauth2-proxy"),
        (b'<form method="GET" action="/_auth/start">\n  <input type="hidden" name="rd" value="/">', "oauth2-proxy"),
        (b'<p>Secured with <a href="https://github.com/oauth2-proxy/oauth2-proxy#oauth2_proxy">', "oauth2-proxy"),
        (b'<a href="https://accounts.google.com/v3/signin">', "Google"),
        (b'<form id="kc-form-login" action="x">', "Keycloak"),
        (b'<script src="https://team.cloudflareaccess.com/x.js">', "Cloudflare Access"),
        (b"<input name=p type='password'>", UNNAMED),
        (b"<INPUT TYPE=PASSWORD>", UNNAMED),
    ],
)
@pytest.mark.parametrize("status", [200, 401, 403])
def test_a_login_page_that_is_sent_at_once_is_recognised(page: bytes, whose: str, status: int) -> None:
    assert login_page(status, b"\n<!DOCTYPE html>" + page, "", ASKED) == whose


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html><title>Flower</title></html>"),
        (200, b'{"celery@a": {"name": "<form action=/oauth2/start>"}}'),
        (500, b'<html><form action="/oauth2/start">'),
        (200, b"OK"),
        (200, b"<p>" + b" " * 70_000 + b"<input type=password>"),
    ],
)
def test_another_page_is_none(status: int, body: bytes) -> None:
    assert login_page(status, body, "", ASKED) == ""
