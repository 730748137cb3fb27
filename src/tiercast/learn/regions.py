"""The clock of a region, so that an hour of posting means the same everywhere."""

from typing import Final

MINUTES_FROM_UTC: Final[dict[str, int]] = {
    "AE": 240, "AR": -180, "AT": 60, "AU": 600, "BD": 360, "BE": 60, "BG": 120, "BO": -240, "BR": -180,
    "CA": -300, "CH": 60, "CL": -240, "CN": 480, "CO": -300, "CR": -360, "CZ": 60, "DE": 60, "DK": 60,
    "DO": -240, "DZ": 60, "EC": -300, "EE": 120, "EG": 120, "ES": 60, "FI": 120, "FR": 60, "GB": 0,
    "GH": 0, "GR": 120, "GT": -360, "HK": 480, "HR": 60, "HU": 60, "ID": 420, "IE": 0, "IL": 120,
    "IN": 330, "IQ": 180, "IT": 60, "JO": 180, "JP": 540, "KE": 180, "KH": 420, "KR": 540, "KW": 180,
    "KZ": 300, "LB": 120, "LK": 330, "LT": 120, "LV": 120, "MA": 60, "MM": 390, "MX": -360, "MY": 480,
    "NG": 60, "NL": 60, "NO": 60, "NP": 345, "NZ": 720, "PE": -300, "PH": 480, "PK": 300, "PL": 60,
    "PT": 0, "PY": -240, "QA": 180, "RO": 120, "RS": 60, "RU": 180, "SA": 180, "SE": 60, "SG": 480,
    "SI": 60, "SK": 60, "TH": 420, "TN": 60, "TR": 180, "TW": 480, "UA": 120, "US": -300, "UY": -180,
    "UZ": 300, "VE": -240, "VN": 420, "ZA": 120,
}  # fmt: skip
"""Standard time, without daylight saving; where a country has several zones, that of the most people."""
