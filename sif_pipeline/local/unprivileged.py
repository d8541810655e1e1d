"""Run a command as an unprivileged user, because PostgreSQL refuses to run as root.

Started as a script in a fresh interpreter: `python -I -S unprivileged.py UID GID FOLDER... -- COMMAND...`.
When that user cannot reach a FOLDER or the command (a checkout under /root, say), the command is given the
one capability that lets it pass closed directories. No permission on disk is changed.
"""

import ctypes
import os
import sys

#: Exit status when it cannot be: no change of user allowed, or folders that no capability opens.
UNREACHABLE = 77

# linux/capability.h and linux/prctl.h. Reading suffices; containers often keep only the wider one.
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 8, 47, 2
_CAPABILITY_VERSION_3 = 0x20080522


def run(user: int, group: int, folders: list[str], command: list[str]) -> None:
    """Become `command`, run as `user` and `group`; exit with UNREACHABLE when that cannot be."""
    os.setgroups([])
    os.setresgid(group, group, group)
    if _reachable(user, [*folders, command[0]]):
        os.setresuid(user, user, user)
    elif not any(_keep(user, capability) for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE)):
        sys.exit(UNREACHABLE)
    os.execv(command[0], command)  # noqa: S606 -- no shell is wanted


def _reachable(user: int, paths: list[str]) -> bool:
    os.seteuid(user)
    try:
        return all(os.access(path, os.X_OK, effective_ids=True) for path in paths)
    finally:
        os.seteuid(0)


def _keep(user: int, capability: int) -> bool:
    # The kernel drops capabilities when root becomes another user, unless told to keep them; the ambient set
    # is what survives the exec. See capabilities(7).
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setresuid(user, user, user)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    only = 1 << capability
    sets = (ctypes.c_uint32 * 6)(only, only, only, 0, 0, 0)  # effective, permitted, inheritable; low, high words
    if libc.capset(header, sets) != 0:
        return False
    return bool(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)


if __name__ == "__main__":
    _split = sys.argv.index("--")
    try:
        run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:_split], sys.argv[_split + 1 :])
    except PermissionError:  # a container whose root may not become another user
        sys.exit(UNREACHABLE)
