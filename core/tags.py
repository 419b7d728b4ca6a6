"""Makes the shortest BCP 47 tag of a language's code, as browsers and screen readers want it.

For languages that the registry (`core.languages`) lacks; those in it state their tags. The tables
are of IANA's registry of subtags, and of CLDR's likely subtags and macrolanguages.
"""

import re

# ISO 639-3 code, then its ISO 639-1 code. A language without a two-letter code keeps its own.
_SHORT = """
aar aa  abk ab  afr af  aka ak  amh am  ara ar  arg an  asm as  ava av  aym ay  aze az  bak ba
bam bm  bel be  ben bn  bis bi  bod bo  bos bs  bre br  bul bg  cat ca  ces cs  cha ch  che ce
chv cv  cor kw  cos co  cre cr  cym cy  dan da  deu de  div dv  dzo dz  ell el  eng en  epo eo
est et  eus eu  ewe ee  fao fo  fas fa  fij fj  fin fi  fra fr  fry fy  ful ff  gla gd  gle ga
glg gl  glv gv  grn gn  guj gu  hat ht  hau ha  heb he  her hz  hin hi  hmo ho  hrv hr  hun hu
hye hy  ibo ig  iii ii  iku iu  ind id  ipk ik  isl is  ita it  jav jv  jpn ja  kal kl  kan kn
kas ks  kat ka  kau kr  kaz kk  khm km  kik ki  kin rw  kir ky  kom kv  kon kg  kor ko  kua kj
kur ku  lao lo  lat la  lav lv  lim li  lin ln  lit lt  ltz lb  lub lu  lug lg  mah mh  mal ml
mar mr  mkd mk  mlg mg  mlt mt  mon mn  mri mi  msa ms  mya my  nau na  nav nv  nbl nr  nde nd
ndo ng  nep ne  nld nl  nno nn  nob nb  nor no  nya ny  oci oc  oji oj  ori or  orm om  oss os
pan pa  pol pl  por pt  pus ps  que qu  roh rm  ron ro  run rn  rus ru  sag sg  san sa  sin si
slk sk  slv sl  sme se  smo sm  sna sn  snd sd  som so  sot st  spa es  sqi sq  srd sc  srp sr
ssw ss  sun su  swa sw  swe sv  tah ty  tam ta  tat tt  tel te  tgk tg  tgl tl  tha th  tir ti
ton to  tsn tn  tso ts  tuk tk  tur tr  twi tw  uig ug  ukr uk  urd ur  uzb uz  ven ve  vie vi
wln wa  wol wo  xho xh  yid yi  yor yo  zha za  zho zh  zul zu
"""
# A variety, then the macrolanguage whose usual form it is (CLDR; pbt: both forms of Pashto are
# written in one way). Other varieties keep their own codes, such as arz and ckb.
_WHOLE = """
als sq  arb ar  ayr ay  azj az  cmn zh  cwd cr  ekk et  esk ik  fat ak  fuc ff  gaz om  gug gn
ike iu  khk mn  kmr ku  knc kr  kng kg  kpv kv  lvs lv  npi ne  ojg oj  ory or  pbt ps  pbu ps
pes fa  plt mg  quz qu  src sc  swh sw  uzn uz  ydd yi  zsm ms  zyb za
"""
# The script that a language is written in unless a tag says otherwise: with it a tag names none.
_SCRIPTS = """
Arab: ar fa ks ps sd ug ur
Armn: hy
Beng: as bn
Cans: cr iu
Cyrl: ab av ba be bg ce cv kk kv ky mk mn os ru sr tg tt uk
Deva: hi mr ne sa
Ethi: am ti
Geor: ka
Grek: el
Gujr: gu
Guru: pa
Hans: zh
Hebr: he yi
Jpan: ja
Khmr: km
Knda: kn
Kore: ko
Laoo: lo
Latn: aa af ak an ay az bi bm br bs ca ch co cs cy da de ee en eo es et eu ff fi fj fo fr
Latn: fy ga gd gl gn gv ha ho hr ht hu hz id ig ik is it jv kg ki kj kl kr ku kw la lb lg
Latn: li ln lt lu lv mg mh mi ms mt na nb nd ng nl nn no nr nv ny oc om pl pt qu rm rn ro
Latn: rw sc se sg sk sl sm sn so sq ss st su sv sw tk tl tn to tr ts ty uz ve vi wa wo xh
Latn: yo za zu
Mlym: ml
Mymr: my
Orya: or
Sinh: si
Taml: ta
Telu: te
Thaa: dv
Thai: th
Tibt: bo dz
Yiii: ii
"""


def _split_pairs(table: str) -> dict[str, str]:
    words = table.split()
    return dict(zip(words[::2], words[1::2], strict=True))


_SUBTAG = {**_split_pairs(_SHORT), **_split_pairs(_WHOLE)}
_DEFAULT_SCRIPT = {
    language: script
    for script, _, languages in (line.partition(": ") for line in _SCRIPTS.strip().split("\n"))
    for language in languages.split()
}


def make_tag(code: str) -> str:
    """Returns the tag of a code as FLORES and ISO 639-3 write it: yor_Latn becomes yo, zho_Hant
    zh-Hant.

    "" for what is no such code. A part behind the script, which is a dialect's glottocode
    (oci_Latn_aran1260), has no place in a tag.
    """
    found = re.fullmatch(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_][A-Za-z0-9]+)*", code)
    if not found:
        return ""
    language, script = found[1].lower(), (found[2] or "").title()
    language = _SUBTAG.get(language, language)
    if not script or script == _DEFAULT_SCRIPT.get(language):
        return language
    return f"{language}-{script}"
