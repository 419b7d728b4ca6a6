"""Matches labels of an identifier to languages: ISO 639-3 codes and the older ones."""

_LABELS = """
aa:aar, ab:abk, af:afr, ak:aka twi fat, am:amh, ar:ara arb, as:asm, ay:aym ayr, az:aze azj,
ba:bak, be:bel, bg:bul, bh:bih bho mai mag, bi:bis, bn:ben, bo:bod, br:bre, bs:bos, ca:cat,
ceb:ceb, chr:chr, co:cos, crs:crs, cs:ces, cy:cym, da:dan, de:deu, dv:div, dz:dzo, el:ell,
en:eng, eo:epo, es:spa, et:est ekk, eu:eus, fa:fas pes prs, fi:fin, fj:fij, fo:fao, fr:fra,
fy:fry, ga:gle, gd:gla, gl:glg, gn:grn gug, gu:guj, gv:glv, ha:hau, haw:haw, hi:hin, hmn:hmn
mww, hr:hrv, ht:hat, hu:hun, hy:hye, ia:ina, id:ind, ie:ile, ig:ibo, ik:ipk, is:isl, it:ita,
iu:iku, iw:heb, ja:jpn, jw:jav, ka:kat, kha:kha, kk:kaz, kl:kal, km:khm, kn:kan, ko:kor, ks:kas,
ku:kur kmr ckb, ky:kir, la:lat, lb:ltz, lg:lug, lif:lif, ln:lin, lo:lao, lt:lit, lv:lav lvs,
mfe:mfe, mg:mlg plt, mi:mri, mk:mkd, ml:mal, mn:mon khk, mr:mar, ms:msa zsm, mt:mlt, my:mya,
na:nau, ne:nep npi, nl:nld, nn:nno, no:nor nob, nr:nbl, nso:nso, ny:nya, oc:oci, om:orm gaz,
or:ori ory, pa:pan, pl:pol, ps:pus pbt, pt:por, qu:que quy quz, rm:roh, rn:run, ro:ron, ru:rus,
rw:kin, sa:san, sco:sco, sd:snd, sg:sag, si:sin, sk:slk, sl:slv, sm:smo, sn:sna, so:som, sq:sqi
als, sr:srp, ss:ssw, st:sot, su:sun, sv:swe, sw:swa swh, syr:syr aii, ta:tam, te:tel, tg:tgk,
th:tha, ti:tir, tk:tuk, tl:tgl fil, tn:tsn, to:ton, tr:tur, ts:tso, tt:tat, ug:uig, uk:ukr,
ur:urd, uz:uzb uzn, ve:ven, vi:vie, vo:vol, war:war, wo:wol, xh:xho, yi:yid ydd, yo:yor, za:zha,
zh:zho, zh-Hant:zho, zu:zul
"""
# CLD2's label -> the ISO 639-3 codes of the languages that it stands for. Where it names a
# macrolanguage, only the standard variety is listed here and the others in `VARIETIES`.
CLD2: dict[str, tuple[str, ...]] = {
    label.strip(): tuple(codes.split())
    for label, _, codes in (entry.partition(":") for entry in _LABELS.split(","))
}

# Varieties whose texts an identifier can only give the label of the whole: seeing the label does
# not show that it is this variety. ISO 639-3 of the variety -> of the whole.
VARIETIES: dict[str, str] = {
    **dict.fromkeys(("acm", "acq", "aeb", "ajp", "apc", "apd", "ars", "ary", "arz", "ayl"), "ara"),
    "azb": "aze",
}

# Languages whose texts CLD2 often calls by a neighbour's name, so that the name does not show that
# a text is in another language: codes as `find_whole_code` gives them. Of 701 FLORES sentences each
# (SIB-200's training set, 205 languages; `scripts/bench identify`), so many percent were called so:
# Magahi 72, Rundi 57, Bosnian 53, Croatian 31, Kashmiri 22 to 32, Bhojpuri 21, Maithili 19, Malay
# 12, Indonesian, Northern Sotho 8, Waray 7, Macedonian, Sango 6, Bokmal, Xhosa, Swati 4, Nynorsk 3;
# all others at most 2.
CLD2_NEIGHBOURS: dict[str, tuple[str, ...]] = {
    "bih": ("hin",),
    "bos": ("hrv", "srp"),
    "hrv": ("bos", "srp"),
    "ind": ("msa",),
    "kas": ("bih", "hin", "urd"),
    "mkd": ("srp",),
    "msa": ("ind",),
    "nno": ("nor",),
    "nor": ("nno",),
    "nso": ("tsn",),
    "run": ("kin",),
    "sag": ("yor",),
    "ssw": ("zul",),
    "war": ("ceb",),
    "xho": ("zul",),
}

# Scripts in which one language is written, all but always: there the script tells the language.
TELLING: dict[str, tuple[str, ...]] = {
    "Armn": ("hye",),
    "Cher": ("chr",),
    "Gujr": ("guj",),
    "Hang": ("kor",),
    "Khmr": ("khm",),
    "Knda": ("kan",),
    "Laoo": ("lao",),
    "Mlym": ("mal",),
    "Olck": ("sat",),
    "Sinh": ("sin",),
    "Telu": ("tel",),
    "Thaa": ("div",),
}

# Two-letter labels that fastText's lid.176 writes otherwise than CLD2 does.
_SHORT = {"he": "iw", "jv": "jw", "nb": "no", "fil": "tl"}

_WHOLE = {code: codes[0] for codes in CLD2.values() for code in codes}


def find_whole_code(code: str) -> str:
    """Returns the first ISO 639-3 code of what counts as one language here: `swa` for `swh`."""
    return VARIETIES.get(code, _WHOLE.get(code, code))


def take_iso_code(label: str) -> str:
    """Returns the language part of a label: `swh` of `__label__swh_Latn`."""
    return label.removeprefix("__label__").partition("_")[0]


def from_label(label: str) -> str | None:
    """Returns the language of an identifier's label (`sw`, `swa`, `swh_Latn`,
    `__label__swh_Latn`)."""
    code = label.removeprefix("__label__").replace("-", "_")
    if code in ("un", "und", "zxx"):
        return None
    short = label if label in CLD2 else code.partition("_")[0]
    short = _SHORT.get(short, short)
    return CLD2[short][0] if short in CLD2 else find_whole_code(short)
