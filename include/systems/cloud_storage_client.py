"""The official client of Cloud Storage, as far as it has to be tamed: its batches and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from include.errors import Unavailable
from include.systems.google import failure, no_answer

if TYPE_CHECKING:
    from google.cloud.storage import Client  # type: ignore[import-untyped]

_SYSTEM = "cloud_storage"


def checked_batch(client: Client) -> Any:
    """The client's batch, keeping the status of every part: by itself it raises for the first failed one only."""
    from google.cloud.storage.batch import Batch  # type: ignore[import-untyped]

    class CheckedBatch(Batch):  # type: ignore[misc]
        statuses: list[int]

        def finish(self, raise_exception: bool = False) -> Any:
            answers = super().finish(raise_exception=False)
            self.statuses = [answer.status_code for answer in answers]
            return answers

    return CheckedBatch(client, raise_exception=False)


@contextmanager
def errors(tried: str) -> Iterator[None]:
    """Errors of the client as errors of the product, without its messages: they hold URLs and bodies."""
    from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    with no_answer(_SYSTEM, tried):
        try:
            yield
        except GoogleAPICallError as error:
            headers = getattr(error.response, "headers", {})
            raise failure(_SYSTEM, tried, int(error.code or 500), headers.get("Retry-After")) from None
        except GoogleAPIError:
            raise Unavailable(_SYSTEM, tried, "Run it again; it did not answer well within a minute.") from None
        except GoogleAuthError:
            raise
        except ValueError:
            raise Unavailable(_SYSTEM, tried, "Run it again; the answer was not complete.") from None
