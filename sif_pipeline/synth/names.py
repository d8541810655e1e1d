# ruff: noqa: RUF001 -- names have the letters they have
"""The words the synthetic state is made of: invented people, invented towns, invented schools.

Given and family names are drawn independently from short lists of many origins and scripts; towns are made of
syllables. Nobody here is a person. Every word is escaped for XML once, when this module is imported.
"""

from html import escape


def _words(text: str) -> tuple[str, ...]:
    return tuple(escape(word.strip(), quote=False) for word in text.split(",") if word.strip())


GIVEN_NAMES = _words(
    "Ana, Amelia, Aoife, Amara, Anh, Aylin, Björn, Beatriz, Bích, Chidi, Chloë, Céline, Dae-Jung, "
    "Darius, Dmytro, Élodie, Emeka, Eszter, Fatima, Fiadh, François, Gabriela, Giang, Grace, Hana, "
    "Hélder, Hiroshi, Ibrahim, Imani, İpek, Isla, Ivana, Jamal, Jean-Baptiste, Joana, José, Kaiya, "
    "Keisha, Khadija, Łukasz, Leilani, Liam, Lucía, Mateo, Malia, Mei, Minh, Mykola, Nadia, Ngọc, "
    "Niamh, Noah, Nuno, Odalys, Oluwaseun, Olive, Øyvind, Pádraig, Paloma, Phirun, Priya, Quentin, "
    "Rania, Raúl, Rosário, Ruth, Săndel, Seán, Sofia, Soledad, Sophea, Stéphanie, Tadeusz, Tala, "
    "Tenzin, Thandiwe, Tomás, Uma, Ursula, Valentín, Vesna, Wanjiru, William, Xiomara, Ximena, Yara, "
    "Yến, Yusuf, Zainab, Zdeněk, Zoë, Μελίνα, Олена, Արամ, ליאור, ليلى, अनिका, សុភា, 美玲, 지우, さくら"
)

FAMILY_NAMES = _words(
    "Abara, Ackerly, Adeyemi, Aguirre, Almeida, Alvarado, Andrade, Antoine, Appiah, Bağış, Baptista, "
    "Barros, Bauer, Beaulieu, Benoît, Bianchi, Boateng, Bùi, Castellanos, Chanthavong, Chhun, "
    "Chowdhury, Cifuentes, Corrêa, Croft, D'Amaro, Đặng, Delacroix-Hayes, Demir, Desrosiers, Dhillon, "
    "Dlamini, Dvořák, Eklund, Espaillat, Etxeberria, Fagundes, Farrow, Fernandes, Fitzmaurice, "
    "Fontánez, Fořtová, Gbeho, Georgiou, Gonçalves, Grünwald, Guðmundsdóttir, Hailu, Haverley, "
    "Hernández, Hoàng, Holloway, Hřebíček, Ibáñez, Iglesias-Roy, Imamović, Ishikawa, Jablonski, "
    "Jean-Louis, Jørgensen, Joubert, Kamau, Karapetyan, Kassab, Keovongsa, Kępiński, Kowalczuk, "
    "Kuznetsova, Lachance, Lam, Laurindo, Levesque, Lindqvist, Lo Presti, Lý, MacAuliffe, Magalhães, "
    "Maldonado, Marchetti, McNamee, Mendes, Mbeki-Stone, Moniz, Mulugeta, Nakagawa, Ndiaye, Nguyễn, "
    "Nowicki, Núñez, O'Dowd, Ó Súilleabháin, Obuya, Ocampo, Okonjo, Oyelaran, Öztürk, Pacheco, "
    "Papadakis, Pereira-Lund, Phạm, Pillai, Pimentel, Quach, Quiñones, Rahimi, Raposo, Restrepo, "
    "Rivard, Rosenfeld, Rousseau, Sanghera, Santiago, Sári, Schäfer, Semedo, Shrestha, Silveira, "
    "Sokolova, St. Aubin, Stănescu, Świątek, Tavares, Teixeira, Thibodeau, Thorvald, Tran, Üçel, "
    "Ugarte, Uwimana, Valcourt, Varga, Vásquez, Vũ, Wakefield, Wang, Weiss-Amador, Whitcombe, Xiong, "
    "Yıldız, Yamada, Ylönen, Zamora, Zielińska, Žukauskas, Παπαδάκης, Шевченко, Պետրոսյան, כהן, حداد, "
    "पटेल, កែវ, 陳, 김, 田中"
)

MIDDLE_NAMES = _words(
    "NMN, A, Alba, B, Dinis, E, Grey, Inês, J, K, L, Lee, M, Maë, Noor, P, R, Río, S, Thi, V, Wren, Z"
)
"""Middle names; NMN says there is none, as the state's own layouts ask."""

STREETS = _words(
    "Heron Way, Larch Lane, Quarry Path, Teasel Street, Old Mill Walk, Plover Court, Rope & Anchor Row, "
    "Sedge Avenue, Tollgate Road, Vesper Street, Wren Hill, Yarrow Terrace, Lantern Close, Saltmarsh "
    "Drive, Cooper's Yard"
)

BIRTH_COUNTRIES = ("DO", "BR", "HT", "CV", "VN", "CN", "GT", "SV", "UA", "IN", "KH", "SO")

_FIRST = _words(
    "Alder, Bittern, Bramble, Cinder, Curlew, Dunlin, Ember, Fallow, Gannet, Harrow, Heron, Juniper, "
    "Kestrel, Larch, Linnet, Marten, Mica, Nettle, Osprey, Otter, Plover, Quarry, Quill, Sable, Sedge, "
    "Sorrel, Tamarack, Teasel, Thistle, Umber, Vesper, Vetch, Wicker, Willet, Wren, Yarrow, Yew, "
    "Zephyr, Tansy, Sorghum"
)
_SECOND = _words(
    "brook, bury, by, cliff, combe, crest, dale, fen, field, ford, gate, ham, haven, holm, ley, marsh, "
    "mere, moor, port, ridge, shore, stead, vale, wick, worth"
)
TOWNS = tuple(_FIRST[n % len(_FIRST)] + _SECOND[(n * 7 + n // len(_FIRST)) % len(_SECOND)] for n in range(999))
"""999 different invented towns, one for each district there can be."""

SCHOOL_NAMES = _words(
    "Arrowwood, Beacon Rock, Cedar & Stone, Clearwater, Copper Beech, Drumlin, Eastlight, Fernbank, "
    "Foxglove, Granite Steps, Harbor Bell, Hickory Bend, Iron Bridge, Kettle Pond, Lantern Hill, "
    "Lowland, Maple Hollow, Northlight, Old Orchard, Pebble Run, Pine Barrens, Quiet Water, Ravenwood, "
    "Salt Meadow, Sandglass, Stonecutter, Sugarbush, Three Rivers, Tidewater, Upland, Weathervane, "
    "Whitewillow, Windrow, Winterberry"
)
