"""Multipart bodies: ``multipart/related`` uploads and ``multipart/mixed`` batches.

Sources: https://cloud.google.com/storage/docs/uploading-objects#uploading-an-object, …/docs/batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlsplit

from include.sandbox.google import Answer, Call, Trouble, split_query

MAX_CALLS = 100
"""Calls in one batch request (https://cloud.google.com/storage/docs/batch)."""
_BOUNDARY = "batch_of_the_sandbox"


def parts(content_type: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Headers (lower case) and content of each part.

    Raises:
        Trouble: 400, no boundary or no parts.
    """
    found = [field.strip() for field in content_type.split(";")[1:]]
    boundary = next((f.split("=", 1)[1].strip("\"'") for f in found if f.lower().startswith("boundary=")), "")
    if not boundary:
        raise Trouble(400, "badContent", "Missing boundary in multipart body.")
    pieces = (b"\n" + body).split(b"\n--" + boundary.encode())
    result = [_split(piece.partition(b"\n")[2]) for piece in pieces[1:] if not piece.startswith(b"--")]
    if not result:
        raise Trouble(400, "badContent", "Failed to parse the multipart body.")
    return result


def batch(call: Call, handle: Callable[[Call], Answer]) -> Answer:
    """Answer each part by ``handle``, in the order of the parts, inside one 200.

    Raises:
        Trouble: 400, the body is not a batch or has more than 100 calls.
    """
    found = parts(call.headers.get("content-type", ""), call.body)
    if len(found) > MAX_CALLS:
        raise Trouble(400, "badRequest", f"The batch request has more than {MAX_CALLS} calls.")
    lines: list[bytes] = []
    for number, (headers, content) in enumerate(found):
        if headers.get("content-type", "") != "application/http":
            raise Trouble(400, "badContent", "Each part of a batch must be application/http.")
        failing = call.partial and number % 2 == 1
        answer = Trouble(503, "backendError", "Backend Error").answer if failing else handle(_inner(call, content))
        content_id = headers.get("content-id", f"<{number}>").replace("<", "<response-")
        lines += [f"--{_BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: {content_id}\r\n".encode()]
        lines += [_message(answer)]
    body = b"\r\n".join(lines) + f"\r\n--{_BOUNDARY}--\r\n".encode()
    return Answer(200, body, {"content-type": f"multipart/mixed; boundary={_BOUNDARY}"})


def _inner(call: Call, content: bytes) -> Call:
    head, body = _split(content.partition(b"\n")[2])
    try:
        method, target, _ = content.partition(b"\n")[0].decode("ascii").strip().split(" ")
    except ValueError:
        raise Trouble(400, "badContent", "Failed to parse the request line of a part.") from None
    url = urlsplit(target)
    path = url.path.removeprefix(urlsplit(call.base).path)
    return replace(call, method=method, path=path, query=split_query(url.query), headers=head, body=body, partial=False)


def _split(raw: bytes) -> tuple[dict[str, str], bytes]:
    """Header lines up to the empty line, and what follows."""
    headers: dict[str, str] = {}
    while raw:
        line, _, raw = raw.partition(b"\n")
        text = line.strip().decode("latin-1")
        if not text:
            break
        name, _, value = text.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers, raw.removesuffix(b"\r")


def _message(answer: Answer) -> bytes:
    headers: Mapping[str, str] = {
        "Content-Type": answer.content_type,
        "Content-Length": str(len(answer.content)),
        **{name.title(): value for name, value in answer.headers.items() if name != "content-type"},
    }
    status = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
    return (status + "".join(f"{n}: {v}\r\n" for n, v in headers.items()) + "\r\n").encode() + answer.content
