"""Hotjar: what can be asked without writing to the person, and what follows for everything else.

    system   what the erasure engine calls
    └── calls   the token, surveys and their answers, the deletion of hits

The policy says that Hotjar is sent no identifier. The vendor offers one look-up of a person, and it e-mails a report to
that person: it is never called. What is left to ask are the answers to surveys, the only place through which Hotjar
learns of an address by itself (it ties recordings to a person who typed an address into a survey and agreed).

So the outcomes are: nobody in the answers, and nothing was held by an identifier; or somebody is, and then Hotjar has
the identifier already. Only then is its deletion of hits asked for, for exactly what it has shown to hold: an address
that it does not know would be told to it by the very call that is to make it forget. That call has no read-back and
takes no answers away, which a person deletes. Recordings without an identifier are nobody's to find; they end 365 days
after they were made.

This file is what the registry loads for the card, and stays light.
"""

from __future__ import annotations

from datetime import timedelta

from include.connection import Connection
from include.policy.persons import IdentifierKind
from include.systems.erasing import ErasingCard, ErasingSystem, ErasureProof, Means

KEY = "hotjar"
HORIZON = timedelta(days=30)
"""The vendor's longest time from a deletion to its end."""

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL, IdentifierKind.USER_ID}),
    proof=ErasureProof.BY_HAND,
    batch_size=1000,
    horizon=HORIZON,
    horizon_note=(
        "What is deleted is gone within 30 days. Answers to surveys stay until a person deletes them; recordings and "
        "heatmaps end 365 days after they were made, attributes of users 365 days after the last visit. Nobody can be "
        "looked for in recordings without an e-mail to that person. Source: how long does Hotjar keep my data."
    ),
    documentation=(
        "https://help.hotjar.com/hc/en-us/articles/36820005914001-Hotjar-API-Reference",
        "https://help.hotjar.com/hc/en-us/articles/360001749014-Understanding-the-User-Lookup-Tool",
        "https://help.hotjar.com/hc/en-us/articles/115011640427-How-long-does-Hotjar-keep-my-data-",
    ),
    instructions=(
        "In Hotjar: Surveys, open the survey, view responses, search for the person's addresses, delete each response. "
        "Do not use User Lookup in the settings to look: it e-mails the person. Write down how many, and attach the "
        "proof here."
    ),
    scopes=("an API key of the organization (it has all rights)", "plan Ask Scale for the export of survey responses"),
)


def connect_erasing(connection: Connection, means: Means) -> ErasingSystem:
    """Build the client of an organization; no call is made.

    ``login`` and ``password`` are client id and client secret of an API key. ``extra``:

    - ``sites``: a list of ids of sites whose surveys are read. Required unless ``survey_export`` is false.
    - ``survey_export``: whether the plan lets surveys be read; true if left out. If not, nothing can be looked at, and
      each person is looked for by hand.
    - ``organization_id``: of the deletion of hits. Without it none is asked for.
    - ``key_expires_on``: the day on which the key ends, as ``"2027-03-01"``, for a warning: a year after it was made.
    - ``calls_per_second``: 50 if left out.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.hotjar.system import connect

    return connect(connection, means)
