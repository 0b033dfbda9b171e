"""Free ports on the loopback address."""

import socket

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Say whether we could listen on the port now."""
    with socket.socket() as probe:
        # Without this, connections of the last run that linger in TIME_WAIT count as busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free(wanted: int | None = None) -> int:
    """Return the wanted port when nobody has it, else another one."""
    if wanted and is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port
