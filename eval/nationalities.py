"""Countries and their adjectives: "Irish" answers "Ireland" where a nationality was asked for."""

from __future__ import annotations

import re

_ADJECTIVES = """
afghanistan: afghan | albania: albanian | algeria: algerian | argentina: argentine, argentinian
armenia: armenian | australia: australian | austria: austrian | austria hungary: austro hungarian
azerbaijan: azerbaijani | bangladesh: bangladeshi | belarus: belarusian | belgium: belgian
bolivia: bolivian | bosnia and herzegovina: bosnian | brazil: brazilian | bulgaria: bulgarian
cameroon: cameroonian | canada: canadian | chile: chilean | colombia: colombian
costa rica: costa rican | croatia: croatian | cuba: cuban | cyprus: cypriot
czech republic: czech, czechia | denmark: danish | ecuador: ecuadorian | egypt: egyptian
england: english | estonia: estonian | ethiopia: ethiopian | finland: finnish | france: french
georgia: georgian | germany: german | ghana: ghanaian | greece: greek | hungary: hungarian
iceland: icelandic | india: indian | indonesia: indonesian | iran: iranian | iraq: iraqi
ireland: irish | israel: israeli | italy: italian | jamaica: jamaican | japan: japanese
jordan: jordanian | kazakhstan: kazakh, kazakhstani | kenya: kenyan | latvia: latvian
lebanon: lebanese | lithuania: lithuanian | luxembourg: luxembourgish | malaysia: malaysian
malta: maltese | mexico: mexican | mongolia: mongolian | morocco: moroccan | nepal: nepalese, nepali
netherlands: dutch | new zealand: new zealander | nigeria: nigerian | norway: norwegian
pakistan: pakistani | paraguay: paraguayan | peru: peruvian | philippines: filipino, philippine
poland: polish | portugal: portuguese | prussia: prussian | romania: romanian | russia: russian
saudi arabia: saudi, saudi arabian | scotland: scottish | senegal: senegalese | serbia: serbian
singapore: singaporean | slovakia: slovak, slovakian | slovenia: slovenian, slovene
south africa: south african | south korea: south korean, korean | soviet union: soviet, ussr
spain: spanish | sri lanka: sri lankan | sweden: swedish | switzerland: swiss | syria: syrian
taiwan: taiwanese | tanzania: tanzanian | thailand: thai | tunisia: tunisian | turkey: turkish
uganda: ugandan | ukraine: ukrainian | united kingdom: british, uk, great britain
united states of america: american, us, usa, united states | uruguay: uruguayan
venezuela: venezuelan | vietnam: vietnamese | wales: welsh | zambia: zambian | zimbabwe: zimbabwean
"""

_COUNTRY = {
    adjective.strip(): country.strip()
    for entry in re.split(r"[|\n]", _ADJECTIVES)
    if entry.strip()
    for country, _, adjectives in [entry.partition(":")]
    for adjective in adjectives.split(",")
}


def as_country(text: str) -> str:
    """The country of a nationality, both lower case and without punctuation; else the text."""
    return _COUNTRY.get(text, text)
