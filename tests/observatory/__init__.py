"""Mozilla's HTTP Observatory over this site, offline: a certificate for one run, loopback only."""
