"""Language tags for browsers and screen readers: BCP 47 wants the shortest code of a language."""

import re

# ISO 639-3 code, then its ISO 639-1 code. A language without a two-letter code keeps its own.
_PAIRS = """
aar aa  afr af  aka ak  amh am  ara ar  arg an  asm as  ava av  aym ay  aze az  bak ba  bam bm
bel be  ben bn  bis bi  bod bo  bos bs  bre br  bul bg  cat ca  ces cs  cha ch  che ce  chv cv
cor kw  cos co  cre cr  cym cy  dan da  deu de  div dv  dzo dz  ell el  eng en  epo eo  est et
eus eu  ewe ee  fao fo  fas fa  fij fj  fin fi  fra fr  fry fy  ful ff  gla gd  gle ga  glg gl
glv gv  grn gn  guj gu  hat ht  hau ha  heb he  her hz  hin hi  hmo ho  hrv hr  hun hu  hye hy
ibo ig  iii ii  iku iu  ind id  ipk ik  isl is  ita it  jav jv  jpn ja  kal kl  kan kn  kas ks
kat ka  kau kr  kaz kk  khm km  kik ki  kin rw  kir ky  kom kv  kon kg  kor ko  kua kj  kur ku
lao lo  lav lv  lim li  lin ln  lit lt  ltz lb  lub lu  lug lg  mah mh  mal ml  mar mr  mkd mk
mlg mg  mlt mt  mon mn  mri mi  msa ms  mya my  nau na  nav nv  nbl nr  nde nd  ndo ng  nep ne
nld nl  nno nn  nob nb  nor no  nya ny  oci oc  oji oj  ori or  orm om  oss os  pan pa  pol pl
por pt  pus ps  que qu  roh rm  ron ro  run rn  rus ru  sag sg  san sa  sin si  slk sk  slv sl
sme se  smo sm  sna sn  snd sd  som so  sot st  spa es  sqi sq  srd sc  srp sr  ssw ss  sun su
swa sw  swe sv  tah ty  tam ta  tat tt  tel te  tgk tg  tgl tl  tha th  tir ti  ton to  tsn tn
tso ts  tuk tk  tur tr  twi tw  uig ug  ukr uk  urd ur  uzb uz  ven ve  vie vi  wln wa  wol wo
xho xh  yid yi  yor yo  zha za  zho zh  zul zu
"""
_SHORT = dict(zip(_PAIRS.split()[::2], _PAIRS.split()[1::2], strict=True))


def language_tag(flores_code: str) -> str:
    """uig_Arab becomes ug-Arab, arz_Arab stays arz-Arab; "" for what is no code."""
    tag = flores_code.replace("_", "-")
    if not re.fullmatch("[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", tag):
        return ""
    language, dash, rest = tag.partition("-")
    return _SHORT.get(language, language) + dash + rest
