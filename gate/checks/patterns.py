"""Patterns of personal data that can be named instead of written. RE2; they find candidates, not proofs."""

from __future__ import annotations

from collections.abc import Mapping

BUILT_IN: Mapping[str, str] = {
    # The part of RFC 5322 that mail providers hand out, with a top-level domain.
    "email": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    # International (E.164 with separators: + or 00, then 8 to 15 digits), or North American 3-3-4 with separators.
    "phone": (
        r"(?:^|[^0-9A-Za-z])(?:(?:\+|00)[1-9](?:[ ./()-]{0,2}[0-9]){7,14}"
        r"|\(?[2-9][0-9]{2}\)?[-. ][0-9]{3}[-. ][0-9]{4})(?:$|[^0-9])"
    ),
    # ISO 13616: country, check digits, 11 to 30 characters, in one piece or in groups of four.
    "iban": (
        r"\b[A-Z]{2}[0-9]{2}(?:(?: ?[A-Z0-9]{4}){2} ?[A-Z0-9]{3}"
        r"|(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?)\b"
    ),
}
