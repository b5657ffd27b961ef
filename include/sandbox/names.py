"""Names of invented people and companies in many scripts, each with the ASCII form its e-mail address uses."""

from __future__ import annotations

from random import Random


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """``"Zoë=zoe, José=jose"`` as pairs."""
    entries = (entry.strip().partition("=") for entry in text.split(","))
    return tuple((name, plain) for name, _, plain in entries)


_GIVEN = _pairs(
    "Anna=anna, José=jose, Zoë=zoe, Søren=soren, Łukasz=lukasz, Chloé=chloe, Björn=bjorn, Ağa=aga, Nguyệt=nguyet,"
    "Mária=maria, Siân=sian, Oisín=oisin, Đorđe=dorde, Ingrid=ingrid, Ngozi=ngozi, Tāne=tane, Renée=renee, Íñigo=inigo"
)
_FAMILY = _pairs(
    "Müller=mueller, O'Brien=obrien, Núñez=nunez, Kowalczyk=kowalczyk, Åkesson=akesson, Nguyễn=nguyen, Çelik=celik,"
    "D'Angelo=dangelo, Đukić=dukic, Smith-Jones=smithjones, Okonkwo=okonkwo, Van der Berg=vanderberg, Žižek=zizek,"
    "Þórsdóttir=thorsdottir, Lefèvre=lefevre, Weiß=weiss, Ó Súilleabháin=osuilleabhain, García=garcia"
)
_OTHER = _pairs(
    "Иван Петров=ivan.petrov, Ελένη Παππά=eleni.pappa, דנה לוי=dana.levi, يوسف حداد=yousef.haddad, 王芳=fang.wang,"
    "佐藤 健=ken.sato, 김민준=minjun.kim, प्रिया शर्मा=priya.sharma, สมชาย ใจดี=somchai.jaidee,"
    "Նարե Սարգսյան=nare.sargsyan, ნინო ბერიძე=nino.beridze"
)
_COMPANIES = (
    "Blauwal Logistik",
    "Pico Bakery",
    "Øresund Robotics",
    "Kiwi & Fern",
    "Città Verde",
    "Nordlicht Energie",
    "Três Rios",
    "Maple Row Studio",
    "青空デザイン",
    "Zielona Góra Data",
    "Aurora Clinics",
    "Café Münster",
    "Tierra Alta",
    "Sable Notary",
)
_ENDINGS = ("GmbH", "Ltd", "S.A.", "AB", "KK", "LLC", "Sp. z o.o.", "BV")


def person(rng: Random) -> tuple[str, str]:
    """A display name, and the local part of an address that goes with it."""
    if rng.random() < 0.12:
        name, local = rng.choice(_OTHER)
    else:
        (given, first), (family, last) = rng.choice(_GIVEN), rng.choice(_FAMILY)
        name, local = f"{given} {family}", f"{first}.{last}"
    return name, f"{local}{rng.randrange(10_000)}"


def company(rng: Random) -> str:
    """A company name."""
    return f"{rng.choice(_COMPANIES)} {rng.choice(_ENDINGS)}"
