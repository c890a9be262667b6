"""Where each secret of the operator is looked for: a systemd credential, a file named in the settings, the environment
(weaker: inherited and visible in dumps), the settings file. Which settings there are is `config`'s.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .core.people import Secret
from .errors import SettingsError

SECRETS = {
    "mail-password": ("mail", "password_file", "password"),
    "google-secret": ("google", "client_secret_file", "client_secret"),
    "database-url": ("database", "url_file", "url"),
    "keyring-url": ("keyring", "url_file", "url"),
    "limits-storage": ("limits", "storage_file", "storage"),
    "metrics-token": ("metrics", "token_file", "token"),
    "server-key": ("site", "server_key_file", ""),
}
"""Name of the credential: the table of `config.toml`, the field that names a file, the field that holds it itself.

In the environment it is MICROSITE_ and the name in capitals: MICROSITE_MAIL_PASSWORD.
"""


def read(file: Any, environ: Mapping[str, str], path: Path) -> dict[str, Secret]:
    """Every secret by its name, an empty one where it is nowhere; raises SettingsError for a file that is not there."""
    return {name: _read(name, file, environ, path) for name in SECRETS}


def written(name: str, file: Any) -> Secret:
    """What the settings file itself says of a secret, or the setting's default."""
    table, _, written_in = SECRETS[name]
    return Secret(getattr(getattr(file, table), written_in) if written_in else "")


def _read(name: str, file: Any, environ: Mapping[str, str], path: Path) -> Secret:
    table, named_by, _ = SECRETS[name]
    settings = getattr(file, table)
    credentials = environ.get("CREDENTIALS_DIRECTORY", "")
    # The units hand over an empty one where there is none.
    if credentials and (found := Path(credentials) / name).exists() and found.read_bytes().strip():
        return _from_file(found, group_may_read=True)
    if named := getattr(settings, named_by):
        if not Path(named).is_file():
            raise SettingsError(str(path), f"{table}.{named_by}", repr(named), "a file that exists")
        return _from_file(Path(named))
    told = environ.get(f"MICROSITE_{name.upper().replace('-', '_')}")
    return Secret(told) if told else written(name, file)


def _from_file(path: Path, group_may_read: bool = False) -> Secret:
    """What is in a secret's file; raises StartRefused where others can read it, with the command that mends it."""
    from .sealing.files import read_secret  # heavy, and most sites have no such file

    return Secret(read_secret(path, group_may_read=group_may_read).reveal().strip())
