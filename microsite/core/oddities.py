"""What is said to a coach about events of hers that cannot be taken as they stand. The codes are `Reading.warning`.

Her titles are not known here, so a sentence says what to look for and what is done meanwhile.
"""

from .settings import Words

ODDITIES: dict[str, Words] = {
    "unreadable": Words(
        en="An event is damaged. What can be read of it closes its time, and opens none. Open it in your calendar app"
        " and save it again.",
        id="Ada acara yang rusak. Bagian yang terbaca tetap menutup jamnya, dan tidak membuka jam. Buka di aplikasi"
        " kalendermu lalu simpan lagi.",
    ),
    "too-large": Words(
        en="An event is larger than anything we read (a big attachment, perhaps), so its time is not closed. Take the"
        " attachment out, or close the time with another event.",
        id="Ada acara yang terlalu besar untuk dibaca (mungkin karena lampiran besar), jadi jamnya tidak tertutup."
        " Hapus lampirannya, atau tutup jamnya dengan acara lain.",
    ),
    "too-often": Words(
        en="An event repeats every hour or more often. It closes whole days from its first to its last day, and opens"
        " none.",
        id="Ada acara yang berulang tiap jam atau lebih sering. Acara itu menutup hari-hari penuh dari hari pertama"
        " sampai terakhir, dan tidak membuka jam.",
    ),
    "too-many": Words(
        en="A repeating event has more than 2,000 dates ahead. After those, all time is closed, or none is opened.",
        id="Ada acara berulang dengan lebih dari 2.000 tanggal ke depan. Setelah itu semua jam ditutup, atau tidak ada"
        " yang dibuka.",
    ),
    "rule": Words(
        en="A repeating event has a rule that cannot be understood. Only its first date counts, and it opens no time.",
        id="Ada acara berulang dengan aturan yang tidak dimengerti. Hanya tanggal pertamanya yang dihitung, dan"
        " acara itu tidak membuka jam.",
    ),
    "reversed": Words(
        en="An event ends before it begins. The time between the two is closed; it opens none.",
        id="Ada acara yang berakhir sebelum mulai. Jam di antaranya ditutup; acara itu tidak membuka jam.",
    ),
    "zone": Words(
        en="An event names a time zone that nobody knows. It is read as if it were in yours.",
        id="Ada acara dengan zona waktu yang tidak dikenal. Acara itu dibaca seolah-olah di zona waktumu.",
    ),
}
UNKNOWN = Words(
    en="An event is odd. What is known of it closes its time.",
    id="Ada acara yang janggal. Bagian yang diketahui tetap menutup jamnya.",
)
WITHDRAWN = Words(
    en="The permission to use this calendar was withdrawn or has run out. Ask whoever runs this site to connect it"
    " again; you will sign in at your provider once more.",
    id="Izin untuk memakai kalender ini sudah dicabut atau habis. Minta pengelola situs ini menghubungkannya lagi; kamu"
    " akan masuk sekali lagi di penyedia kalendermu.",
)


def said(code: str) -> Words:
    """The sentence for a warning code."""
    return ODDITIES.get(code, UNKNOWN)
