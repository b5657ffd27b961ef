"""Every request and every answer of the twin against what Google's pages say; there is no description by machine.

https://developers.google.com/looker-studio/integrate/api/reference/assets/search
https://developers.google.com/looker-studio/integrate/api/reference/types
"""

import json
import re

from include.policy.persons import IdentifierKind
from include.sandbox.looker_studio import Asset, LookerStudioSandbox
from tests.systems.twins import NOW, Somebody, claim, connected, twin, whole_way

PARAMETERS = {
    "assetTypes": r"REPORT|DATA_SOURCE",
    "includeTrashed": r"true|false",
    "pageSize": r"[1-9]\d{0,3}",
    "pageToken": r".+",
}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
MEMBERS = {
    "name": r".+",
    "title": r".+",
    "assetType": r"REPORT|DATA_SOURCE",
    "owner": r"[^@]+@[^@]+",
    "createTime": TIME,
    "updateTime": TIME,
    "updateByMeTime": TIME,
    "lastViewByMeTime": TIME,
}


def test_calls_and_answers_are_those_of_the_reference():
    said = []

    class Watched(LookerStudioSandbox):
        def handle(self, call):
            said.append((call, answer := super().handle(call)))
            return answer

    with twin("looker_studio", Watched) as server, connected(server) as system:
        server.twin.settings.most = 2
        kinds = ("REPORT", "DATA_SOURCE")
        server.twin.seed(Asset(f"a{n}", kinds[n % 2], "T", "ann@x.example", NOW, trashed=n > 7) for n in range(10))
        whole_way(system, Somebody(1, {IdentifierKind.EMAIL: ["ann@x.example"]}))
        system.check(claim("derived_from", "google_analytics"))
    assert len(said) > 10
    for call, answer in said:
        assert (call.method, call.path, call.body) == ("GET", "/v1/assets:search", b"")
        for name, value in call.query.items():
            assert re.fullmatch(PARAMETERS[name], value), name
        body = json.loads(answer.content)
        assert body.keys() <= {"assets", "nextPageToken"}
        for asset in body["assets"]:
            assert isinstance(asset.pop("trashed"), bool)
            for name, value in asset.items():
                assert re.fullmatch(MEMBERS[name], value), name
