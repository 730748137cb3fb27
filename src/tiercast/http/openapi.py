"""What the service says of itself at ``/openapi.json``, completed by what stands before every route."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI

from tiercast.http.guard import CRON, OPEN
from tiercast.http.models import Models, PromotionEntry
from tiercast.http.problems import ProblemDocument
from tiercast.http.runs import RunDocument
from tiercast.http.score import ScoreAnswer
from tiercast.http.shapes import PredictAnswer, Prediction, problems
from tiercast.http.videos import IngestAnswer

API_KEY: Final = {"type": "http", "scheme": "bearer", "description": "From `tiercast keys add NAME`; none on loopback"}
ANYWHERE: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
)
"""Problems that come before any route, or from none."""
WITH_NULLS: Final = (PredictAnswer, Prediction, ScoreAnswer, IngestAnswer, PromotionEntry, Models, RunDocument)
"""Their examples hold nulls, which the framework leaves out, and are no answers then."""


class Described(FastAPI):
    """The application, whose OpenAPI document also tells of keys and of the problems that any route may answer."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            components = document["components"]
            components["schemas"]["ProblemDocument"] = ProblemDocument.model_json_schema()
            components["securitySchemes"]["api_key"] = API_KEY
            for model in WITH_NULLS:
                components["schemas"][model.__name__]["examples"] = model.model_json_schema()["examples"]
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _complete(path, operation)
        return super().openapi()


def _complete(path: str, operation: dict[str, Any]) -> None:
    if path not in CRON:
        operation["security"] = [] if path in OPEN else [{"api_key": []}]
    for status, told in problems(*ANYWHERE).items():
        operation["responses"].setdefault(str(int(status)), told)
