"""What the DNS says about the sender's domain: without SPF, DKIM and DMARC letters end in the spam folder.

Asked by `doctor` only. DKIM keys have free names (selectors), so only the common ones can be tried.
"""

SELECTORS = ("default", "dkim", "mail", "s1", "s2", "k1", "selector1", "google", "fm1", "protonmail", "mx")
SECONDS = 3.0
NO_ANSWER = "no answer"
MISSING = "missing"


def look(domain: str) -> list[tuple[str, str]]:
    """(check, outcome): outcome is the record, `missing`, or `no answer` where no DNS server answers here."""
    spf = _text(domain, "v=spf1")
    dmarc = _text(f"_dmarc.{domain}", "v=DMARC1")
    if spf == NO_ANSWER:
        return [("SPF", NO_ANSWER), ("DKIM", NO_ANSWER), ("DMARC", NO_ANSWER)]
    keys = (_text(f"{selector}._domainkey.{domain}", "") for selector in SELECTORS)
    dkim = next((f"found ({key[:20]}…)" for key in keys if key not in {MISSING, NO_ANSWER}), MISSING)
    return [("SPF", spf), ("DKIM", dkim), ("DMARC", dmarc)]


def _text(name: str, begins: str) -> str:
    # Imported here: no page ever needs the DNS.
    import dns.exception
    import dns.resolver

    try:
        records = dns.resolver.resolve(name, "TXT", lifetime=SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return MISSING
    except dns.exception.DNSException:
        return NO_ANSWER
    texts = (b"".join(record.strings).decode("utf-8", "replace") for record in records)
    return next((text for text in texts if text.startswith(begins)), MISSING)
