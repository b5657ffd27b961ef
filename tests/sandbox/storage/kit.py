"""What a test asks the sandbox's Cloud Storage."""

import requests


def names(client, **which):
    return [(blob.name, blob.generation) for blob in client.list_blobs("files", **which)]


def call(twin, method, path, **content):
    answer = requests.request(method, f"{twin.url}{path}", timeout=5, **content)
    return answer.status_code, answer.json() if answer.content else None


def reason(answer):
    return answer[1]["error"]["errors"][0]["reason"]
