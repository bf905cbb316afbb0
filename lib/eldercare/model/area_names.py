"""An area of the census by its code or its name: simplified, traditional, pinyin or English, with
province or without.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import pandas as pd

from eldercare.inputs.load import China, nation_as_city

MOST_LISTED = 20
_PEOPLES = (
    "(?:各族|[壮回藏苗侗瑶彝傣白土满羌黎水畲京佤]族|维吾尔|哈萨克|柯尔克孜|蒙古族?|朝鲜族|土家族|布依族|哈尼族|傈僳族|拉祜族"
    "|景颇族|布朗族|纳西族|仡佬族|仫佬族|毛南族|达斡尔族|鄂温克族|鄂伦春|锡伯|塔吉克|保安族|撒拉族|裕固族|东乡族|独龙族|怒族|普米族"
    "|德昂族|阿昌族|基诺族)"
)
_KIND = rf"(?:(?<!内){_PEOPLES}*自治[区州县旗]|新区|省|市|县|区|地区|盟|旗|特区|林区)$"
_ENGLISH_KINDS = re.compile(
    r"\b(?:city|county|district|prefecture|province|municipality|autonomous|region|banner|level|shi|xian|qu|sheng|of|the)\b"
)
_PINYIN_KIND = re.compile(
    r" (?:sheng|shi|xian|qu|di qu|meng|qi|zi zhi qu|zi zhi zhou|zi zhi xian|te qu|lin qu)$"
)


def find_area(china: China, text: str) -> int:
    """The code of an area, from its code or its name.

    text   : a six-digit code, or a name as people write it: 镇江, 镇江市, 鎮江, Zhenjiang, Zhenjiang City,
             with the province or prefecture before or after it (江苏镇江, "Zhenjiang, Jiangsu")
    Raises : KeyError, with the candidates, their prefecture and province if a name is not unique;
             with the nearest if there is none; with what became of it for a code that the census of
             2020 has not
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    digits = re.sub(r"\s", "", plain)
    if digits.isdecimal():
        return _of_code(china, int(digits))
    found = _found(china, plain)
    if len(found) == 1:
        return found[0]
    if not found:
        near = _near(china, plain)
        hint = f"; nearest are: {_listed(china, near)}" if near else ""
        raise KeyError(f"no area of the census of 2020 is called “{plain}”{hint}")
    raise KeyError(f"“{plain}” is not unique; write the code: {_listed(china, found)}")


def _names(china: China) -> pd.DataFrame:
    return china.areas.xs(2020, level="year")


def _of_code(china: China, code: int) -> int:
    areas = _names(china)
    if code in areas.index:
        return code
    changes = china.code_changes
    made_of = changes[changes["new_adcode"] == code]
    if len(made_of):
        name, year = made_of.iloc[0][["new_name", "year"]]
        listed = ", ".join(f"{old} {areas.at[old, 'name']}" for old in made_of["adcode"])
        raise KeyError(
            f"{code} ({name}) was formed in {year}, after the census of 2020, of {listed}: "
            f"write one of these, or the prefecture, {_parent_text(areas, code)}"
        )
    earlier = china.areas.index.isin([(code, 2010)]).any()
    if earlier:
        name = china.areas.at[(code, 2010), "name"]
        same = list(areas.index[areas["name"].map(_stem) == _stem(name)])
        now = f"; of that name there is now {_listed(china, same)}" if same else ""
        raise KeyError(
            f"{code} ({name}) is no area of the census of 2020, it was one of 2010 only{now}; "
            f"its prefecture is {_parent_text(areas, code)}"
        )
    if len(str(code)) != 6:
        raise KeyError(f"{code} has not six digits; a code of the census is like 321100")
    raise KeyError(
        f"{code} is no area of the census of 2020; its prefecture is {_parent_text(areas, code)}"
    )


def what_became(china: China, code: int) -> str:
    """What became of an area of the census of 2020 whose code was given up since; empty if it
    stands.
    """
    rows = china.code_changes[china.code_changes["adcode"] == code]
    return "; ".join(
        f"{row.note or 'all of it'} became {row.new_adcode} {row.new_name} in {row.year}"
        for row in rows.itertuples()
    )


def _parent_text(areas: pd.DataFrame, code: int) -> str:
    for parent in (code // 100 * 100, code // 10000 * 10000):
        if parent in areas.index:
            return f"{parent} {areas.at[parent, 'name']}"
    return "unknown (the first two digits are the province's)"


def _stem(name: str) -> str:
    """A name without the word for what kind of area it is: 镇江 of 镇江市; 沙 stays 沙县."""
    if name.startswith("内蒙古") and name.endswith("自治区"):
        return "内蒙古"
    short = re.sub(_KIND, "", name)
    return short if len(short) > 1 else name


def _latin(text: str) -> str:
    plain = "".join(
        sign
        for sign in unicodedata.normalize("NFD", text.lower())
        if not unicodedata.combining(sign)
    )
    plain = re.sub(r"['’`]", "", plain)
    return re.sub(r"[^a-z]", "", _ENGLISH_KINDS.sub(" ", re.sub(r"[-_,.()]", " ", plain)))


@lru_cache(maxsize=2)
def _index(china: China) -> tuple[dict[str, list[int]], dict[str, list[int]], dict[str, list[int]]]:
    """Codes by whole name, by name without its kind (with and without what lies above), and by
    latin letters.
    """
    areas, words = _names(china), china.area_names.set_index("name")
    whole: dict[str, list[int]] = {}
    short: dict[str, list[int]] = {}
    latin: dict[str, list[int]] = {}
    forms = {name: _chinese_forms(name, words) for name in words.index}
    letters = {name: _latin_forms(name, words) for name in words.index}
    for code, row in areas.iterrows():
        above = _above(areas, code, row)
        for form in forms[row["name"]][0]:
            _put(whole, form, code)
        # 镇江新区 is no second 镇江: a zone without an official code is found by its whole name only.
        zone = row["code_kind"] != "official"
        for form in {*forms[row["name"]][0], *(() if zone else forms[row["name"]][1])}:
            _put(short, form, code)
            for higher in above:
                for first in {*forms[higher][0], *forms[higher][1]}:
                    _put(short, first + form, code)
        for form in letters[row["name"]] if not zone else ():
            _put(latin, form, code)
            for higher in above:
                for other in letters[higher]:
                    _put(latin, other + form, code)
                    _put(latin, form + other, code)
    return whole, short, latin


def _put(index: dict[str, list[int]], form: str, code: int) -> None:
    codes = index.setdefault(form, [])
    if code not in codes:
        codes.append(code)


def _above(areas: pd.DataFrame, code: int, row: pd.Series) -> list[str]:
    """Names of the province and the prefecture of an area."""
    higher = [areas.at[code // 10000 * 10000, "name"]] if code // 10000 * 10000 != code else []
    prefecture = code // 100 * 100
    if row["level"] == "county" and prefecture in areas.index:
        higher.append(areas.at[prefecture, "name"])
    return [name for name in higher if name != row["name"]]


def _chinese_forms(name: str, words: pd.DataFrame) -> tuple[list[str], list[str]]:
    old = words.at[name, "traditional"] or name
    short = _stem(name)
    return list({name, old}), list({short, old[: len(short)]})


def _latin_forms(name: str, words: pd.DataFrame) -> set[str]:
    pinyin, english = words.at[name, "pinyin"], words.at[name, "english"]
    short = " ".join(pinyin.split()[: len(_stem(name))]) if _stem(name) != name else pinyin
    forms = {
        pinyin.replace(" ", ""),
        short.replace(" ", ""),
        _PINYIN_KIND.sub("", pinyin).replace(" ", ""),
    }
    return {form for form in forms if form} | ({_latin(english)} if english else set())


def _found(china: China, text: str) -> list[int]:
    """The codes that a name may mean: whole names first, then names without their kind; of a place
    twice the larger.
    """
    whole, short, latin = _index(china)
    key = re.sub(r"[\s,，、·（）()/-]", "", text)
    if re.search("[一-鿿]", key):
        turned = [part for part in re.split(r"[\s,，、()（）/]+", text) if part]
        keys = [key, "".join(reversed(turned))]
        for index in (whole, short):
            for one in keys:
                if index.get(one):
                    return _one_of_same(china, index[one])
        return []
    joined = re.sub(r"[^a-z]", "", text.lower())
    codes = _one_of_same(china, latin.get(joined) or latin.get(_latin(text)) or [])
    return _of_kind(china, codes, text.lower())


_ENGLISH = (("province", "省$"), ("county", "县$|旗$"), ("district", "区$"), ("city", "市$"))


def _of_kind(china: China, codes: list[int], text: str) -> list[int]:
    """Of places that sound alike those of the kind the text names, and the one prefecture among
    districts.
    """
    areas = _names(china)
    for word, kind in _ENGLISH:
        fitting = [code for code in codes if re.search(kind, areas.at[code, "name"])]
        if re.search(rf"\b{word}\b", text) and fitting:
            codes = fitting
    larger = [code for code in codes if code % 100 == 0]
    names = {_stem(areas.at[code, "name"]) for code in codes}
    alone = len(larger) == 1 and len(names) == len(codes)
    return (
        larger
        if alone and all(areas.at[c, "name"].endswith("区") for c in codes if c not in larger)
        else codes
    )


def _one_of_same(china: China, codes: list[int]) -> list[int]:
    """Without areas that only repeat one above them: 北京市 is a province and its only prefecture."""
    areas = _names(china)
    people = areas["population"]
    top = {code for code in codes if code % 10000 == 0}
    codes = [
        code
        for code in codes
        if code in top or not any(areas.at[one, "name"] == areas.at[code, "name"] for one in top)
    ]
    return [
        code
        for code in codes
        if not any(
            other != code
            and people[other] == people[code]
            and other in (code // 100 * 100, code // 10000 * 10000)
            for other in codes
        )
    ]


def _near(china: China, text: str) -> list[int]:
    """Areas whose names hold the text, or begin as it does; development zones last."""
    areas = _names(china)
    key = _stem(re.sub(r"\s", "", text))
    hits = areas[areas["name"].str.contains(key, regex=False)] if key else areas.iloc[:0]
    if hits.empty and len(key) > 2 and re.search("[一-鿿]", key):
        hits = areas[
            areas["name"].str.startswith(key[:2]) | areas["name"].map(lambda n: _stem(n) in key)
        ]
    if hits.empty and not re.search("[一-鿿]", key):
        import difflib

        latin = _index(china)[2]
        names = difflib.get_close_matches(_latin(text), latin, n=5, cutoff=0.8)
        return list(dict.fromkeys(code for name in names for code in latin[name]))
    return list(hits.sort_values("code_kind", ascending=False, kind="stable").index)


def _listed(china: China, codes: list[int]) -> str:
    areas = _names(china)
    parts = []
    for code in codes[:MOST_LISTED]:
        row = areas.loc[code]
        prefecture = code // 100 * 100
        above = (
            [areas.at[prefecture, "name"]]
            if row["level"] == "county" and prefecture in areas.index
            else []
        )
        place = ", ".join([*above, row["province"], row["level"]])
        parts.append(f"{code} {row['name']} ({place})")
    more = f" and {len(codes) - MOST_LISTED} more" if len(codes) > MOST_LISTED else ""
    return ", ".join(parts) + more


@lru_cache(maxsize=2)
def latin_names(china: China) -> dict[str, str]:
    """The names of all areas in latin letters, as Zhenjiang or Inner Mongolia, by the Chinese name."""
    nation = nation_as_city()
    names = {nation.name_zh: nation.name_en}
    for row in china.area_names.itertuples():
        syllables = row.pinyin.split()[: len(_stem(row.name))]
        known = row.english and row.english not in ("Amoy", "Canton", "Peking")
        names[row.name] = row.english if known else "".join(syllables).capitalize()
    return names


def latin_name(china: China, code: int) -> str:
    """The name of an area in latin letters."""
    return latin_names(china)[_names(china).at[code, "name"]]
