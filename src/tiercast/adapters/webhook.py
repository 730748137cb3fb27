"""Notices to a webhook, as plain JSON or in Slack's shape."""

import logging
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

from tiercast.core.errors import Unavailable
from tiercast.ports.runs import Notice

TIMEOUT_SECONDS: Final = 5.0
TRIES: Final = 2
SLACK: Final = "hooks.slack.com"
Shape = Literal["auto", "json", "slack"]


class Webhook:
    """A Notifier that posts; its address is a secret and stands in no message."""

    def __init__(self, url: str, shape: Shape) -> None:
        self._url = url
        self._to_slack = _host(url) == SLACK if shape == "auto" else shape == "slack"

    def send(self, notice: Notice) -> None:
        """Post the notice, twice if need be; raises Unavailable."""
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # from INFO down it writes every address it asks
        body, ended = {"text": notice.text} if self._to_slack else notice.facts, ""
        for _ in range(TRIES):
            ended = self._post(body)
            if not ended:
                return
        raise Unavailable(
            f"The notice of run {notice.run} did not arrive: notify.webhook_url {ended}. The run is not changed by it; "
            "check the address, and that this machine may reach it."
        )

    def _post(self, body: Mapping[str, object]) -> str:
        """How the attempt failed; empty where it did not."""
        import httpx2  # noqa: PLC0415  a tenth of a second, which only those pay who have something to tell

        try:
            with (
                httpx2.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client,
                client.stream("POST", self._url, json=body) as answer,  # whatever it says is not read
            ):
                return "" if answer.is_success else f"answered {answer.status_code}"
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return f"could not be asked ({type(error).__name__})"


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # an address that cannot be asked says so when it is
        return None
