"""What databases' codes mean to us: SQLSTATEs, and vendors' own numbers where these say more."""

from collections.abc import Container
from typing import Literal

Meaning = Literal[
    "login", "database", "tls", "host", "lost", "busy", "timeout", "truncated", "missing",
    "privilege", "typo", "write", "data", "conflict", "encoding", "other",
]  # fmt: skip

SQLSTATES: tuple[tuple[str, Meaning], ...] = (
    ("28", "login"), ("3D", "database"), ("08", "lost"), ("57P", "lost"), ("57", "busy"),
    ("53", "busy"), ("58", "busy"), ("70100", "timeout"),
    ("57014", "timeout"), ("HYT", "timeout"), ("25P03", "timeout"), ("25P04", "timeout"),
    ("55P03", "timeout"), ("01004", "truncated"), ("40", "conflict"),
    ("22021", "encoding"), ("42P01", "missing"),
    ("42703", "missing"), ("3F000", "missing"), ("42883", "missing"), ("42S02", "missing"),
    ("42S22", "missing"), ("42704", "missing"), ("42501", "privilege"), ("42502", "privilege"),
    ("42601", "typo"), ("42", "typo"), ("37000", "typo"), ("S0", "typo"),
    ("25006", "write"), ("22", "data"),
)  # fmt: skip

NUMBERS: dict[str, dict[Meaning, Container[int]]] = {
    "mysql": {
        "login": (1044, 1045, 1130, 1251, 1698, 1862, 1820),
        "database": (1049,),
        "tls": (2026, 3159),
        "lost": (1053, 1040, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2005, 2006, 2013, 2055),
        "timeout": (1317, 1205, 1969, 3024),
        "missing": (1146, 1054, 1305, 1109),
        "privilege": (1142, 1143, 1227, 1370),
        "typo": (1064, 1052, 1055, 1060, 1248, 1222),
        "write": (1792, 1290),
        "truncated": (1260, 1301, 1406),
        "conflict": (1213,),
        "other": (1105, 1644),  # what a function makes up: its words may quote a row
    },
    "oracle": {
        "login": (1017, 28000, 28001, 1045),
        "tls": (28759, 29024, 28860),
        "lost": (3113, 3114, 3135, 12154, 12170, 12505, 12514, 12541, 12545, 28, 1089, 1012, 12547),
        "timeout": (1013, 3136, 3156),
        "missing": (942, 904, 4043, 6550),
        "privilege": (1031, 41900),
        "typo": (900, 903, 905, 906, 907, 911, 918, 923, 933, 936, 972),
        "write": (1456,),
        "conflict": (1555, 8177),
        "truncated": (1406, 22835),
    },
    "mssql": {
        "login": (18456, 18452, 18470, 18487, 18488),
        "database": (4060,),
        "missing": (208, 207, 2812, 4121),
        "privilege": (229, 230, 916),
        "typo": (102, 156, 105, 170, 209, 8156),
        "timeout": (1222, 3617),
        "write": (3906,),
        "conflict": (1205, 3960),
        "other": range(50_000, 2**31),  # what a procedure makes up
    },
    "snowflake": {
        "login": (250001, 251005, 390100, 390101, 390144),
        "lost": (250003, 250005, 290404),
        "timeout": (630, 604, 603),
        "missing": (2003, 904, 2043),
        "privilege": (3001,),
        "typo": (1003,),
    },
    # What SQLSTATE 08 also says of a login and of a database that is not there
    "db2": {"login": (30082, 1060, 1403, 30061, 1013), "lost": (30081, 1336, 1224, 1032, 1040)},
    "h2": {"database": (90013, 90146), "privilege": (90096,), "write": (90097,)},
}
NUMBERS |= {"mariadb": NUMBERS["mysql"], "sqlserver": NUMBERS["mssql"]}
