"""Readable names for the anonymous catalogue of the demo: abbreviations spelled out, invented makers, real pack sizes. Pure."""
# ruff: noqa: SIM905 - lists of words read better as text

from __future__ import annotations

import re
from functools import cache

CHAIN = "Harvest Lane Markets"
OWN_BRAND = "Harvest Lane"

_WORDS = {
    "ACC": "Accessories", "BEV": "Beverage", "BKD": "Baked", "BKFST": "Breakfast", "BRKFST": "Breakfast", "BN": "Beans",
    "BRD": "Breaded", "BTL": "Bottle", "BTR": "Butter", "CARB": "Carbonated", "CHIX": "Chicken", "CKYS": "Cookies",
    "CLEANG": "Cleaning", "CND": "Canned", "CNTRL": "Control", "CNDY": "Candy", "COFF": "Coffee", "CONC": "Concentrate",
    "CRKR": "Crackers", "CRYSTL": "Crystal", "DE": "De", "DECAF": "Decaf", "DNR": "Dinner", "DRNK": "Drink",
    "DRNKS": "Drinks", "DRSNG": "Dressing", "DSH": "Dishes", "ELECT": "Electrical", "EXC": "", "EXCEPT": "", "EXCP": "",
    "EX": "", "FD": "Food", "FEM": "Feminine", "FEM.": "Feminine", "FLNK": "Flank", "FLVR": "Flavored", "FLVRD": "Flavored",
    "FRISK": "", "FRSH": "Fresh", "FRZ": "Frozen", "FRZN": "Frozen", "GA": "gal", "GDS": "Goods", "GRND": "Ground",
    "GM": "General Merchandise", "HBC": "Health & Beauty", "HYGN": "Hygiene", "HYGN.": "Hygiene", "INCL": "", "INCLUDING": "",
    "IWS": "Wrapped Slices", "JCE": "Juice", "JHOOK": "Hook", "MERCH": "Merchandise", "MFG": "Manufacturer", "MISC": "Assorted",
    "MISC.": "Assorted", "MLT-PK": "Multi-Pack", "MW": "Microwave", "MXS": "Mixes", "NDAIRY": "Non-Dairy", "NTRTNL": "Nutritional",
    "PCKGD": "Packaged", "PK": "Pack", "PKG": "Packaged", "PKGD": "Packaged", "PKLD": "Pickled", "PLSTC": "Plastic",
    "PLT": "Plate", "PNT": "Peanut", "PPK": "Prepacked", "PREM": "Premium", "PREP": "Prepared", "PRESLC": "Pre-Sliced",
    "PROD": "Produce", "PRSLC": "Pre-Sliced", "PWDR": "Powdered", "QSR": "Quick Service", "REFRGRATD": "Refrigerated",
    "REFRIG": "Refrigerated", "RTS": "Ready-to-Serve", "RW": "Random Weight", "SAL": "Salad", "SALD": "Salad", "SEAFD": "Seafood",
    "SFT": "Soft", "SGL": "Single", "SHLDR": "Shoulder", "SHNK": "Shank", "SLC": "Slices", "SNDWCH": "Sandwich", "SNKS": "Snacks",
    "SPEC": "Special", "SPLY": "Supplies", "SPRD": "Spread", "SS": "Single-Serve", "STK": "Steak", "SUP": "Supplies",
    "SUPPLEMEN": "Supplements", "SUPPPLIES": "Supplies", "SV": "Serve", "SW": "Sweet", "SWE": "Sweet", "TISS": "Tissue",
    "THN": "Thin", "TRSH": "Trash", "VAC": "Vacuum", "VEG": "Vegetable", "VEND": "Vending", "W": "with", "WH": "Whole",
    "WHLSM": "Wholesome", "WHS": "Warehouse", "WTR": "Water", "YELO": "Yellow", "DISPOSIBLE": "Disposable",
    "MEMORABLILIA": "Memorabilia", "SWEETNERS": "Sweeteners", "SHERBTS": "Sherbets", "REPELLANTS": "Repellents",
    "PROTIEN": "Protein", "CHP": "Chops", "BG": "Bags", "PROOF": "Proof", "GRN": "Green",
}  # fmt: skip
_KEEP = {"IQF", "DVD", "VHS", "TV", "BBQ", "USA", "CD", "AA", "AAA", "II", "OTC"}
_SMALL = {"and", "or", "of", "the", "for", "with", "in", "on", "to", "not", "than", "by", "de"}
_DEPARTMENTS = {
    "DRUG GM": "Health & General Merchandise", "MEAT-PCKGD": "Packaged Meat", "SEAFOOD-PCKGD": "Packaged Seafood",
    "CNTRL/STORE SUP": "Store Supplies", "PROD-WHS SALES": "Produce Warehouse Sales", "GM MERCH EXP": "Merchandising Expense",
    "ELECT &PLUMBING": "Electrical & Plumbing", "CHARITABLE CONT": "Charity", "MISCELLANEOUS": "Miscellaneous",
    "PHOTO & VIDEO": "Photo & Video", "TRAVEL & LEISURE": "Travel & Leisure",
}  # fmt: skip
_SIZES = {
    "OZ": "oz", "LB": "lb", "CT": "ct", "ML": "ml", "L": "l", "GA": "gal", "GAL": "gal", "QT": "qt", "PT": "pt", "PK": "pack",
    "FT": "ft", "SQ": "sq", "IN": "in", "YD": "yd", "KG": "kg", "G": "g", "FL": "fl", "DZ": "dozen", "EA": "each", "PC": "pc",
}  # fmt: skip
_CUT = 30
"""The source cuts its words off at this length, mostly in the middle of the last one."""

_STARTS = (
    "Al Bar Bel Ber Bram Bren Cal Cam Cas Cor Dal Dar Del Dun Ed El Fair Fen Gal Gar Glen Had Hal Har Haw Hol Jas Ken Kes Lan "
    "Lar Lin Lor Mar Mel Mer Mil Mon Nor Oak Or Pel Pem Pres Quin Ren Rich Ros Row Sal San Sel Sher Stan Sut Tal Tam Tor Tru "
    "Val Ver Wal War Wes Whit Win Wood"
).split()
_MIDDLES = "a e i o en er el in an or il ar al on ing ow".split()
_ENDS = (
    "bank berry bourne bridge brook bury by combe croft dale den don er ett field ford gate ham holm ia in land ley lock low "
    "man mere mont more ney ock or ora over port ridge rose set shire son stead stone ston ton vale ville ward way well wick wood worth"
).split()


@cache
def brand(manufacturer: int, label: str | None) -> str:
    """The maker's invented name; goods of the private label carry the chain's. The same maker, always the same name."""
    if label == "Private":
        return OWN_BRAND
    start = _STARTS[manufacturer % len(_STARTS)]
    rest = manufacturer // len(_STARTS)
    end = _ENDS[rest % len(_ENDS)]
    middle = _MIDDLES[rest // len(_ENDS) % len(_MIDDLES)] if rest >= len(_ENDS) else ""
    return f"{start}{middle}{end}"


@cache
def humanise(text: str | None) -> str:
    """A catalogue word such as "SFT DRNK 2 LITER BTL CARB INCL" as people would write it: "Soft Drink 2 Liter Bottle Carbonated"."""
    if not text:
        return ""
    plain = re.sub(r"\([^)]*\)?", " ", text)
    if len(plain) >= _CUT:
        plain = plain.rsplit(maxsplit=1)[0]
    plain = re.sub(r"\bW/O\b", "without", plain)
    plain = re.sub(r"\bW/(?=\w)", "with ", plain)
    plain = re.sub(r"\s*:\s*", " ", plain.replace("&", " & ").replace("/", " / "))
    plain = re.sub(r"(?<=[A-Z]{3})-(?=[A-Z]{3})", " ", plain)
    words = [_word(word) for word in plain.split()]
    joined = re.sub(r" / ", "/", " ".join(word for word in words if word))
    joined = re.sub(r"^[\s/&-]+|[\s/&,-]+$", "", re.sub(r"\s+", " ", joined))
    return joined[:1].upper() + joined[1:]


def _word(word: str) -> str:
    if word in _WORDS:
        return _WORDS[word]
    if word in _KEEP or not word[:1].isalpha():
        return word if word in _KEEP else word.lower() if re.fullmatch(r"\d+[A-Z]+", word) else word
    lower = word.lower()
    if lower in _SMALL:
        return lower
    return "-".join(part[:1].upper() + part[1:] for part in lower.split("-"))


def department(text: str | None) -> str:
    """A department's name for people."""
    return _DEPARTMENTS.get(text or "", humanise(text)) or "Other"


def category(text: str | None) -> str:
    """A product category's name for people, without the slash that separates places in a path."""
    return humanise(text).replace("/", " & ").replace("  ", " ") or "Other"


@cache
def size(text: str | None) -> str:
    """A pack size: "14.5 OZ" becomes "14.5 oz"; padding and remarks such as "AB    8 OZ" are dropped."""
    if not text:
        return ""
    words = re.sub(r"(?<=\d)(?=[A-Z])", " ", text.replace("/", " / ")).split()
    if words and not words[0][0].isdigit():
        words = words[1:] if len(words) > 2 and words[1][0].isdigit() else []
    return " ".join(_SIZES.get(word, word.lower()) for word in words).replace(" / ", "/")


def product_name(*, product_type: str | None, category_text: str | None, maker: str, pack: str | None) -> str:
    """What stands on shelf edge and receipt, e.g. "Marlton Potato Chips, 11.5 oz"."""
    what = humanise(product_type) or humanise(category_text) or "Grocery Item"
    packed = size(pack)
    name = f"{maker} {what}" + (f", {packed}" if packed else "")
    return name[:120].rstrip(" ,&/-")
