"""Programs that run until the lab ends. They are ended by their own process id, newest first, whatever happens."""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def end_with_parent():
    """For a new process: it gets SIGTERM when its parent ends, even by SIGKILL."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _begin():
    """A program can be interrupted also where a shell has started all of this in the background."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.contextmanager
def anyone_may_run(program):
    """Options of subprocess with which also a user runs it who may not look into the folders above it, /root say."""
    descriptor = os.open(program, os.O_RDONLY)
    try:
        yield {"executable": f"/proc/self/fd/{descriptor}", "pass_fds": [descriptor]}
    finally:
        os.close(descriptor)


class Process:
    """One running program with its output in a log file. Start it from the main thread: it ends with that thread."""

    def __init__(self, namespace, argv, log, **options):
        self.argv = argv
        self.log = log
        with open(log, "ab") as output:
            # preexec_fn is safe here: it makes one system call and takes no lock.
            self._popen = namespace.popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                          start_new_session=True, preexec_fn=_begin, **options)
        self.pid = self._popen.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def running(self):
        return self._popen.poll() is None

    def wait(self, timeout):
        """The exit status, or None when it still runs after `timeout` seconds."""
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def signal(self, number):
        self._popen.send_signal(number)

    @contextlib.contextmanager
    def stopped(self):
        """All its threads have stopped; afterwards they go on. On a busy host that takes a moment after the signal."""
        self.signal(signal.SIGSTOP)
        try:
            while any(state not in "TZX" for state in self._thread_states()):  # or has ended
                time.sleep(0.001)
            yield
        finally:
            self.signal(signal.SIGCONT)

    def _thread_states(self):
        """As in proc_pid_stat(5), behind the name, which may hold anything."""
        for path in pathlib.Path(f"/proc/{self.pid}/task").glob("*/stat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                yield path.read_text().rpartition(")")[2].split()[0]

    def stop(self, grace=5.0):
        """SIGTERM, and SIGKILL to the whole session when that doesn't end it within `grace` seconds."""
        if self.running():
            self.signal(signal.SIGTERM)
        if self.wait(grace) is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait(None)
        return self._popen.returncode

    def output(self, lines=20):
        """The end of what it wrote."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])


def wait_until(condition, timeout, what, process=None, interval=0.02):
    """The first true value of `condition`; a TimeoutError that says `what` was awaited, and what the process said."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        died = process is not None and not process.running()
        if died or time.monotonic() > deadline:
            reason = f"{what}: the process ended" if died else f"{what}: not within {timeout:g} s"
            raise TimeoutError(reason + (f"\n{process.output()}" if process else ""))
        time.sleep(interval)


def exit_on_signals():
    """Makes termination run the clean-up: a signal ends the program like an exception."""
    def leave(number, _):
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
